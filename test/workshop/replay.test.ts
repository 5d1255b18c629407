import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { get, request as ask, type IncomingMessage, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { serializeHar } from '../../wire/har.ts'
import { listenOnFreePort } from '../../wire/listen.ts'
import { serializeRecording } from '../../wire/recording.ts'
import type { Clock } from '../../workshop/replay/clock.ts'
import { fastClock, realClock } from '../../workshop/replay/clock.ts'
import { replayServer } from '../../workshop/replay/replay-server.ts'
import { readSaved } from '../../workshop/replay/saved-response.ts'
import { ROOT } from '../../workshop/root.ts'
import { chunk, scripted, type Scripted } from './recorded.ts'

const folder = mkdtempSync(join(realpathSync(tmpdir()), 'replay '))
afterAll(() => rmSync(folder, { recursive: true }))

let servers: Server[] = []
afterEach(() => {
  for (const server of servers) {
    server.close()
    server.closeAllConnections()
  }
  servers = []
})

const SSE =
  'HTTP/1.1 200 Fine\r\nContent-Type: text/event-stream\r\nX-a: 1\r\nX-A: 2\r\nTransfer-Encoding: chunked\r\n\r\n'

describe.each(['ndjson', 'har'] as const)('from a .%s file', (format) => {
  test('a stream has its status, its headers, its parts and its pauses', async () => {
    const wire = scripted()
    stream(wire, 1, 'GET /events?a=1', [20, 50, 500])
    const clock = steppedClock()
    const url = await serving(saved(wire, format), clock)
    const { response, parts, end } = await read(`${url}/events?a=1`)
    expect([response.statusCode, response.statusMessage]).toEqual([200, 'Fine'])
    expect(response.rawHeaders.slice(0, 6)).toEqual([
      'Content-Type',
      'text/event-stream',
      'X-a',
      '1',
      'X-A',
      '2',
    ])
    expect(parts.join('')).toBe('data: 20\n\ndata: 50\n\ndata: 500\n\n')
    expect(end).toBe('end')
    // The head after 5 ms, the parts, and the end with the last part.
    expect(clock.waits.map(Math.round)).toEqual([5, 15, 30, 450])
  })

  test.each([
    ['the server', 'server', 'reset', 'ECONNRESET'],
    ['the workshop', 'workshop', 'ended', 'ECONNRESET'],
  ] as const)('a stream that %s cut is cut', async (_who, by, how, code) => {
    const wire = scripted()
    stream(wire, 1, 'GET /events', [20], { isOpen: true })
    wire.close(1, 30, by, how)
    const clock = steppedClock()
    const { parts, end } = await read(`${await serving(saved(wire, format), clock)}/events`)
    expect([parts.join(''), end]).toEqual(['data: 20\n\n', code])
    expect(clock.waits.map(Math.round)).toEqual([5, 15, 10])
  })

  test('each client gets its own replay, and several responses are sent in turn', async () => {
    const wire = scripted()
    stream(wire, 1, 'GET /events', [1])
    stream(wire, 2, 'GET /events', [2])
    stream(wire, 3, 'POST /events', [3])
    const url = await serving(saved(wire, format))
    const got: string[] = []
    for (let n = 0; n < 3; n += 1) got.push((await read(`${url}/events`)).parts.join('').trim())
    got.push((await read(`${url}/events`, 'POST')).parts.join('').trim())
    expect(got).toEqual(['data: 1', 'data: 2', 'data: 2', 'data: 3'])
  })
})

test('a stream that was still open stays open', async () => {
  const wire = scripted()
  stream(wire, 1, 'GET /events', [20], { isOpen: true })
  const file = saved(wire, 'ndjson')
  expect(readSaved(file, file).responses[0]!.end).toBe('open')
  const url = await serving(file)
  const response = await new Promise<IncomingMessage>((resolve) => get(`${url}/events`, resolve))
  const [part] = await response.take(1).toArray()
  expect(String(part)).toBe('data: 20\n\n')
  // The other answer shows that time has passed.
  expect((await read(`${url}/none`)).response.statusCode).toBe(404)
  expect(response.readableEnded).toBe(false)
})

test('a body that ends with the connection ends that way again', async () => {
  const wire = scripted()
  wire.open(1)
  wire.say(1, 0, 'request', 'GET /old HTTP/1.0\r\n\r\n')
  wire.say(1, 1, 'response', 'HTTP/1.0 200 OK\r\n\r\nall')
  wire.close(1, 2, 'server', 'ended')
  const { response, parts, end } = await read(`${await serving(saved(wire, 'ndjson'))}/old`)
  expect([parts.join(''), end]).toEqual(['all', 'end'])
  expect(response.headers).toEqual({ connection: 'close' })
})

test('a header that Node does not send ends the connection, and the replay goes on', async () => {
  const wire = scripted()
  wire.open(1)
  wire.say(1, 0, 'request', 'GET /bad HTTP/1.1\r\nHost: x.test\r\n\r\n')
  wire.say(1, 1, 'response', 'HTTP/1.1 200 OK\r\nX: a\x01b\r\nContent-Length: 0\r\n\r\n')
  stream(wire, 2, 'GET /events', [1])
  const url = await serving(saved(wire, 'ndjson'))
  await expect(read(`${url}/bad`)).rejects.toThrow('socket hang up')
  expect((await read(`${url}/events`)).parts.join('')).toBe('data: 1\n\n')
})

test('another request gets 404, and a list of what there is', async () => {
  const wire = scripted()
  stream(wire, 1, 'GET /events?a=1', [1])
  const url = await serving(saved(wire, 'ndjson'))
  const { response, parts } = await read(`${url}/other`)
  expect(response.statusCode).toBe(404)
  expect(parts.join('')).toBe(
    'The file contains no response to this request. It contains:\nGET /events?a=1\n',
  )
  expect((await read(`${url}/events?b=2`)).parts.join('')).toBe('data: 1\n\n')
})

test('a recording of a slide is replayed in real time', async () => {
  const file = join(ROOT, 'slides/recordings/loses-and-returns.ndjson')
  const [first] = readSaved(file, file).responses
  const url = await serving(file, realClock)
  const began = performance.now()
  const { end } = await read(`${url}/events`)
  const took = performance.now() - began
  expect(end).toBe('ECONNRESET')
  // A timer is never early by more than a millisecond for each wait. The upper limit allows for a busy machine.
  expect(took).toBeGreaterThan(first!.endAt - 10)
  expect(took).toBeLessThan(first!.endAt + 2000)
})

test.each([
  ['no file', undefined, /^There is no file /],
  ['something else', '{"a":1}', /is not a recording of the wire/],
  ['an empty recording', FIRST(), 'This recording is empty.'],
  ['a broken line', `${FIRST()}{"n":1,`, 'Line 2 of this recording is broken.'],
  ['an empty HAR file', '{"log":{"entries":[]}}', 'This HAR file has no entries.'],
  ['a broken entry', '{"log":{"entries":[{}]}}', 'The entry 1 of this HAR file is broken.'],
  [
    'a HAR file of another program',
    har({ response: { status: 200, headers: [], content: {} } }),
    /There is no response to replay in .*: \/a does not say when its chunks arrived/,
  ],
  [
    'a compressed response',
    har({
      _chunks: [],
      response: {
        status: 200,
        headers: [{ name: 'Content-Encoding', value: 'gzip' }],
        content: {},
      },
    }),
    /\/a was compressed, and a HAR file contains only the decompressed text/,
  ],
])('%s is refused with an explanation', (_case, text, says) => {
  const file = join(folder, `${crypto.randomUUID()}.ndjson`)
  if (text !== undefined) writeFileSync(file, text)
  expect(() => readSaved(file, file)).toThrow(says)
})

test.each(['ndjson', 'har'] as const)('a .%s file with only a WebSocket is refused', (format) => {
  const wire = scripted()
  wire.open(1)
  wire.say(1, 0, 'request', 'GET /chat HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n')
  wire.say(1, 1, 'response', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n')
  wire.say(1, 2, 'response', '\x81\x02Hi')
  expect(() => readSaved(saved(wire, format), 'x')).toThrow(
    'There is no response to replay in x: /chat became a WebSocket.',
  )
})

/** Records a response with an event at each time. */
function stream(
  wire: Scripted,
  connection: number,
  asks: string,
  times: number[],
  { isOpen = false } = {},
): void {
  wire.open(connection)
  wire.say(connection, 0, 'request', `${asks} HTTP/1.1\r\nHost: x.test\r\n\r\n`)
  wire.say(connection, 5, 'response', SSE)
  for (const at of times) {
    const last = at === times.at(-1) && !isOpen ? '0\r\n\r\n' : ''
    wire.say(connection, at, 'response', chunk(`data: ${at}\n\n`) + last)
  }
}

function saved({ recorder }: Scripted, format: 'ndjson' | 'har'): string {
  const file = join(folder, `${crypto.randomUUID()}.${format}`)
  const entries = recorder.recordedAfter(0, recorder.newest)
  const { began } = recorder
  const lines =
    format === 'har' ? serializeHar({ entries, from: 1, began }) : serializeRecording(recorder)
  writeFileSync(file, [...lines].join(''))
  return file
}

async function serving(file: string, clock: Clock = fastClock): Promise<string> {
  const server = replayServer(readSaved(file, file).responses, clock)
  servers.push(server)
  return `http://127.0.0.1:${await listenOnFreePort(server)}`
}

/** A clock that jumps instead of waiting, and keeps the lengths of the waits. */
function steppedClock(): Clock & { waits: number[] } {
  let now = 0
  const waits: number[] = []
  return {
    waits,
    now: () => now,
    async wait(ms) {
      waits.push(ms)
      now += ms
    },
  }
}

/** Reads a response until its end. `end` is the code of the error if the response was cut. */
function read(
  url: string,
  method = 'GET',
): Promise<{ response: IncomingMessage; parts: string[]; end: string }> {
  return new Promise((resolve, reject) => {
    const req = ask(url, { method, agent: false }, (response) => {
      const parts: string[] = []
      response.on('data', (part) => parts.push(String(part)))
      response.once('end', () => resolve({ response, parts, end: 'end' }))
      // Node reports a reset at the request, the response, or both.
      for (const emitter of [req, response]) {
        emitter.on('error', ({ code }: NodeJS.ErrnoException) =>
          resolve({ response, parts, end: String(code) }),
        )
      }
    })
    // After the response has begun, this changes nothing.
    req.once('error', (error) => setImmediate(reject, error))
    req.end()
  })
}

function FIRST(): string {
  return '{"format":"http-streaming-workshop wire 2","from":1}\n'
}

function har(entry: object): string {
  const request = { method: 'GET', url: 'http://x.test/a' }
  return JSON.stringify({ log: { entries: [{ request, ...entry }] } })
}
