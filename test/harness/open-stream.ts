import type { RequestHandler } from 'express'
import type { Feed, Quake } from '#feed'
import type { Head } from '../../wire/response.ts'
import type { Tools } from './check.ts'
import type { RawClient } from './raw-client.ts'
import { must } from './failure.ts'
import type { ControlledFeed, FeedReader } from './controlled-feed.ts'
import { largeQuakes } from './quakes.ts'
import type { TestServer } from './serve.ts'

/** Serves `app` and opens the stream at `path`: the head is read, nothing of the body. */
export async function serveStream(
  t: Tools,
  app: RequestHandler,
  path: string,
): Promise<{ client: RawClient; head: Head; server: TestServer }> {
  const server = await t.serve(app)
  const client = t.connect(server)
  const head = await requestStream(client, path)
  return { client, head, server }
}

/** Somebody who reads the stream: a client, and the reader of the feed that the server opened for it. */
export type OpenStream = { name: string; client: RawClient; reader: FeedReader }

/** Opens the stream at `path`, and waits until the server asks `feed` for the first quake. */
export async function openStream(
  t: Tools,
  feed: ControlledFeed,
  server: TestServer,
  path: string,
  name = 'client',
): Promise<OpenStream> {
  const before = feed.readers.length
  const client = t.connect(server, name)
  await requestStream(client, path)
  // A handler that began earlier may open the feed just now, for a client that has left.
  const own = (): FeedReader | undefined => {
    const asked = feed.readers.slice(before).filter((reader) => reader.hasPulled)
    return asked.find(({ closed }) => !closed) ?? asked[0]
  }
  await t.waitFor(() => own() !== undefined, {
    seen: `There is a head for the ${name}, and the handler asked the feed for nothing.`,
    expected: 'Expected it to open the feed for each client, and to ask for quakes.',
    often: 'feed.open(signal) is called once for the whole app, or not yet.',
  })
  return { name, client, reader: own()! }
}

/**
 * A client that stops reading while `count` large quakes happen, and the server has taken a few of them. With
 * 32, which are 8 MB, it cannot get rid of them all.
 */
export async function pausedStream(
  t: Tools,
  createApp: (feed: Feed) => RequestHandler,
  path: string,
  count: number,
): Promise<{ paused: OpenStream; happened: Quake[]; feed: ControlledFeed; server: TestServer }> {
  const feed = t.controlledFeed()
  const server = await t.serve(createApp(feed))
  const paused = await openStream(t, feed, server, path)
  paused.client.pause()
  const happened = largeQuakes(count, LARGE_BYTES)
  feed.release(...happened)
  await t.waitFor(() => paused.reader.delivered >= 3, {
    get seen() {
      const { delivered } = paused.reader
      return `The client does not read, and of ${count} quakes the handler took ${delivered === 0 ? 'none' : delivered}.`
    },
    expected: 'Expected it to take some: there is room on the way for a few.',
    get often() {
      return whyNotAll(paused.reader, count)
    },
  })
  return { paused, happened, feed, server }
}

/**
 * A client that stops reading while more quakes happen than any buffer on the way can hold, and a second
 * client that reads them all. When the second has them, the first one's time is over, too.
 */
export async function slowStream(
  t: Tools,
  createApp: (feed: Feed) => RequestHandler,
  path: string,
): Promise<{ slow: OpenStream; happened: Quake[]; feed: ControlledFeed; server: TestServer }> {
  const feed = t.controlledFeed()
  const server = await t.serve(createApp(feed))
  const slow = await openStream(t, feed, server, path, 'slow client')
  const quick = await openStream(t, feed, server, path, 'quick client')
  slow.client.pause()
  // 16 MB. The buffers of a connection on the same machine hold 4 MB (Linux) and can be tuned to 10.
  const happened = largeQuakes(64, LARGE_BYTES)
  feed.release(...happened)
  await quick.client.skipUntil(happened.at(-1)!.id, {
    get seen() {
      return `The quick client reads as fast as it can, and does not get every quake: the handler took ${quick.reader.delivered} of ${happened.length} for it.`
    },
    expected: 'Expected all of them, whatever the slow client does.',
    get often() {
      return whyNotAll(quick.reader, happened.length)
    },
  })
  return { slow, happened, feed, server }
}

/** Why a client that reads all the time does not get every quake. */
function whyNotAll({ delivered, closed }: FeedReader, count: number): string {
  if (delivered === count)
    return 'what comes while the response is full is dropped. It has to wait.'
  if (closed) return 'write() returning false is taken for the end. It only says: not now.'
  // Room for a few is in any buffer.
  if (delivered < 3) {
    return 'a quake is written until write() returns true. false says that it has been taken, and that the next one has to wait.'
  }
  return 'all clients wait for the slowest.'
}

/** Something in front of the app that takes its time with the first request, as a look into a database does. */
export function slowLogin(): {
  handler: RequestHandler
  /** The first request is here, and has to wait. */
  begun: Promise<void>
  /** Lets it pass on to the app. */
  finish(): void
} {
  let begin = (): void => {}
  let pass: (() => void) | undefined
  const begun = new Promise<void>((resolve) => {
    begin = resolve
  })
  return {
    begun,
    finish: () => pass?.(),
    handler(_request, _response, next) {
      if (pass) return next()
      pass = next
      begin()
    },
  }
}

/** Something in front of the app that reads the whole request first, as what looks for a body does. */
export const consumeRequest: RequestHandler = (request, _response, next) => {
  request.resume().once('end', next)
}

/** More than a response takes at once: write() returns false for each. */
const LARGE_BYTES = 256 * 1024

async function requestStream(client: RawClient, path: string): Promise<Head> {
  client.request(path)
  const head = await client.head({
    seen: 'The client got no head.',
    expected: 'Expected one at once.',
    often: 'the head waits for the first res.write().',
  })
  must(head.status === 200, {
    seen: `GET ${path} was answered ${head.status}.`,
    expected: 'Expected 200.',
    often:
      head.status === 204
        ? 'the loop over the feed ends for a client that leaves, too. That is not the end of the feed.'
        : 'the handler throws before it answers.',
  })
  return head
}
