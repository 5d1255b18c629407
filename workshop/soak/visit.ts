import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { TOKENS } from './app-of.ts'

/** Connects a client that behaves in a random way, and resolves when it has disconnected. Disconnects early on abort. */
export async function visit(port: number, lesson: number, signal: AbortSignal): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
  // Ignore the error, because a 'close' event follows.
  socket.on('error', () => {})
  const closed = new Promise((resolve) => socket.once('close', resolve))
  const leave = (): void => void socket.destroy()
  signal.addEventListener('abort', leave, { once: true })
  try {
    await one(BEHAVIOURS)(socket, lesson)
  } finally {
    signal.removeEventListener('abort', leave)
    socket.destroy()
    await closed
  }
}

type Behaviour = (socket: Socket, lesson: number) => Promise<void>

const BEHAVIOURS: readonly Behaviour[] = [
  async function readsAndLeaves(socket, lesson) {
    socket.write(requestFor(lesson))
    await reads(socket, 8)
    socket.end()
  },
  async function disconnectsWithoutAWord(socket, lesson) {
    socket.write(requestFor(lesson))
    await reads(socket, 4)
    // Sends a reset instead of an orderly end.
    socket.resetAndDestroy()
  },
  async function leavesAtOnce(socket, lesson) {
    socket.write(requestFor(lesson), () => socket.destroy())
    await ended(socket, 1)
  },
  async function stalls(socket, lesson) {
    socket.write(requestFor(lesson))
    socket.pause()
    await ended(socket, 60)
  },
  async function stallsAndReadsAgain(socket, lesson) {
    socket.write(requestFor(lesson))
    socket.pause()
    await ended(socket, 40)
    await reads(socket, 5)
  },
  async function endsItsHalf(socket, lesson) {
    socket.end(requestFor(lesson))
    await reads(socket, 4)
  },
  async function sendsHalfARequest(socket, lesson) {
    const whole = requestFor(lesson)
    socket.write(whole.slice(0, Math.floor(Math.random() * whole.length)))
    await reads(socket, 4)
  },
  async function sendsBytesOneByOne(socket, lesson) {
    for (const byte of requestFor(lesson)) {
      socket.write(byte)
      await sleep(5)
    }
    await reads(socket, 3)
  },
  async function sendsTwoRequestsAtOnce(socket, lesson) {
    // Not two streams: Node emits no 'close' for a response that waits for the end of another on the same connection.
    socket.write(requestFor(lesson, { method: 'HEAD' }) + requestFor(lesson))
    await reads(socket, 3)
  },
  async function asksForTheHead(socket, lesson) {
    socket.write(requestFor(lesson, { method: 'HEAD' }))
    await reads(socket, 1)
  },
  async function usesAWrongMethod(socket, lesson) {
    // Of the body, only the first bytes are sent.
    const method = one(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])
    socket.write(`${requestFor(lesson, { method, headers: ['Content-Length: 100'] })}{"half`)
    await reads(socket, 2)
  },
  async function liesAboutItsCursor(socket, lesson) {
    socket.write(requestFor(lesson, { headers: [`Last-Event-ID: ${one(LIES)}`] }))
    await reads(socket, 3)
  },
  async function asksForSomethingElse(socket, lesson) {
    socket.write(otherRequestFor(lesson))
    await reads(socket, 2)
  },
]

const LIES = [
  '0',
  '-1',
  '99999999999999',
  'nc75000000',
  '0-0',
  '18446744073709551616-0',
  '$',
  'é',
].concat(['5', '1716200000000-0', 'x'.repeat(4000), ''])

function requestFor(
  lesson: number,
  { method = 'GET', headers = [] }: { method?: string; headers?: string[] } = {},
): string {
  if (lesson !== 7) {
    const policy = lesson === 8 ? `?when_slow=${one(POLICIES)}` : ''
    return request(`${method} /events${policy}`, headers)
  }
  return request(`${method} /stream?backfill_minutes=${one(['0', '1', '5'])}`, [
    `Authorization: Bearer ${one(TOKENS)}`,
    ...headers,
  ])
}

const POLICIES = ['drop-oldest', 'latest', 'disconnect', 'nonsense']

/** Returns a request for what a lesson serves besides its stream, or for a path that does not exist. */
function otherRequestFor(lesson: number): string {
  if (lesson === 4) return request('GET /week.json', ['Accept-Encoding: gzip'])
  if (lesson !== 7) return request('GET /nothing')
  const change = one([
    { add: [{ value: 'magnitude >= 0' }] },
    { delete: { ids: ['1'] } },
    { add: 1 },
  ])
  const body = JSON.stringify(change)
  return request(
    'POST /stream/rules',
    [
      `Authorization: Bearer ${one([...TOKENS, 'wrong'])}`,
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
    ],
    body,
  )
}

function request(line: string, headers: string[] = [], body = ''): string {
  return [`${line} HTTP/1.1`, 'Host: 127.0.0.1', ...headers, '', body].join('\r\n')
}

/** Reads for a random time of at most this many seconds, or until the server disconnects. */
async function reads(socket: Socket, seconds: number): Promise<void> {
  socket.resume()
  await ended(socket, seconds)
}

/** Waits for a random time of at most this many seconds, or until the connection ends. */
async function ended(socket: Socket, seconds: number): Promise<void> {
  if (socket.closed || socket.readableEnded) return
  const waited = new AbortController()
  const stop = (): void => waited.abort()
  socket.once('close', stop).once('end', stop)
  await sleep(Math.random() * seconds * 1000, undefined, { signal: waited.signal }).catch(() => {})
  socket.off('close', stop).off('end', stop)
}

function one<T>(choices: readonly T[]): T {
  return choices[Math.floor(Math.random() * choices.length)]!
}
