// Rules that every stream keeps, whatever its format. More than one lesson grades them, in the same words.

import type { Tools } from './check.ts'
import { deepEqual, tryParseJson } from './equality.ts'
import { must, type Story } from './failure.ts'
import type { OpenStream, ServedFeed } from './open-stream.ts'
import { describeQuake, quakes } from './quakes.ts'
import type { RawClient } from './raw-client.ts'
import { excerpt } from './transcript.ts'

/** Two clients at once each get every quake. @param read takes the JSON of the next one */
export async function mustServeBoth(
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
}

/** The feed is closed when the client leaves between two quakes. */
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

/** The feed is closed when a client leaves that did not read. */
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

/** When the feed has ended, the response ends. @param why it should */
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

/** A feed that has failed cuts the connection. @param failed tells how it did: `The feed failed` */
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
