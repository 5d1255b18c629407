import type { Response } from 'express'
import type { Entry } from '#work/05-replay/history.ts'
import { createApp, type ServerOptions } from '#work/05-replay/server.ts'
import type { Tools } from '../check.ts'
import { turns } from '../event-loop.ts'
import { must } from '../failure.ts'
import { gate } from '../gate.ts'
import { LARGE, largeQuakes, quakes } from '../quakes.ts'
import { RawClient } from '../raw-client.ts'
import type { TestServer } from '../serve.ts'
import { SILENT } from '../transcript.ts'
import { fakeHistory, type FakeHistory } from './fake-history.ts'
import { PATH } from './subscriber.ts'

/** A server with its history, and clients that connect and disconnect one after another. */
export type VisitedServer = {
  readonly server: TestServer
  readonly history: FakeHistory
  /** The number of bytes that are queued in the last response. */
  readonly queued: number
  /** Lets clients disconnect in every possible way, `rounds` times each. Returns the entries that the history then keeps. */
  visit(rounds: number): Promise<Entry[]>
}

export async function visitedServer(t: Tools, options: ServerOptions): Promise<VisitedServer> {
  const history = fakeHistory(SILENT, { capacity: VISITED_CAPACITY })
  history.append(...quakes(VISITED_CAPACITY))
  const login = gate()
  let last: Response | undefined
  const server = await t.serve(createApp(history, options), (request, response, next) => {
    last = response
    login.handler(request, response, next)
  })
  let count = 0

  async function play({ how, end }: Ending): Promise<void> {
    const before = server.connections
    // The transcript contains only the result, because there are dozens of similar steps.
    const client = new RawClient(server.port, { transcript: SILENT, waiting: t })
    const request = async (lastEventId?: string, method = 'GET'): Promise<void> => {
      const story = {
        seen: `After ${count} clients had connected and disconnected, the next client got no response head.`,
        expected: 'Expected the server to answer that client like the first one.',
      }
      const { status } = await client.get(PATH, story, { lastEventId, method })
      must(status === 200, {
        seen: `After ${count} clients had connected and disconnected, the next client was answered with status ${status}.`,
        expected: 'Expected status 200, as for the first client.',
        often: 'your code keeps the state of one client in a variable outside the handler.',
      })
    }
    await end({ client, history, server, login, request, waitFor: t.waitFor })
    client.close()
    await t.waitFor(() => server.connections === before, {
      seen: `Client ${count + 1} ${how}, but the server kept the connection.`,
      expected: 'Expected the server to close its side as well.',
    })
    server.unblockNetwork(SILENT)
    count += 1
  }

  return {
    server,
    history,
    get queued() {
      return last!.writableLength
    },
    async visit(rounds) {
      for (let round = 0; round < rounds; round += 1) {
        for (const ending of ENDINGS) await play(ending)
      }
      t.transcript.step(`${count} clients connect and disconnect, in nine different ways`)
      // Append quakes that evict the large entries.
      return history.append(...quakes(VISITED_CAPACITY))
    },
  }
}

/** The number of quakes that the history keeps. */
const VISITED_CAPACITY = 4

type Ending = {
  /** The end of a sentence that begins with the name of the client. */
  how: string
  end(visit: Visit): Promise<void>
}

type Visit = Pick<Tools, 'waitFor'> & {
  client: RawClient
  history: FakeHistory
  server: TestServer
  login: ReturnType<typeof gate>
  /** Sends a request, and reads the head of the response. */
  request(lastEventId?: string, method?: string): Promise<void>
}

const ENDINGS: Ending[] = [
  {
    how: 'disconnected while nothing happened',
    async end({ request, history, client }) {
      await request()
      await receives(client, history.append(...quakes(1))[0].id)
    },
  },
  {
    how: 'disconnected before it had read anything',
    async end({ client, history }) {
      client.request(PATH)
      history.append(...quakes(1))
    },
  },
  {
    how: 'disconnected before your handler was called',
    async end({ client, login, server, waitFor }) {
      login.shut()
      client.request(PATH)
      await waitFor(() => login.waiting > 0, NEVER_ASKED)
      const before = server.connections
      client.disconnect()
      await waitFor(() => server.connections < before, NEVER_ASKED)
      login.open()
    },
  },
  {
    how: 'had an unknown ID, and disconnected',
    async end({ request, history, client }) {
      await request('of-another-life')
      await receives(client, history.append(...quakes(1))[0].id)
    },
  },
  { how: 'sent a HEAD request', end: ({ request }) => request(undefined, 'HEAD') },
  {
    how: 'stopped reading, and disconnected',
    async end({ request, history, server, client }) {
      await request()
      await receives(client, history.append(...quakes(1))[0].id)
      server.blockNetwork(SILENT)
      history.append(...largeQuakes(2, LARGE / 4))
      await turns(5)
    },
  },
  {
    how: 'stopped reading, read again, and disconnected',
    async end({ request, history, server, client }) {
      await request()
      server.blockNetwork(SILENT)
      history.append(...largeQuakes(1, LARGE / 4))
      await turns(5)
      server.unblockNetwork(SILENT)
      history.append(...quakes(VISITED_CAPACITY - 1))
      await receives(client, history.append(...quakes(1))[0].id)
    },
  },
  {
    how: 'disconnected while the history was being read',
    async end({ request, history, client, server, waitFor }) {
      history.blockReads('as it was')
      await request()
      await waitFor(() => history.blockedReads > 0, NEVER_ASKED)
      const before = server.connections
      client.disconnect()
      await waitFor(() => server.connections < before, NEVER_ASKED)
      history.unblockReads()
    },
  },
  {
    how: 'was connected when the history failed',
    async end({ history, client }) {
      history.failNext('the disk is gone')
      client.request(PATH)
      await client.ended({
        seen: 'The history could not be read, but the response stayed open.',
        expected: 'Expected the connection to be cut.',
      })
    },
  },
]

const NEVER_ASKED = { seen: 'No request arrived.', expected: 'Expected a request.' }

/** Reads the events up to the one with the given ID. */
async function receives({ events }: RawClient, id: string): Promise<void> {
  const story = {
    seen: `Quake "${id}" happened, but did not reach the client.`,
    expected: 'Expected each quake to arrive as an event.',
  }
  while ((await events.next(story)).lastEventId !== id);
}
