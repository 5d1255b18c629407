import { constants, createGzip, deflateRawSync, gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import type { Arrival } from '../../wire/arrival.ts'
import { assemble, type Assembled } from '../../wire/assemble.ts'
import type { Content } from '../../wire/body.ts'
import { openDecompressor } from '../../wire/decompress.ts'

const EVENTS = 'Content-Type: text/event-stream\r\n'
const CHUNKED = 'Transfer-Encoding: chunked\r\n'
const GZIP = 'Content-Encoding: gzip\r\n'

test('an event has the time of its last byte, wherever the chunks and the arrivals end', async () => {
  const { response: stream } = await assembled([
    response(EVENTS + CHUNKED, chunk('retry: 5\n\n:hel')),
    response(chunk('lo\nid: 7\nevent: quake\nda').slice(0, 9)),
    response(chunk('lo\nid: 7\nevent: quake\nda').slice(9)),
    response(`${chunk('ta: Göteborg\n')}${chunk('\ndata: a\ndata: b\n\ndata: rest')}`),
  ])
  expect(stream.body).toMatchObject({ size: 80, content: { as: 'events', count: 5 } })
  expect(itemsOf(stream.body?.content)).toEqual([
    { at: 1, kind: 'no event', text: 'retry: 5' },
    { at: 2, kind: 'comment', text: 'hello' },
    { at: 4, kind: 'quake', id: '7', text: 'Göteborg' },
    { at: 4, kind: 'message', text: 'a\nb' },
    { at: 4, kind: 'no event', text: 'data: rest', note: 'no blank line yet' },
  ])
})

test('if a compressor flushes each event, each event has the time of its own arrival', async () => {
  const gzip = createGzip()
  const flushed = async (text: string): Promise<Buffer> => {
    gzip.write(text)
    await new Promise<void>((resolve) => void gzip.flush(constants.Z_SYNC_FLUSH, resolve))
    return gzip.read() as Buffer
  }
  const { response: stream } = await assembled([
    response(EVENTS + GZIP, await flushed('data: 1\n\n')),
    response(await flushed('data: 2\n\n')),
  ])
  expect(stream.body).toMatchObject({ encoding: 'gzip', decompressed: 18 })
  expect(itemsOf(stream.body?.content).map(({ at, text }) => [at, text])).toEqual([
    [1, '1'],
    [2, '2'],
  ])
})

test('if a compressor does not flush, the events have the time of the arrival that reveals them', async () => {
  const bytes = gzipSync('data: 1\n\ndata: 2\n\n')
  const { response: stream } = await assembled([
    response(EVENTS + GZIP, bytes.subarray(0, 10)),
    response(bytes.subarray(10)),
  ])
  expect(itemsOf(stream.body?.content).map(({ at }) => at)).toEqual([2, 2])
  const { response: begun } = await assembled([response(EVENTS + GZIP, bytes.subarray(0, 10))])
  expect(begun.body).toEqual({ size: 10, encoding: 'gzip', decompressed: 0 })
})

test.each([
  ['gzip', 'These bytes are not valid gzip (Z_DATA_ERROR).'],
  ['snappy', 'This version of Node cannot decompress "snappy".'],
])('a body that cannot be decompressed as %s says so', async (encoding, problem) => {
  const body = { size: 5, encoding, problem }
  const headers = `Content-Length: 5\r\nContent-Encoding: ${encoding}\r\n`
  expect((await assembled([response(headers, 'plain')])).response.body).toEqual(body)
})

test('pipelined requests and their responses are told apart', async () => {
  const post = 'POST /2 HTTP/1.1\r\nContent-Length: 3\r\n\r\ntwo'
  const arrivals = [
    arrival('request', `GET /1 HTTP/1.1\r\n\r\n${post}GET /3 HTTP/1.1\r\n\r\n`),
    arrival('response', `${head('Content-Length: 1\r\n')}1${head('Content-Length: 2\r\n')}2`),
    arrival('response', `2${head('Content-Length: 1\r\n')}3`),
  ]
  const [first, second, third, fourth] = await Promise.all(
    [1, 2, 3, 4].map((nth) => assemble(timed(arrivals), nth, openDecompressor)),
  )
  expect(texts(first!)).toEqual([undefined, '1'])
  expect(texts(second!)).toEqual(['two', '22'])
  expect(texts(third!)).toEqual([undefined, '3'])
  expect(third!.request.head).toBe('GET /3 HTTP/1.1')
  expect(fourth).toBeUndefined()
})

test('a response to HEAD has no body, and interim heads come before the real one', async () => {
  const early = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n'
  const { response: answer } = await assembled(
    [arrival('response', `${early}${head('Content-Length: 99\r\n')}`)],
    'HEAD',
  )
  expect(answer.head).toBe(
    'HTTP/1.1 103 Early Hints\nLink: </a.css>\n\nHTTP/1.1 200 OK\nContent-Length: 99',
  )
  expect(answer.body).toBeUndefined()
})

test('NDJSON is split into lines, and says which are not JSON or not complete', async () => {
  const { response: stream } = await assembled([
    response('Content-Type: application/x-ndjson; charset=utf-8\r\n', '{"a":1}\r\n\n{"b"'),
    response(':2}\nplain\n{"c"'),
  ])
  expect(stream.body?.content).toMatchObject({ as: 'lines', count: 5 })
  expect(itemsOf(stream.body?.content)).toEqual([
    { at: 1, kind: '', text: '{"a":1}' },
    { at: 1, kind: 'blank line', text: '' },
    { at: 2, kind: '', text: '{"b":2}' },
    { at: 2, kind: '', text: 'plain', note: 'not JSON' },
    { at: 2, kind: '', text: '{"c"', note: 'not complete' },
  ])
})

test('JSON is formatted; JSON that is cut off or invalid is shown as it is', async () => {
  const json = 'Content-Type: application/problem+json\r\n'
  const { response: whole } = await assembled([
    response(`${json}Content-Length: 9\r\n`, '{"a":[1]}'),
  ])
  expect(whole.body?.content).toEqual({
    as: 'JSON',
    text: '{\n  "a": [\n    1\n  ]\n}',
    shown: 9,
  })
  const { response: cut } = await assembled([response(`${json}Content-Length: 9\r\n`, '{"a":')])
  expect(cut.body?.content).toEqual({
    as: 'JSON',
    text: '{"a":',
    shown: 5,
    invalid: 'The JSON is not complete.',
  })
  const { response: invalid } = await assembled([response(`${json}Content-Length: 3\r\n`, '{a}')])
  expect(invalid.body?.content).toMatchObject({ invalid: expect.stringMatching(/not valid JSON/) })
})

test('other bodies are text if they look like text, and otherwise a hex dump', async () => {
  const type = 'Content-Type: application/octet-stream\r\n'
  const { response: text } = await assembled([response(type, 'a\u001b[2J\tb\r\n')])
  expect(text.body?.content).toEqual({ as: 'text', text: 'a␛[2J\tb\n', shown: 9 })
  const { response: binary } = await assembled([response(type, Buffer.from([0x89, 0x50, 0]))])
  expect(binary.body?.content).toMatchObject({
    as: 'hex',
    text: expect.stringMatching(/^000000 {2}89 50 00 .* ·P·$/),
  })
})

test('long bodies are shown only in part, and long streams from their newest items', async () => {
  const { response: text } = await assembled([
    response('Content-Type: text/plain\r\n', 'x'.repeat(300_000)),
  ])
  expect(text.body).toMatchObject({ size: 300_000, content: { shown: 262_144 } })
  const { response: stream } = await assembled([
    response(EVENTS, Array.from({ length: 2000 }, (_, n) => `data: ${n}\n\n`).join('')),
    response(`data: ${'y'.repeat(5000)}\n\n`),
  ])
  expect(stream.body?.content).toMatchObject({ count: 2001 })
  const items = itemsOf(stream.body?.content)
  expect(items).toHaveLength(500)
  expect(items.at(-2)).toMatchObject({ text: '1999' })
  expect(items.at(-1)).toMatchObject({ text: 'y'.repeat(4096), more: 904 })
})

test('WebSocket messages are joined, unmasked and decompressed, with control frames in between', async () => {
  const upgraded = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n'
  // Senders leave out the last four bytes (RFC 7692, section 7.2.1).
  const compressed = deflateRawSync('zipped', { finishFlush: constants.Z_SYNC_FLUSH }).subarray(
    0,
    -4,
  )
  const { messages } = await assembled([
    arrival('response', upgraded),
    arrival('request', frame(0x01, 'hal', { isMasked: true })),
    arrival('request', frame(0x89, 'p', { isMasked: true })),
    arrival('request', frame(0x80, 'lo', { isMasked: true })),
    arrival('response', frame(0xc1, compressed).subarray(0, 4)),
    arrival('response', frame(0xc1, compressed).subarray(4)),
    arrival('response', frame(0x82, Buffer.from([0, 255]))),
    arrival('response', frame(0x88, Buffer.from([0x03, 0xe9, 0x62, 0x79, 0x65]))),
  ])
  expect(messages?.items).toEqual([
    {
      at: 3,
      direction: 'request',
      kind: 'ping',
      text: expect.stringMatching(/^000000 {2}70 .*p$/),
    },
    { at: 4, direction: 'request', kind: 'text', text: 'hallo' },
    {
      at: 6,
      direction: 'response',
      kind: 'text',
      text: 'zipped',
      note: `from ${compressed.length} B`,
    },
    {
      at: 7,
      direction: 'response',
      kind: 'binary',
      text: expect.stringMatching(/^000000 {2}00 ff /),
    },
    { at: 8, direction: 'response', kind: 'close', text: '1001 bye' },
  ])
})

test('without the beginning of the connection, nothing can be assembled', async () => {
  const { arrivals } = timed([response(EVENTS, 'data: 1\n\n')])
  expect(await assemble({ arrivals, isWhole: false }, 1, openDecompressor)).toBeUndefined()
})

/** Assembles the only exchange of a connection. Its request arrives at 0 ms, and the arrivals at 1 ms, 2 ms, … */
async function assembled(arrivals: Untimed[], method = 'GET'): Promise<Assembled> {
  const request = arrival('request', `${method} / HTTP/1.1\r\nHost: a\r\n\r\n`)
  return (await assemble(timed([request, ...arrivals]), 1, openDecompressor))!
}

type Untimed = Omit<Arrival, 'at'>

function timed(arrivals: Untimed[]): { arrivals: Arrival[]; isWhole: boolean } {
  return { arrivals: arrivals.map((each, at) => ({ at, ...each })), isWhole: true }
}

function arrival(direction: Arrival['direction'], bytes: string | Uint8Array): Untimed {
  return { hop: 'client', direction, bytes: Buffer.from(bytes as string) }
}

/** An arrival of a response: its head, if there are headers, and a part of its body. */
function response(
  ...parts: [body: string | Uint8Array] | [headers: string, body: string | Uint8Array]
): Untimed {
  const [headers, body] = parts.length === 1 ? [undefined, parts[0]] : parts
  const bytes = Buffer.from(body as string)
  return arrival(
    'response',
    headers === undefined ? bytes : Buffer.concat([Buffer.from(head(headers)), bytes]),
  )
}

function head(headers: string): string {
  return `HTTP/1.1 200 OK\r\n${headers}\r\n`
}

function chunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`
}

/** A WebSocket frame with less than 126 bytes. */
function frame(first: number, content: string | Uint8Array, { isMasked = false } = {}): Buffer {
  const bytes = Buffer.from(content as string)
  if (!isMasked) return Buffer.concat([Buffer.from([first, bytes.length]), bytes])
  const mask = [1, 2, 3, 4]
  const masked = bytes.map((byte, index) => byte ^ mask[index % 4]!)
  return Buffer.concat([Buffer.from([first, 0x80 | bytes.length, ...mask]), masked])
}

function itemsOf(content: Content | undefined) {
  return content && 'items' in content ? content.items : []
}

function texts({ request, response: answer }: Assembled) {
  return [request, answer].map(({ body }) =>
    body?.content && 'text' in body.content ? body.content.text : undefined,
  )
}
