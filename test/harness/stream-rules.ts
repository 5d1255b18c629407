// The rules for streams in any format, which several lessons grade with the same messages.

import type { Tools } from './check.ts'
import { deepEqual, tryParseJson } from './equality.ts'
import { must, type Story } from './failure.ts'
import type { OpenStream, ServedFeed } from './open-stream.ts'
import { describeQuake, quakes } from './quakes.ts'
import type { RawClient } from './raw-client.ts'
import { excerpt } from './transcript.ts'

/**
 * Requires that several concurrent clients and a later client each receive every quake.
 *
 * @param what the unit in which a quake arrives
 * @param read reads the JSON of the next quake
 */
export async function mustServeEach(
  { feed, open }: ServedFeed,
  what: 'line' | 'event',
  read: (client: RawClient, story: Story) => Promise<string>,
): Promise<void> {
  const clients = [await open('client A'), await open('client B')]
  for (const quake of quakes(3)) {
    feed.release(quake)
    for (const { client } of clients) {
      const told = (how: string): Story => ({
        seen: `${describeQuake(quake)} happened, but ${client.name} ${how}`,
        expected: 'Expected every client to get every quake.',
        often: 'your clients share one reader of the feed. Call feed.open() for each client.',
      })
      const text = await read(client, told(`got no ${what}.`))
      must(deepEqual(tryParseJson(text), quake), told(`read ${excerpt(text)}`))
    }
  }
  // The later client's own reader starts with the first quake.
  const { client: late } = await open('client C')
  for (const [n, quake] of quakes(3).entries()) {
    const expected = `Expected client C to get ${describeQuake(quake)}, because a client gets exactly the quakes that its own reader delivers.`
    const text = await read(late, {
      seen: `Client C connected after the others, but did not get ${what} ${n + 1}.`,
      expected,
    })
    must(deepEqual(tryParseJson(text), quake), {
      seen: `Client C connected after the others, and its ${what} ${n + 1} was ${excerpt(text)}`,
      expected,
      often: 'your app keeps quakes outside the handler, and sends them again.',
    })
  }
  for (let count = 4; count <= CROWD; count += 1) {
    const name = `client ${count}`
    const { client } = await open(name)
    const [quake] = quakes(1)
    const told = (how: string): Story => ({
      seen: `${count} clients were connected at once, but ${name} ${how}`,
      expected:
        'Expected this client to be served like the others, because any number of clients may connect.',
    })
    const text = await read(client, told(`got no ${what}.`))
    must(deepEqual(tryParseJson(text), quake), told(`read ${excerpt(text)}`))
  }
}

const CROWD = 10

/** Requires that the feed closes when the client disconnects between two quakes. */
export async function mustCloseWhenLeft(
  t: Tools,
  { client, reader }: OpenStream,
  often: string,
): Promise<void> {
  client.disconnect()
  await t.waitFor(() => reader.closed, {
    seen: 'The client disconnected while your handler was waiting for a quake, but the feed stayed open.',
    expected: 'Expected the feed to close at once, because the next quake may be an hour away.',
    often,
  })
}

/** Requires that the feed closes when a stalled client disconnects. */
export async function mustCloseWhenStalled(
  t: Tools,
  { client, reader }: OpenStream,
): Promise<void> {
  client.disconnect()
  await t.waitFor(() => reader.closed, {
    seen: 'The client disconnected while your handler was waiting for it to read, but the feed stayed open.',
    expected: 'Expected the feed to close.',
    often: () =>
      reader.aborted
        ? "your handler is still waiting for 'drain', which a closed response never emits. Let the signal end that wait as well."
        : "your handler listens for the wrong event. A client that leaves bytes unread sends no 'end', but the response always emits 'close'.",
  })
}

/** Requires that the response ends after the feed has ended. @param why the reason, for the message */
export async function mustEndWithFeed(client: RawClient, why: string): Promise<void> {
  const how = await client.ended({
    seen: 'The feed ended, but the response did not.',
    expected: `Expected the response to end, because ${why}`,
    often: 'your handler does not call res.end() after the loop.',
  })
  must(how === 'complete', {
    seen: 'The feed ended, and the server cut the connection.',
    expected: 'Expected the response to end with the chunk of length 0.',
    often: 'your handler destroys the response, or throws, instead of calling res.end().',
  })
}

/** Requires that a failed feed cuts the connection. @param failed the beginning of the message, such as `The feed failed` */
export async function mustCutWithFeed(
  client: RawClient,
  failed: string,
  expected: string,
  often = 'your handler also calls res.end() after an error, in a finally block or after a catch.',
): Promise<void> {
  const how = await client.ended({
    seen: `${failed}, but the response stayed open.`,
    expected,
    often: 'your handler catches the error, but leaves the response open.',
  })
  must(how === 'cut', {
    seen: `${failed}, but the response ended normally, so the client believed that it had every quake.`,
    expected: 'Expected the connection to be cut, without the chunk of length 0.',
    often,
  })
}
