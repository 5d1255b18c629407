import { get, type IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import type { Quake } from '#feed'
import { readNdjson } from '../../solutions/01-raw-chunks/client.ts'
import { parseEventStream } from '../../solutions/02-server-sent-events/parse.ts'
import type { Answer, ClientState } from '../../protocol/page.ts'
import { quakeIn } from '../runtime/quake-in.ts'

/** A client that reads a stream of quakes. The page shows its state. */
export type PageClient = {
  readonly state: ClientState
  leave(): void
}

/**
 * Connects to `url` and reads the stream with the readers of lessons 1 and 2.
 *
 * @param options.changed called after every change of the state
 */
export function connectPageClient({
  id,
  url,
  changed,
}: {
  id: number
  url: string
  changed(): void
}): PageClient {
  const state: ClientState = { id, state: 'connecting', quakes: 0, last: [] }
  // Always open a new connection, because a reused connection would be confusing on the wire.
  const request = get(url, { agent: false, headers: { 'User-Agent': 'the lesson page' } })

  function becomes(now: ClientState['state'], what?: string): void {
    // Only the first ending counts, because an error is expected after the client has disconnected.
    if (state.state !== 'connecting' && state.state !== 'reading') return
    state.state = now
    if (what) state.what = what
    changed()
  }

  request.on('error', (error) => becomes('cut', cutShort(error)))
  request.on('response', async (response) => {
    if (response.statusCode !== 200) {
      const text = (await response.toArray()).join('').trim()
      becomes('refused', `The server answered ${response.statusCode}. ${text}`.trim())
      return
    }
    becomes('reading')
    try {
      for await (const quake of quakesOf(response)) {
        state.quakes += 1
        state.last = [quake, ...state.last].slice(0, MOST_QUAKES)
        changed()
      }
      becomes('ended', 'The server ended the response.')
    } catch (error) {
      becomes('cut', cutShort(error as NodeJS.ErrnoException))
    }
  })
  return {
    state,
    leave() {
      becomes('left')
      request.destroy()
    },
  }
}

/** All clients that the page has connected. */
export type PageClients = {
  readonly states: ClientState[]
  connect(url: string): Answer
  leave(id: number): Answer
  leaveAll(): void
}

/**
 * Creates an empty list.
 *
 * @param changed called after every change of a client's state or of the list
 */
export function pageClients(changed: () => void): PageClients {
  let clients: PageClient[] = []
  let clientsSoFar = 0
  return {
    get states() {
      return clients.map(({ state }) => state)
    },
    connect(url) {
      clientsSoFar += 1
      const client = connectPageClient({ id: clientsSoFar, url, changed })
      // Remove the oldest finished clients, but never a client that is still reading.
      const gone = clients.filter(isGone).slice(0, -MOST_GONE)
      clients = [...clients.filter((each) => !gone.includes(each)), client]
      changed()
      return { said: `Connecting client ${clientsSoFar}.` }
    },
    leave(id) {
      const client = clients.find(({ state }) => state.id === id)
      if (!client || isGone(client)) return { problem: `Client ${id} has already disconnected.` }
      client.leave()
      return { said: `Client ${id} has disconnected.` }
    },
    leaveAll() {
      for (const client of clients) client.leave()
      clients = []
      changed()
    },
  }
}

function isGone({ state }: PageClient): boolean {
  return state.state !== 'connecting' && state.state !== 'reading'
}

/** The number of finished clients that are still shown. */
const MOST_GONE = 3

async function* quakesOf(response: IncomingMessage): AsyncGenerator<Quake> {
  const body = Readable.toWeb(response) as ReadableStream<Uint8Array>
  if (!/^text\/event-stream\b/.test(response.headers['content-type'] ?? '')) {
    yield* readNdjson(body) as AsyncGenerator<Quake>
    return
  }
  for await (const { type, data } of parseEventStream(body)) {
    if (type === 'message') yield quakeIn(JSON.parse(data) as Quake)
  }
}

function cutShort({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'ECONNRESET' || message === 'aborted') return 'The connection was lost.'
  return `${message}.`
}

const MOST_QUAKES = 8
