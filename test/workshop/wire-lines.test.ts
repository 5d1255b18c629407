import { expect, test, vi } from 'vitest'
import type { Arrival } from '../../wire/arrival.ts'
import { collapseBursts } from '../../workshop/terminal/collapse-bursts.ts'
import { wireLines, type Detail, type Line } from '../../workshop/terminal/wire-lines.ts'

const HEAD = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'

test('framing is marked, and no character is invisible', () => {
  const wire = conversation()
  expect(wire.request('GET /q HTTP/1.1\r\n\r\n')).toBe(
    ' #1    1.500 s  → request      19 B  GET /q HTTP/1.1␍␊␍␊',
  )
  wire.response(HEAD)
  expect(wire.response('7\r\n{"a":1}\r\n')).toBe(
    ' #1    1.500 s  ← response     12 B  [7␍␊]{"a":1}[␍␊]',
  )
  expect(wire.response('0\r\n\r\n')).toBe(' #1    1.500 s  ← response      5 B  [last 0␍␊␍␊]')
})

test('the Last-Event-ID of a request comes first, and is never cut off', () => {
  const wire = conversation({ width: 80 })
  const line = wire.request(
    `GET /events HTTP/1.1\r\nA: ${'a'.repeat(200)}\r\nLast-Event-ID: us1\r\n\r\n`,
  )
  expect(line).toMatch(/ {2}\(last ID us1\) GET \/events/)
})

test('a chunk may be split into any number of arrivals', () => {
  const wire = conversation()
  wire.request('GET / HTTP/1.1\r\n\r\n')
  wire.response(HEAD)
  expect(wire.response('1')).toContain('an incomplete line')
  expect(wire.response('0\r\nabc')).toMatch(/ {2}\[10␍␊\]abc$/)
  expect(wire.response('def')).toMatch(/ {2}def$/)
})

test('a line is at most as wide as the terminal, and keeps both ends', () => {
  const wire = conversation({ width: 80 })
  wire.request('GET / HTTP/1.1\r\n\r\n')
  wire.response(HEAD)
  const line = wire.response(`2710\r\n${'é'.repeat(5000)}\r\n`)
  expect([...line]).toHaveLength(80)
  expect(line).toMatch(/\[2710␍␊\]é+…é+\[␍␊\]$/)
})

test('the detailed form shows every byte, and starts a line after each line feed that was sent', () => {
  const wire = conversation({ detail: 'whole' })
  const lines = wire.request('GET / HTTP/1.1\r\nHost: a\r\n\r\n').split('\n')
  expect(lines.map((line) => line.trim().split('  ').at(-1))).toEqual([
    'GET / HTTP/1.1␍␊',
    'Host: a␍␊␍␊',
  ])
})

test('a second request on a connection starts a second response', () => {
  const wire = conversation()
  for (let n = 0; n < 2; n += 1) {
    wire.request('HEAD / HTTP/1.1\r\n\r\n')
    expect(wire.response(HEAD)).toContain('HTTP/1.1 200 OK')
    wire.request('GET / HTTP/1.1\r\n\r\n')
    wire.response(HEAD)
    expect(wire.response('0\r\n\r\n')).toContain('[last')
  }
})

test('a chunk without a size is marked as not HTTP', () => {
  const wire = conversation()
  wire.request('GET / HTTP/1.1\r\n\r\n')
  wire.response(HEAD)
  expect(wire.response('oops\r\n')).toContain('[not HTTP: oops␍␊]')
})

test.each([
  ['after the last chunk, in order', '0\r\n\r\n', 'ended', 'closed by the server'],
  [
    'before the last chunk, with a cut',
    '3\r\nabc\r\n',
    'ended',
    'closed by the server in the middle of the response: the client sees a cut, not an end',
  ],
  [
    'by a reset',
    '3\r\n',
    'reset',
    'reset by the server in the middle of the response: the client sees a cut, not an end',
  ],
] as const)('a connection is closed %s', (_case, body, how, words) => {
  const wire = conversation()
  wire.request('GET / HTTP/1.1\r\n\r\n')
  wire.response(HEAD)
  wire.response(body)
  expect(wire.closed('server', how)).toBe(` #1    2.000 s  ${words}`)
})

test('a body without a length or chunks ends with its connection', () => {
  const wire = conversation()
  wire.request('GET / HTTP/1.0\r\n\r\n')
  wire.response('HTTP/1.1 200 OK\r\n\r\nabc')
  expect(wire.closed('server', 'ended')).toMatch(/closed by the server, which ends this response$/)
})

test('a burst is shown in part, and its bytes are counted in full', () => {
  vi.useFakeTimers()
  try {
    const printed: string[] = []
    const burst = collapseBursts((text) => printed.push(text))
    for (let n = 1; n <= 100; n += 1) burst.show(() => `line ${n}`, arrival('response', 'abc'))
    expect(printed).toEqual(['line 1', 'line 2', 'line 3', 'line 4', 'line 5', 'line 6'])
    vi.runAllTimers()
    expect(printed.slice(6)).toEqual(['… and 94 more: ← response 282 B'])
    burst.show(() => 'later')
    expect(printed.at(-1)).toBe('later')
  } finally {
    vi.useRealTimers()
  }
})

/** Formats one connection, without colours. */
function conversation({ width = 120, detail = 'short' as Detail } = {}) {
  const lines = wireLines()
  const seen = (line: Line): string => line({ width, detail, paint: (_hue, text) => text })
  return {
    request: (text: string) => seen(lines.arrived(1, arrival('request', text))),
    response: (text: string) => seen(lines.arrived(1, arrival('response', text))),
    closed: (by: 'client' | 'server', how: 'ended' | 'reset') =>
      seen(lines.closed(1, { at: 2000, by, how })),
  }
}

function arrival(direction: Arrival['direction'], text: string): Arrival {
  return { at: 1500, hop: 'client', direction, bytes: Buffer.from(text) }
}
