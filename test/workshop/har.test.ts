import { gzipSync } from 'node:zlib'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import draft6 from 'ajv/dist/refs/json-schema-draft-06.json' with { type: 'json' }
import schemas from 'har-schema'
import { expect, test } from 'vitest'
import { serializeHar, type HarEntry } from '../../wire/har.ts'
import { chunk, scripted, type Scripted } from './recorded.ts'

const SSE =
  'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n'

test('headers keep their order, their names and their duplicates', () => {
  const wire = scripted()
  wire.open(1)
  wire.say(
    1,
    0,
    'request',
    'GET /a%20b?q=1&q=%26 HTTP/1.1\r\nhOST: x.test:80\r\nCookie: a=1; b=2=3\r\n\r\n',
  )
  wire.say(
    1,
    5,
    'response',
    'HTTP/1.1 302 Elsewhere\r\nSet-Cookie: a=1; Path=/; HttpOnly\r\nx-Y:  z \r\n' +
      'set-cookie: b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n',
  )
  const [{ request, response }] = entriesOf(wire)
  expect(request).toMatchObject({
    method: 'GET',
    url: 'http://x.test/a%20b?q=1&q=%26',
    httpVersion: 'HTTP/1.1',
    queryString: [
      { name: 'q', value: '1' },
      { name: 'q', value: '&' },
    ],
    cookies: [
      { name: 'a', value: '1' },
      { name: 'b', value: '2=3' },
    ],
    headers: [
      { name: 'hOST', value: 'x.test:80' },
      { name: 'Cookie', value: 'a=1; b=2=3' },
    ],
  })
  expect(response).toMatchObject({
    status: 302,
    statusText: 'Elsewhere',
    redirectURL: '/there',
    headers: [
      { name: 'Set-Cookie', value: 'a=1; Path=/; HttpOnly' },
      { name: 'x-Y', value: 'z' },
      { name: 'set-cookie', value: 'b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT' },
      { name: 'Location', value: '/there' },
      { name: 'Content-Length', value: '0' },
    ],
    cookies: [
      { name: 'a', value: '1', path: '/', httpOnly: true, secure: false },
      { name: 'b', value: '2', expires: '2026-10-21T07:28:00.000Z', httpOnly: false },
    ],
  })
})

test('each part of a stream has its time and its size, without the framing', () => {
  const wire = scripted()
  wire.open(1)
  wire.say(1, 10, 'request', 'GET /events HTTP/1.1\r\nHost: x.test\r\n\r\n')
  wire.say(1, 15, 'response', SSE)
  wire.say(1, 40, 'response', chunk('data: 1\n\n') + chunk('data: 2\n\n'))
  wire.say(1, 90, 'response', `${chunk('data: 3\n\n')}0\r\n\r\n`)
  const [entry] = entriesOf(wire)
  expect(entry._chunks.map(({ timestamp, bytes }) => [Math.round(timestamp), bytes])).toEqual([
    [30, 18],
    [80, 9],
  ])
  expect(entry.response.content.text).toBe('data: 1\n\ndata: 2\n\ndata: 3\n\n')
  expect(entry.response.bodySize).toBe(27)
  const { send, wait, receive } = entry.timings
  expect([send!, wait, receive].map(Math.round)).toEqual([0, 5, 75])
  expect(entry.time).toBeCloseTo(80, 6)
  expect(entry._end).toBe('complete')
  const began = wire.recorder.began.getTime() + wire.recorder.after(1, 1)[0]!.at
  expect(Date.parse(entry.startedDateTime)).toBeCloseTo(began, -1)
})

test('an open stream, a cut and a request without a response are included', () => {
  const wire = scripted()
  for (const n of [1, 2, 3, 4]) {
    wire.open(n)
    wire.say(n, 0, 'request', `GET /${n} HTTP/1.1\r\nHost: x.test\r\n\r\n`)
    if (n < 4) wire.say(n, 1, 'response', SSE + chunk('data: 1\n\n'))
  }
  wire.close(2, 9, 'server', 'reset')
  wire.close(3, 9, 'client', 'ended')
  wire.close(4, 9, 'server', 'ended')
  const entries = entriesOf(wire)
  expect(
    entries.map(({ response, comment, _end }) => [response.status, response._error, comment, _end]),
  ).toEqual([
    [200, undefined, 'Still open when this file was saved.', 'open'],
    [
      200,
      'reset by the server in the middle of the response: the client sees a cut, not an end',
      'The connection was reset by the server in the middle of the response: the client sees a cut, not an end.',
      'reset',
    ],
    [
      200,
      undefined,
      'The connection was closed by the client in the middle of the response.',
      'open',
    ],
    [
      0,
      'closed by the server without a response',
      'The connection was closed by the server without a response.',
      'ended',
    ],
  ])
  expect(entries[0]!.response.content.text).toBe('data: 1\n\n')
})

test('a compressed body is decompressed, and a body that is not text is in base64', () => {
  const wire = scripted()
  const zipped = gzipSync('data: Göteborg\n\n'.repeat(20))
  const image = Buffer.from([0xff, 0xd8, 0x00, 0x80])
  wire.open(1)
  wire.say(
    1,
    0,
    'request',
    Buffer.concat([
      Buffer.from(
        'POST /upload HTTP/1.1\r\nHost: x.test\r\nContent-Type: image/jpeg\r\nContent-Length: 4\r\n\r\n',
      ),
      image,
    ]),
  )
  const length = zipped.length
  wire.say(
    1,
    1,
    'response',
    `HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${length}\r\n\r\n`,
  )
  wire.say(1, 2, 'response', zipped)
  wire.say(
    1,
    3,
    'request',
    'POST /text HTTP/1.1\r\nHost: x.test\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\ntack',
  )
  wire.say(1, 4, 'response', 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n')
  wire.say(1, 5, 'response', image)
  const [first, second] = entriesOf(wire)
  expect(first.request.postData).toEqual({
    mimeType: 'image/jpeg',
    text: image.toString('base64'),
    comment: 'The text is in base64.',
  })
  expect(first.response.content).toEqual({
    mimeType: 'x-unknown',
    size: 320 + 20,
    compression: 340 - length,
    text: 'data: Göteborg\n\n'.repeat(20),
  })
  expect(first.response.bodySize).toBe(length)
  expect(second!.request.postData).toEqual({ mimeType: 'text/plain', text: 'tack' })
  expect(second!.response.content).toMatchObject({ text: '/9gAgA==', encoding: 'base64', size: 4 })
})

test('the messages of a WebSocket are saved as Chrome saves them', () => {
  const wire = scripted()
  wire.open(1)
  wire.say(
    1,
    0,
    'request',
    'GET /chat HTTP/1.1\r\nHost: x.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
  )
  wire.say(
    1,
    1,
    'response',
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
  )
  // A masked "Hi", an unmasked "Hello" in two fragments with a ping between them, and three bytes of data.
  wire.say(1, 5, 'request', Buffer.from([0x81, 0x82, 1, 2, 3, 4, 72 ^ 1, 105 ^ 2]))
  wire.say(1, 8, 'response', '\x01\x03Hel\x89\x00\x80\x02lo')
  wire.say(1, 9, 'response', '\x82\x03\x00\x01')
  wire.say(1, 12, 'response', '\x02')
  const [entry] = entriesOf(wire)
  expect(entry._resourceType).toBe('websocket')
  expect(entry._webSocketMessages!.map(({ type, opcode, data }) => [type, opcode, data])).toEqual([
    ['send', 1, 'Hi'],
    ['receive', 1, 'Hello'],
    ['receive', 2, 'AAEC'],
  ])
  const [first, , last] = entry._webSocketMessages!
  expect(last!.time - first!.time).toBeCloseTo(0.007, 5)
})

test('pipelined requests get the responses in their order', () => {
  const wire = scripted()
  wire.open(1)
  wire.say(
    1,
    0,
    'request',
    [1, 2, 3].map((n) => `GET /${n} HTTP/1.1\r\nHost: x.test\r\n\r\n`).join(''),
  )
  wire.say(
    1,
    1,
    'response',
    [1, 2, 3].map((n) => `HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n${n}`).join(''),
  )
  expect(
    entriesOf(wire).map(({ request, response }) => [request.url, response.content.text]),
  ).toEqual([
    ['http://x.test/1', '1'],
    ['http://x.test/2', '2'],
    ['http://x.test/3', '3'],
  ])
})

test('the body of a request that arrives after its response belongs to the request', () => {
  const wire = scripted()
  wire.open(1)
  wire.say(1, 0, 'request', 'POST /big HTTP/1.1\r\nHost: x.test\r\nContent-Length: 6\r\n\r\nabc')
  wire.say(1, 1, 'response', 'HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n')
  wire.say(1, 2, 'request', 'def')
  const entries = entriesOf(wire)
  expect(entries).toHaveLength(1)
  expect(entries[0].request.postData!.text).toBe('abcdef')
})

test('what the user has cleared is left out', () => {
  const wire = scripted()
  for (const n of [1, 2]) {
    wire.open(n)
    wire.say(n, 0, 'request', `GET /${n} HTTP/1.1\r\nHost: x.test\r\n\r\n`)
    wire.say(n, 1, 'response', 'HTTP/1.1 204 No Content\r\n\r\n')
  }
  const entries = entriesOf(wire, 4)
  expect(entries.map(({ request }) => request.url)).toEqual(['http://x.test/2'])
})

const ajv = new Ajv({ strict: false })
addFormats.default(ajv)
ajv.addMetaSchema(draft6)
ajv.addSchema(Object.values(schemas).filter(({ $id }) => $id !== 'har.json#'))
const isHar = ajv.compile(schemas['har']!)

/** Returns the entries of the HAR file, after the file has been validated. */
function entriesOf({ recorder }: Scripted, from = 1): [HarEntry, ...HarEntry[]] {
  const text = [
    ...serializeHar({
      entries: recorder.recordedAfter(0, recorder.newest),
      from,
      server: 'http://127.0.0.1:8080',
      began: recorder.began,
    }),
  ].join('')
  const har = JSON.parse(text)
  expect(isHar(har), ajv.errorsText(isHar.errors)).toBe(true)
  for (const entry of har.log.entries) expect(entry.serverIPAddress).toBe('127.0.0.1')
  return har.log.entries
}
