import type { RequestHandler } from 'express'
import type { Feed, Quake } from '#feed'
import type { ResponseHead } from '../../wire/message-head.ts'
import type { Tools } from './check.ts'
import type { ControlledFeed, FeedReader } from './controlled-feed.ts'
import { EventClient } from './event-client.ts'
import { turns } from './event-loop.ts'
import { must } from './failure.ts'
import { disconnect } from './login.ts'
import { LARGE, largeQuakes } from './quakes.ts'
import type { RawClient } from './raw-client.ts'
import { sampleEvery } from './sampling.ts'
import type { TestServer } from './serve.ts'
import { SILENT } from './transcript.ts'

/** Creates the learner's app from a feed. */
export type CreateApp = (feed: Feed) => RequestHandler

/** The learner's app, served with a feed that the check controls. */
export type ServedFeed = {
  feed: ControlledFeed
  server: TestServer
  /** Opens the stream, and waits until the handler asks the feed for the first quake. */
  open(name?: string): Promise<OpenStream>
}

/** An open stream: a client, and the feed reader that the server opened for it. */
export type OpenStream = { client: RawClient; events: EventClient; reader: FeedReader }

export async function serveFeed(
  t: Tools,
  path: string,
  createApp: CreateApp,
  before?: RequestHandler,
): Promise<ServedFeed> {
  const feed = t.controlledFeed()
  const server = await t.serve(createApp(feed), before)
  return { feed, server, open: (name) => openStream(t, feed, server, path, name) }
}

/** Serves the learner's app, and opens the stream for one client, which reads the head but not the body. */
export async function serveStream(
  t: Tools,
  path: string,
  createApp: CreateApp,
): Promise<ServedFeed & { client: RawClient; events: EventClient; head: ResponseHead }> {
  const served = await serveFeed(t, path, createApp)
  const client = t.connect(served.server)
  const head = await requestStream(client, path)
  return { ...served, client, events: client.events, head }
}

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
  // Prefer an open reader, because the handler of an earlier request may open the feed only now, for a client that has
  // already disconnected.
  const own = (): FeedReader | undefined => {
    const asked = feed.readers.slice(before).filter((reader) => reader.hasPulled)
    return asked.find(({ closed }) => !closed) ?? asked[0]
  }
  await t.waitFor(() => own() !== undefined, {
    seen: 'Your handler sent the head of the response, but did not ask the feed for a quake.',
    expected: 'Expected your handler to open the feed for each client, and to ask for quakes.',
    often:
      'your code calls feed.open(signal) once for the whole app, or has not called it yet. Call it for each request.',
  })
  return { client, events: client.events, reader: own()! }
}

/**
 * Opens a stream whose client stops reading while 8 MB of quakes happen, which the server cannot send in full. Waits
 * until the server has taken a few of these quakes.
 */
export async function pausedStream(
  t: Tools,
  path: string,
  createApp: CreateApp,
): Promise<OpenStream> {
  const { feed, open } = await serveFeed(t, path, createApp)
  const paused = await open()
  const { client, reader } = paused
  client.pause()
  const happened = largeQuakes(32)
  feed.release(...happened)
  await t.waitFor(() => reader.delivered >= 3, {
    seen: () =>
      `The client stopped reading, and your handler read ${reader.delivered || 'none'} of the ${happened.length} quakes from the feed.`,
    expected:
      'Expected your handler to read a few quakes from the feed, because the buffers have room for them.',
    often: () => whyNotAll(reader, happened.length),
  })
  return paused
}

/**
 * Opens a stream whose client stops reading while 6 MB of quakes happen, and a second stream whose client reads all of
 * them. By the time the second client has read everything, the first client has had enough time as well.
 */
export async function slowStream(
  t: Tools,
  path: string,
  createApp: CreateApp,
): Promise<{ slow: OpenStream; happened: Quake[] }> {
  const { feed, server, open } = await serveFeed(t, path, createApp)
  const slow = await open('slow client')
  t.transcript.step('slow client stops reading')
  // To the server, a blocked network looks the same, but filling the system's buffers of up to 10 MB would take time.
  server.blockNetwork(SILENT)
  const quick = await open('quick client')
  const happened = largeQuakes(24, sampleEvery() === 1 ? LARGE : ENOUGH)
  feed.release(...happened)
  await quick.client.skipUntil(happened.at(-1)!.id, {
    seen: () =>
      `The quick client read as fast as it could, but did not get every quake. Your handler read ${quick.reader.delivered} of the ${happened.length} quakes for this client.`,
    expected: 'Expected the quick client to get every quake, whatever the slow client does.',
    often: () => whyNotAll(quick.reader, happened.length),
  })
  return { slow, happened }
}

/**
 * Opens a stream whose client stops reading while more quakes happen than all buffers can hold, and waits until the
 * server takes no more quakes. The transcript omits the client's events, because the number of events depends on the machine.
 */
export async function stalledStream(
  t: Tools,
  { feed, open }: ServedFeed,
): Promise<OpenStream & { happened: Quake[] }> {
  const { client, reader } = await open('slow client')
  client.pause()
  const happened = largeQuakes(64)
  feed.release(...happened)
  await takesNoMore(t, reader)
  return { client, events: new EventClient(client, SILENT), reader, happened }
}

/**
 * Opens a stream, blocks its network while quakes happen, and waits until the server takes no more of them. A single
 * quake fills the buffer of the response. Blocking costs less than filling the real buffers, but if the client
 * disconnects while its network is blocked, no unread bytes are left.
 */
export async function blockedStream(
  t: Tools,
  { feed, server, open }: ServedFeed,
): Promise<Pick<OpenStream, 'events' | 'reader'> & { happened: Quake[]; resume(): void }> {
  const { client, reader } = await open('slow client')
  server.blockNetwork()
  const happened = largeQuakes(sampleEvery() === 1 ? 64 : 32, ENOUGH)
  feed.release(...happened)
  await takesNoMore(t, reader)
  return {
    events: new EventClient(client, SILENT),
    reader,
    happened,
    resume: () => server.unblockNetwork(),
  }
}

/** The size in bytes of a quake that is just large enough to fill the buffer of a response. */
const ENOUGH = 80_000

/** Waits until the server has received a quake and has not asked for another for many turns of the event loop. */
async function takesNoMore(t: Tools, reader: FeedReader): Promise<void> {
  let given = 0
  let idleTurns = 0
  const stands = (): boolean => {
    idleTurns = reader.delivered === given ? idleTurns + 1 : 0
    given = reader.delivered
    return given > 0 && idleTurns > 25
  }
  await t.waitFor(stands, {
    seen: 'Quakes happened, but your handler did not ask the feed for any of them.',
    expected: 'Expected your handler to ask the feed for quakes.',
  })
}

/** Opens the stream, and disconnects when the handler asks the feed for the first quake. */
export async function connectAndLeave(
  t: Tools,
  { server, open }: Pick<ServedFeed, 'server' | 'open'>,
  name: string,
): Promise<void> {
  const { connections } = server
  const { client } = await open(name)
  await disconnect(t, server, client, connections, `The ${name}`)
  // Give the handler time to react.
  await turns(20)
}

/** Returns the likely reason why a client that never stops reading does not receive every quake. */
function whyNotAll({ delivered, closed }: FeedReader, count: number): string {
  if (delivered === count) {
    return 'your handler drops quakes while the response is full. Wait for "drain" instead.'
  }
  if (closed)
    return 'your handler stops for good when res.write() returns false. But false only means "wait".'
  // Every buffer has room for a few quakes.
  if (delivered < 3) {
    return 'your handler writes a quake again until res.write() returns true. But false means that the quake has been accepted, and that the next quake has to wait.'
  }
  return 'all your clients wait for the slowest one.'
}

async function requestStream(client: RawClient, path: string): Promise<ResponseHead> {
  const head = await client.get(path, {
    seen: 'The client got no response head.',
    expected: 'Expected the response head to be sent immediately.',
    often: 'your handler does not send the head before the first res.write().',
  })
  must(head.status === 200, {
    seen: `GET ${path} was answered with status ${head.status}.`,
    expected: 'Expected status 200.',
    ...(head.status === 204 && {
      often:
        'your handler treats the end of its loop as the end of the feed, but the loop also ends when the client disconnects.',
    }),
    ...(head.status === 500 && { often: 'your handler throws before it answers.' }),
  })
  return head
}
