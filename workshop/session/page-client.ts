import { randomUUID } from 'node:crypto'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import type { Quake } from '#feed'
import { legible } from '../../wire/visible.ts'
import { readNdjson } from '../../solutions/01-raw-chunks/client.ts'
import { parseEventStream } from '../../solutions/02-server-sent-events/parse.ts'
import type { Answer, ClientState, ServerState } from '../../protocol/page.ts'
import { quakeIn } from '../runtime/quake-in.ts'

/** A client that reads a stream of quakes, or the answer to a question. The page shows its state. */
export type PageClient = {
  readonly state: ClientState
  /** The client's own port. Undefined before it has connected. */
  readonly port?: number | undefined
  leave(): void
}

/**
 * Connects to `url` and reads the stream with the readers of lessons 1 and 2, which suffice for a filtered stream, too. If
 * there is a question, posts it.
 *
 * @param options.changed called after every change of the state
 */
export function connectPageClient({
  id,
  url,
  token,
  question,
  changed,
}: Asked & {
  id: number
  changed(): void
}): PageClient {
  const state: ClientState = { id, state: 'connecting', quakes: 0, last: [] }
  // Always open a new connection, because a reused connection would be confusing on the wire.
  const headers = {
    'User-Agent': 'the lesson page',
    ...(token !== undefined && { Authorization: `Bearer ${token}` }),
  }
  const request =
    question === undefined
      ? httpRequest(url, { agent: false, headers })
      : httpRequest(url, {
          agent: false,
          headers: { ...headers, ...newQuestion() },
          method: 'POST',
        })
  request.end(question === undefined ? undefined : JSON.stringify({ question }))

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
      const text = legible((await response.toArray()).join('').trim())
      becomes('refused', `The server answered ${response.statusCode}. ${text}`.trim())
      return
    }
    becomes('reading')
    try {
      becomes('ended', await (question === undefined ? readQuakes : readAnswer)(response))
    } catch (error) {
      becomes('cut', cutShort(error as NodeJS.ErrnoException))
    }
  })
  /** Reads quakes until the response ends, and returns a sentence about its end. */
  async function readQuakes(response: IncomingMessage): Promise<string> {
    for await (const quake of quakesOf(response)) {
      state.quakes += 1
      state.last = [quake, ...state.last].slice(0, MOST_QUAKES)
      changed()
    }
    return 'The server ended the response.'
  }

  /** Reads tokens until the response ends, and returns a sentence about its end. */
  async function readAnswer(response: IncomingMessage): Promise<string> {
    let end = 'without an event that ends the answer'
    let answer = { tokens: 0, text: '' }
    for await (const { type, data } of parseEventStream(bodyOf(response))) {
      if (type === 'message') {
        answer = { tokens: answer.tokens + 1, text: answer.text + JSON.parse(data) }
        state.answer = answer
        changed()
      } else {
        end = `after the event named "${type}"`
      }
    }
    return `The response ended ${end}.`
  }

  return {
    state,
    get port() {
      return request.socket?.localPort
    },
    leave() {
      becomes('left')
      request.destroy()
    },
  }
}

/** Returns the headers of a question that has not been asked before. */
function newQuestion(): Record<string, string> {
  return { 'Content-Type': 'application/json', 'Idempotency-Key': randomUUID() }
}

/** The parts of a server's state that a client needs to know. */
type Asked = Pick<ServerState, 'url' | 'token' | 'question'>

/** All clients that the page has connected. */
export type PageClients = {
  readonly states: ClientState[]
  connect(server: Asked): Answer
  leave(id: number): Answer
  leaveAll(): void
}

/**
 * Creates an empty list.
 *
 * @param options.changed called after every change of a client's state or of the list
 * @param options.processOf returns the process that serves the client with this port, in a lesson with several processes
 */
export function pageClients({
  changed,
  processOf,
}: {
  changed(): void
  processOf(port: number): string | undefined
}): PageClients {
  let clients: PageClient[] = []
  let clientsSoFar = 0

  function stateOf({ state, port }: PageClient): ClientState {
    const process = port === undefined ? undefined : processOf(port)
    return { ...state, ...(process !== undefined && { process }) }
  }

  return {
    get states() {
      return clients.map(stateOf)
    },
    connect({ url, token, question }) {
      clientsSoFar += 1
      const client = connectPageClient({
        id: clientsSoFar,
        url,
        ...(token !== undefined && { token }),
        ...(question !== undefined && { question }),
        changed,
      })
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
  const body = bodyOf(response)
  if (!/^text\/event-stream\b/.test(response.headers['content-type'] ?? '')) {
    for await (const line of readNdjson(body)) {
      // In a filtered stream, a quake is in the field `data`, and other records have no such field.
      const { data, rules } = line as { data?: Quake; rules?: unknown }
      if (!rules) yield data ?? (line as Quake)
    }
    return
  }
  for await (const { type, data } of parseEventStream(body)) {
    if (type === 'message') yield quakeIn(JSON.parse(data) as Quake)
  }
}

function bodyOf(response: IncomingMessage): ReadableStream<Uint8Array> {
  return Readable.toWeb(response) as ReadableStream<Uint8Array>
}

function cutShort({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'ECONNRESET' || message === 'aborted') return 'The connection was lost.'
  return `${message}.`
}

const MOST_QUAKES = 8
