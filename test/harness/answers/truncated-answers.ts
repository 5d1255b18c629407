import { createServer, type Socket } from 'node:net'
import { listenOnFreePort } from '../../../wire/listen.ts'
import type { Tools } from '../check.ts'
import { turns } from '../event-loop.ts'
import { parseEvents } from '../event-stream-parser.ts'
import { deepEqual } from '../equality.ts'
import { must } from '../failure.ts'
import { sampleEvery } from '../sampling.ts'
import { excerpt, excerptJson, newTranscript, SILENT } from '../transcript.ts'
import { waiting } from '../waiting.ts'
import { startAsking, type Asking } from './asking.ts'
import { endEvent, tokenEvent } from './events.ts'

/** How the response to the first request ends too early. */
export type Truncation = {
  /** The number of bytes of the body that arrive. If negative, the connection is cut in the head. */
  after: number
  /** `cut` closes the connection in the middle of a chunk. `end` ends the response as if the body were complete. */
  how: 'cut' | 'end'
}

const TOKENS = ['Hel', 'lo', ' 🌍'] as const

const BODY = Buffer.from(
  TOKENS.map((token, n) => tokenEvent(n + 1, token)).join('') +
    endEvent('done', { tokens: TOKENS.length }),
)

const FIELDS = 'Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n'

/** The head of a response that is cut. If it announced the close, fetch() would take the cut for a normal end. */
const HEAD = Buffer.from(`HTTP/1.1 200 OK\r\n${FIELDS}\r\n`)

/** The head of a response that ends normally. */
const LAST_HEAD = Buffer.from(`HTTP/1.1 200 OK\r\nConnection: close\r\n${FIELDS}\r\n`)

/** Returns a truncation of each length: in the body after each byte, and in the head now and then. */
export function truncations(how: Truncation['how']): Truncation[] {
  const inHead = Array.from({ length: HEAD.length }, (_, n) => -1 - n)
  const inBody = Array.from({ length: BODY.length + 1 }, (_, n) => n)
  return [...(how === 'cut' ? inHead.filter((n) => n % ONE_IN_A_HEAD === 0) : []), ...inBody]
    .filter((_, n) => n % sampleEvery() === 0)
    .map((after) => ({ after, how }))
}

/** The number of bytes between two cuts in a head. A few cuts are enough there, because no event has begun. */
const ONE_IN_A_HEAD = 16

/** Asks once for each truncation, with the learner's client, and passes the result to `judge`. */
export async function askTruncated(
  t: Tools,
  all: readonly Truncation[],
  options: { id?: string; resumes?: number },
  judge: (run: TruncatedRun) => Promise<void>,
): Promise<void> {
  const server = await truncatingServer(t)
  for (const truncation of all) {
    // Of the many runs, the transcript shows only the one that fails.
    const transcript = newTranscript()
    const received: string[] = []
    const { url, requests } = server.urlFor(truncation, received)
    const onToken = (token: string): void => void received.push(token)
    const asking = startAsking({ ...t, transcript, abort() {} }, url, { ...options, onToken })
    transcript.step(describeTruncation(truncation))
    try {
      await judge({ asking, requests, truncation, ...arrivedOf(truncation) })
    } catch (error) {
      t.transcript.append(transcript)
      throw error
    }
  }
  t.transcript.step(
    `the client asked ${all.length} times, and each response was truncated at another byte`,
  )
}

/** A question whose response was truncated. */
export type TruncatedRun = {
  asking: Asking
  requests: readonly string[]
  truncation: Truncation
  /** The tokens that arrived before the truncation. */
  tokens: string[]
  /** Whether the event named done arrived before the truncation. */
  isDone: boolean
}

/** Requires that a client that resumes once gets every token once, with a single POST. */
export async function mustResume({
  asking,
  requests,
  truncation,
  tokens,
  isDone,
}: TruncatedRun): Promise<void> {
  const where = describeTruncation(truncation)
  await asking.mustBe({ name: 'complete' }, where, {
    wrong: 'your client fetches the rest only after some endings.',
  })
  const cursor = tokens.length === 0 ? '' : `, Last-Event-ID: ${tokens.length}`
  const wanted = ['POST /answers', ...(isDone ? [] : [`GET /answers/a${cursor}`])]
  must(deepEqual(requests, wanted), {
    seen: `${where}, and ask() sent ${requests.join(', then ')}.`,
    expected: `Expected ${wanted.join(', then ')}.`,
    ...(requests.filter((request) => request.startsWith('POST')).length > 1 && {
      often: 'your client asks again, so the answer is generated, and paid for, twice.',
    }),
  })
  must(deepEqual(asking.tokens, TOKENS), {
    seen: `${where}. ask() fetched the rest, and called onToken() with ${excerptJson(asking.tokens)}.`,
    expected: `Expected each token once: ${excerptJson(TOKENS)}.`,
  })
}

/** A server whose first response to each client is truncated, and whose further responses contain the rest. */
type TruncatingServer = {
  /** Returns the address of `/answers` for a client whose first response is truncated like this. */
  urlFor(
    truncation: Truncation,
    received: readonly string[],
  ): { url: string; requests: readonly string[] }
}

/** Serves a short answer until the script ends. */
async function truncatingServer(t: Tools): Promise<TruncatingServer> {
  const runs: { truncation: Truncation; received: readonly string[]; requests: string[] }[] = []
  const clients = new Set<Socket>()
  const server = createServer({ noDelay: true }, (client) => {
    clients.add(client)
    // Ignore the error, because a 'close' event follows.
    client.on('error', () => {})
    client.on('close', () => clients.delete(client))
    let request = ''
    let isAnswered = false
    client.on('data', (bytes) => {
      request += bytes.toString('latin1')
      if (isAnswered || !isWhole(request)) return
      isAnswered = true
      void answer(client, request)
    })
  })

  async function answer(client: Socket, request: string): Promise<void> {
    const [, method, n, path] = /^(\w+) \/(\d+)(\/\S*)/.exec(request)!
    const run = runs[Number(n)]!
    const cursor = /^last-event-id: *(.*)\r$/im.exec(request)?.[1]
    run.requests.push(
      `${method} ${path}${cursor === undefined ? '' : `, Last-Event-ID: ${cursor}`}`,
    )
    if (run.requests.length > 1) {
      client.end(Buffer.concat([LAST_HEAD, chunk(bodyAfter(Number(cursor ?? 0))), LAST]))
      return
    }
    const { after, how } = run.truncation
    if (after < 0) {
      client.end(HEAD.subarray(0, after))
      return
    }
    const sent = BODY.subarray(0, after)
    // In a cut response, the chunk is larger than what arrives of it.
    const pieces =
      how === 'end'
        ? [LAST_HEAD, ...(after > 0 ? [chunk(sent)] : []), LAST]
        : [HEAD, chunk(BODY).subarray(0, sizeLine(BODY).length + after)]
    client.write(Buffer.concat(pieces))
    if (how === 'cut') {
      // A response that fails discards its unread bytes, so the client first has to read everything.
      const { tokens } = arrivedOf(run.truncation)
      const untold = { seen: '', expected: '' }
      const hasRead = (): boolean => run.received.length >= tokens.length
      await waiting(SILENT, A_MOMENT)
        .waitFor(hasRead, untold)
        .catch(() => {})
      await turns(5)
    }
    client.end()
  }

  const port = await listenOnFreePort(server)
  t.atEnd(() => {
    for (const client of clients) client.destroy()
    return new Promise((closed) => server.close(closed))
  })
  return {
    urlFor(truncation, received) {
      const run = { truncation, received, requests: [] }
      runs.push(run)
      return { url: `http://127.0.0.1:${port}/${runs.length - 1}/answers`, requests: run.requests }
    },
  }
}

/** The number of turns of 50 ms to wait for a client that does not read. */
const A_MOMENT = 10

/** Returns the tokens that are complete in a truncated body, and whether the event that ends the answer is. */
function arrivedOf({ after }: Truncation): { tokens: string[]; isDone: boolean } {
  const { events } = parseEvents(BODY.subarray(0, Math.max(0, after)).toString())
  return {
    tokens: events.filter(({ type }) => type === 'message').map(({ data }) => JSON.parse(data)),
    isDone: events.some(({ type }) => type === 'done'),
  }
}

/** Describes a truncation: `The response was cut after byte 20 of its body, after id: 2␊da`. */
export function describeTruncation({ after, how }: Truncation): string {
  if (after < 0) return 'The connection was cut inside the head of the response'
  const what = how === 'cut' ? 'The connection was cut' : 'The response ended normally'
  if (after === 0) return `${what} after the head`
  const tail = excerpt(BODY.subarray(Math.max(0, after - 16), after).toString())
  return `${what} after byte ${after} of ${BODY.length} of the body, after “${tail}”`
}

function bodyAfter(token: number): Buffer {
  const events = BODY.toString().split(/(?<=\n\n)/)
  return Buffer.from(events.slice(token).join(''))
}

function isWhole(request: string): boolean {
  const end = request.indexOf('\r\n\r\n')
  const length = /^content-length: *(\d+)\r$/im.exec(request)?.[1]
  if (end === -1) return false
  if (length !== undefined) return request.length >= end + 4 + Number(length)
  return !/^transfer-encoding: *chunked/im.test(request) || request.endsWith('0\r\n\r\n')
}

const LAST = Buffer.from('0\r\n\r\n')

function chunk(bytes: Buffer): Buffer {
  return Buffer.concat([sizeLine(bytes), bytes, Buffer.from('\r\n')])
}

function sizeLine({ length }: Buffer): Buffer {
  return Buffer.from(`${length.toString(16)}\r\n`)
}
