import type { RequestHandler } from 'express'
import type { Feed } from '#feed'
import type { Tools } from './check.ts'
import { controlledFeed, type ControlledFeed } from './controlled-feed.ts'
import { turns } from './event-loop.ts'
import { must } from './failure.ts'
import { gate } from './gate.ts'
import { largeQuakes, quakes } from './quakes.ts'
import { RawClient, type RequestOptions } from './raw-client.ts'
import { sampleSize } from './sampling.ts'
import type { TestServer } from './serve.ts'
import { SILENT } from './transcript.ts'

/** A server to which many clients connect, one after another. Together, their connections end in every possible way. */
export type VisitedServer = {
  readonly server: TestServer
  /** Passes the given feed to the handler from now on. */
  use(feed: Feed): void
  /** Runs dozens of visits. If each of a dozen visits leaves a listener behind, an emitter has more listeners than Node allows without a warning. */
  visit(): Promise<void>
}

export type VisitOptions = {
  path: string
  isOverAtEnd?: boolean
  only?: 'ordinary' | 'unusual'
  rounds?: number
}

/**
 * Serves the learner's app to many clients.
 *
 * @param createApp creates the learner's app
 * @param options.isOverAtEnd whether the server refuses all clients after the feed has ended
 * @param options.only which visits to run: those for core checks or those for edge cases; by default, all
 * @param options.rounds how many clients disconnect in each way; by default, a dozen
 */
export async function visitedServer(
  t: Tools,
  createApp: (feed: Feed) => RequestHandler,
  { path, isOverAtEnd = false, only, rounds = OFTEN }: VisitOptions,
): Promise<VisitedServer> {
  const feeds: ControlledFeed[] = []
  let current: Feed = { open: (signal) => newFeed().open(signal) }
  const login = gate()
  const server = await t.serve(createApp({ open: (signal) => current.open(signal) }), login.handler)
  let count = 0
  let how = ''

  function newFeed(): ControlledFeed {
    const feed = controlledFeed(SILENT)
    feeds.push(feed)
    return feed
  }

  function openFeeds(): number {
    return feeds.reduce((sum, feed) => sum + feed.openReaders, 0)
  }

  /** Returns the beginning of a message, which says how the client's visit ended. */
  function tellVisit(): string {
    return count === 0 ? `The first client ${how}` : `Client ${count + 1} ${how}`
  }

  async function play({ name, end }: Ending): Promise<void> {
    how = name
    const feed = newFeed()
    current = feed
    const before = server.connections
    // The transcript omits the hundreds of similar steps, and contains only their result.
    const client = new RawClient(server.port, { transcript: SILENT, waiting: t })
    const request = async (options: RequestOptions = {}): Promise<void> => {
      const story = {
        seen: `After ${count} clients had disconnected, the next client got no response head.`,
        expected: 'Expected the next client to be served like the first one.',
      }
      const { status } = await client.get(path, story, options)
      must(status === 200 || options.method === 'POST', {
        seen: `After ${count} clients had disconnected, the next client was answered with status ${status}.`,
        expected: 'Expected status 200, as for the first client.',
        often: 'your app keeps the state of one client in a variable outside the handler.',
      })
    }
    await end({
      path,
      client,
      feed,
      request,
      async open(options) {
        await request(options)
        await t.waitFor(() => feed.readers.some(({ hasPulled }) => hasPulled), {
          seen: `After ${count} clients had disconnected, your handler did not open the feed for the next client.`,
          expected: 'Expected your handler to open the feed for each client.',
        })
      },
      async stall() {
        server.blockNetwork(SILENT)
        feed.release(...largeQuakes(40, 4096))
        await t.waitFor(() => feed.readers.some(({ delivered }) => delivered > 0), {
          seen: `${tellVisit()}, and your handler read no quakes from the feed.`,
          expected:
            'Expected your handler to read a few quakes from the feed, because the response has room for them.',
        })
        await turns(5)
      },
      async leaveEarly() {
        login.shut()
        client.request(path)
        await t.waitFor(() => login.waiting > 0, {
          seen: 'The request did not reach the login.',
          expected: 'Expected the request to arrive.',
        })
        client.disconnect()
        await isGone()
        login.open()
      },
    })
    client.close()
    await isGone()
    server.unblockNetwork(SILENT)
    count += 1

    async function isGone(): Promise<void> {
      await t.waitFor(() => server.connections === before, {
        seen: `${tellVisit()}, but the server kept its side of the connection open.`,
        expected: 'Expected the server to close its side as well.',
      })
    }
  }

  return {
    server,
    use(feed) {
      current = feed
    },
    async visit() {
      for (let round = 0; round < sampleSize(rounds); round += 1) {
        for (const ending of ENDINGS) {
          if (ending.isEnd && isOverAtEnd) continue
          if (only && only !== (ending.isUnusual ? 'unusual' : 'ordinary')) continue
          if (round < (ending.times ?? OFTEN)) await play(ending)
        }
      }
      t.transcript.step(`${count} clients connect and disconnect, one after another`)
      await t.waitFor(() => openFeeds() === 0, {
        seen: () =>
          `${count} clients had disconnected, but the feed was still open for ${openFeeds()} of them.`,
        expected: 'Expected the feed to close for each client that has disconnected.',
      })
    },
  }
}

type Ending = {
  /** The predicate of a sentence whose subject is the client. */
  name: string
  /** Whether the connection ends because the feed ends. */
  isEnd?: boolean
  /** Whether only edge cases cover visits that end this way. */
  isUnusual?: boolean
  /** The number of visits that end this way; by default, a dozen. */
  times?: number
  end(visit: Visit): Promise<void>
}

type Visit = {
  path: string
  client: RawClient
  feed: ControlledFeed
  /** Sends a request and reads the head of the response. */
  request(options?: RequestOptions): Promise<void>
  /** Sends a GET request, and waits until the handler asks the feed for a quake. */
  open(options?: RequestOptions): Promise<void>
  /** Stops reading until the response is full. */
  stall(): Promise<void>
  /** Sends a request, and disconnects while middleware is still delaying the request. */
  leaveEarly(): Promise<void>
}

const OFTEN = 12

/** The number of visits for each of two kinds that end in nearly the same way. Together, they are a dozen. */
const HALF_AS_OFTEN = 6
const SOMETIMES = 4

const ENDINGS: Ending[] = [
  {
    name: 'disconnected while the feed was silent',
    async end({ open, client }) {
      await open()
      client.disconnect()
    },
  },
  {
    name: 'disconnected after it had received a quake',
    times: HALF_AS_OFTEN,
    async end({ open, client, feed }) {
      await open({ version: '1.0' })
      await getsQuake(client, feed)
      client.disconnect()
    },
  },
  {
    name: 'stopped reading and disconnected',
    async end({ open, stall, client }) {
      await open()
      await stall()
      client.disconnect()
    },
  },
  {
    name: 'disconnected before it was served',
    isUnusual: true,
    end: ({ leaveEarly }) => leaveEarly(),
  },
  {
    name: 'disconnected as soon as it had sent its request',
    times: HALF_AS_OFTEN,
    async end({ client, feed, path }) {
      client.request(path)
      feed.release(...quakes(1))
      client.disconnect()
    },
  },
  {
    name: 'sent a HEAD request',
    isUnusual: true,
    end: ({ request }) => request({ method: 'HEAD' }),
  },
  {
    name: 'sent a POST request',
    isUnusual: true,
    times: 2,
    end: ({ request }) => request({ method: 'POST' }),
  },
  {
    name: 'was connected when the feed failed',
    times: HALF_AS_OFTEN,
    async end({ open, client, feed }) {
      await open()
      await getsQuake(client, feed)
      feed.fail('no word from the network')
      await ended(client)
    },
  },
  {
    name: 'was connected when the feed failed before its first quake',
    times: HALF_AS_OFTEN,
    async end({ open, client, feed }) {
      await open()
      feed.fail('no word from the network')
      await ended(client)
    },
  },
  {
    name: 'had stopped reading when the feed failed, and then disconnected',
    times: SOMETIMES,
    async end({ open, stall, client, feed }) {
      await open()
      await stall()
      feed.fail('no word from the network')
      client.disconnect()
    },
  },
  {
    name: 'was connected when the feed ended',
    isEnd: true,
    times: SOMETIMES,
    async end({ open, client, feed }) {
      await open()
      await getsQuake(client, feed)
      feed.end()
      await ended(client)
    },
  },
  {
    name: 'sent a dozen requests on one connection, and saw the feed end each time',
    isEnd: true,
    times: 1,
    async end({ request, client, feed }) {
      feed.release(...quakes(1))
      feed.end()
      for (let n = 0; n < OFTEN; n += 1) {
        await request()
        await ended(client)
      }
    },
  },
  {
    name: 'had stopped reading when the feed ended, and then disconnected',
    isEnd: true,
    times: SOMETIMES,
    async end({ open, stall, client, feed }) {
      await open()
      await stall()
      feed.end()
      client.disconnect()
    },
  },
]

async function getsQuake(client: RawClient, feed: ControlledFeed): Promise<void> {
  const [quake] = quakes(1)
  feed.release(quake)
  await client.body((text) => text.includes(quake.id), {
    seen: 'A quake happened, but it did not reach the client.',
    expected: 'Expected the client to get the quake.',
  })
}

async function ended(client: RawClient): Promise<void> {
  await client.ended({
    seen: 'The feed ended or failed, but the response stayed open.',
    expected: 'Expected the response to end.',
  })
}
