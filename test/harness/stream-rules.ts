// Rules for every stream, in any format. Several lessons grade them with the same messages.

import type { Tools } from './check.ts'
import { deepEqual, tryParseJson } from './equality.ts'
import { must, type Story } from './failure.ts'
import type { OpenStream, ServedFeed } from './open-stream.ts'
import { describeQuake, quakes } from './quakes.ts'
import type { RawClient } from './raw-client.ts'
import { excerpt } from './transcript.ts'

/**
 * Requires that any number of concurrent clients each receive every quake, and that a later client does so too.
 *
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
        seen: `${describeQuake(quake)} happened and ${client.name} ${how}`,
        expected: 'Expected every client to get every quake.',
        often: 'the clients share one reader of the feed. feed.open() gives each its own.',
      })
      const text = await read(client, told(`got no ${what}.`))
      must(deepEqual(tryParseJson(text), quake), told(`read ${excerpt(text)}`))
    }
  }
  // The later client has its own reader, which starts with the first quake.
  const { client: late } = await open('client C')
  for (const [n, quake] of quakes(3).entries()) {
    const expected = `Expected ${describeQuake(quake)}: exactly what its own reader of the feed gives.`
    const text = await read(late, {
      seen: `Client C came after the others, and did not get ${what} ${n + 1}.`,
      expected,
    })
    must(deepEqual(tryParseJson(text), quake), {
      seen: `Client C came after the others, and its ${what} ${n + 1} is ${excerpt(text)}`,
      expected,
      often: 'something that was sent to others is kept outside the handler, and sent again.',
    })
  }
  for (let count = 4; count <= CROWD; count += 1) {
    const name = `client ${count}`
    const { client } = await open(name)
    const [quake] = quakes(1)
    const told = (how: string): Story => ({
      seen: `${count} clients are there at once, and ${name} ${how}`,
      expected: 'Expected it to be served like the others: any number of clients may come.',
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
    seen: 'The client left while the feed was silent, and the feed was not closed.',
    expected: 'Expected it to be closed at once: the next quake may be an hour away.',
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
    seen: 'The client left while the handler was waiting for it to read, and the feed was not closed.',
    expected: 'Expected the feed to be closed.',
    often: () =>
      reader.aborted
        ? "the signal aborted, and the handler did not come back to the feed: it waits for 'drain', which a closed connection never sends. Let the signal end that wait too."
        : "the end is taken from another event. A client that leaves bytes unread sends no 'end'; 'close' of the response comes always.",
  })
}

/** Requires that the response ends after the feed has ended. @param why the reason, for the message */
export async function mustEndWithFeed(client: RawClient, why: string): Promise<void> {
  const how = await client.ended({
    seen: 'The feed ended and the response did not.',
    expected: `Expected the response to end: ${why}`,
    often: 'res.end() is missing behind the loop.',
  })
  must(how === 'complete', {
    seen: 'The feed ended and the server cut the connection.',
    expected: 'Expected the end that HTTP has for it, the chunk of length 0.',
    often: 'the handler destroys the response, or throws, where res.end() belongs.',
  })
}

/** Requires that a failed feed cuts the connection. @param failed how it failed: `The feed failed` */
export async function mustCutWithFeed(
  client: RawClient,
  failed: string,
  expected: string,
  often = 'res.end() runs after an error as well: in a finally, or behind a catch.',
): Promise<void> {
  const how = await client.ended({
    seen: `${failed} and the response goes on.`,
    expected,
    often: 'the error is caught and forgotten. Nothing more will come on this connection.',
  })
  must(how === 'cut', {
    seen: `${failed}, and the client was told that all is well: the response ended as after the last quake.`,
    expected: 'Expected the connection to be cut, without the chunk of length 0.',
    often,
  })
}
