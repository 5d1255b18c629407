import { expect, test } from 'vitest'
import { arrivalInContext } from '../../wire/entry.ts'
import { recorder, type Recorder } from '../../wire/recorder.ts'
import { parseRecording, serializeRecording } from '../../wire/recording.ts'
import { describeRecording } from '../../workshop/page/browser/wire/describe-recording.ts'

test('entries are numbered from 1, and their times are from one clock', () => {
  const record = recorder()
  const { observer } = record
  observer.opened(1)
  observer.opened(2)
  observer.arrived(2, { at: 5, hop: 'client', direction: 'request', bytes: Buffer.from('GET') })
  observer.closed(1, { at: 7, by: 'client', how: 'ended' })
  record.note('Stalled')
  const entries = record.after(0, 10)
  expect(entries.map(({ n, kind }) => [n, kind])).toEqual([
    [1, 'opened'],
    [2, 'opened'],
    [3, 'arrived'],
    [4, 'closed'],
    [5, 'note'],
  ])
  expect(entries[2]!.at).toBeCloseTo(entries[1]!.at + 5, 6)
  expect(entries[3]!.at).toBeCloseTo(entries[0]!.at + 7, 6)
  expect(record.after(3, 1).map(({ n }) => n)).toEqual([4])
  expect(record.after(5, 10)).toEqual([])
})

test('a request is recorded with its Last-Event-ID', () => {
  const record = recorder()
  record.observer.opened(1)
  const request = { at: 0, hop: 'client', direction: 'request' } as const
  for (const head of ['', 'last-event-id:  us1 \r\n', 'Last-Event-ID: \r\n']) {
    const body = 'last-event-id: no header\r\n'
    const length = `Content-Length: ${body.length}`
    const bytes = Buffer.from(`POST / HTTP/1.1\r\n${head}${length}\r\n\r\n${body}`)
    record.observer.arrived(1, { ...request, bytes })
  }
  const requests = record.after(1, 10)
  expect(requests.map((entry) => 'cursor' in entry && entry.cursor)).toEqual([false, 'us1', false])
})

test('a full recorder evicts its oldest entries', () => {
  const record = recorder({ mostBytes: 100, mostEntries: 30_000 })
  arrive(record, 50, 30)
  expect(record.newest).toBe(51)
  expect(record.oldest).toBe(49)
  expect(record.after(0, 100).map(({ n }) => n)).toEqual([49, 50, 51])
  expect(record.arrival(48)).toBeUndefined()
  expect(record.arrival(50)).toMatchObject({ isWhole: false, before: [{ direction: 'response' }] })

  for (let n = 0; n < 70_000; n += 1) record.note('')
  expect(record.newest - record.oldest + 1).toBe(30_000)
  expect(record.after(record.newest - 1, 5)).toHaveLength(1)
})

test.each([
  ['by the client in mid-response', 'client', HEAD('5') + 'ab', false, /client in the middle/],
  ['by the server in mid-response', 'server', HEAD('5') + 'ab', true, /sees a cut, not an end/],
  ['by the workshop in mid-response', 'workshop', HEAD('5') + 'ab', true, /sees a cut, not an end/],
  ['by the server after the response', 'server', HEAD('2') + 'ab', false, /^closed by the server$/],
  ['by the server before a response', 'server', '', true, /without a response/],
] as const)('closed %s', (_case, by, response, isFailure, text) => {
  const record = recorder()
  record.observer.opened(1)
  const said = {
    at: 0,
    bytes: Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    direction: 'request' as const,
  }
  for (const hop of ['client', 'server']) record.observer.arrived(1, { ...said, hop })
  if (response) {
    for (const hop of ['server', 'client']) {
      const bytes = Buffer.from(response)
      record.observer.arrived(1, { at: 1, hop, direction: 'response', bytes })
    }
  }
  record.observer.closed(1, { at: 2, by, how: 'ended' })
  expect(record.after(0, 99).at(-1)).toMatchObject({ isFailure, text: expect.stringMatching(text) })
})

test('an arrival is returned with the earlier bytes of its connection and hop', () => {
  const record = recorder()
  const { observer } = record
  observer.opened(1)
  observer.opened(2)
  say(1, 'client', 'a')
  say(2, 'client', 'b')
  say(1, 'server', 'c')
  say(1, 'client', 'd')
  expect(told(6)).toEqual({ bytes: 'd', before: ['a'], isWhole: true })
  observer.closed(1, { at: 9, by: 'client', how: 'ended' })
  // The next lesson's tap numbers its connections from 1 again.
  observer.opened(1)
  say(1, 'client', 'e')
  expect(told(9)).toEqual({ bytes: 'e', before: [], isWhole: true })
  expect(record.arrival(1)).toBeUndefined()

  function say(connection: number, hop: string, text: string): void {
    const bytes = Buffer.from(text)
    observer.arrived(connection, { at: 1, hop, direction: 'response', bytes })
  }
  function told(n: number) {
    const { arrival, before, isWhole } = record.arrival(n)!
    const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
    return { bytes: text(arrival.bytes), before: before.map((each) => text(each.bytes)), isWhole }
  }
})

test('a saved recording can be read back unchanged', () => {
  const record = recorder()
  arrive(record, 3, 300)
  record.note('Cut the connection')
  record.observer.closed(1, { at: 3, by: 'workshop', how: 'reset' })
  const { entries, from } = parseRecording([...serializeRecording(record, 2)].join(''))
  expect(from).toBe(2)
  expect(entries.map(({ entry }) => entry)).toEqual(record.after(0, 99))
  const [mine, theirs] = [arrivalInContext(entries, 2)!, record.arrival(3)!]
  expect(Buffer.from(mine.arrival.bytes)).toEqual(Buffer.from(theirs.arrival.bytes))
  expect(mine.before).toHaveLength(1)
})

test('a recording contains its server and its date', () => {
  const record = recorder()
  const read = parseRecording([...serializeRecording(record, 1, 'http://127.0.0.1:8080')].join(''))
  expect(read.server).toBe('http://127.0.0.1:8080')
  expect(read.began).toEqual(record.began)
  expect(Math.abs(Date.now() - record.now() - record.began.getTime())).toBeLessThan(1000)
})

test('the page says what a recording is of', () => {
  const began = new Date(2026, 5, 3, 14, 2)
  const server = 'http://127.0.0.1:8080'
  expect(describeRecording({ name: 'my.ndjson', server, began })).toBe(
    'Recording: my.ndjson, of http://127.0.0.1:8080, 3 June 14:02',
  )
  expect(describeRecording({ name: 'my.ndjson' })).toBe('Recording: my.ndjson')
})

test('a recording of version 1 can still be read', () => {
  const note = '{"n":1,"at":0,"kind":"note","text":"Cut the connection"}'
  const read = parseRecording(`{"format":"http-streaming-workshop wire 1","from":1}\n${note}\n`)
  expect(read).toEqual({ from: 1, entries: [{ entry: JSON.parse(note) }] })
})

test('a recording of a newer version is refused', () => {
  expect(() => parseRecording('{"format":"http-streaming-workshop wire 3","from":1}')).toThrow(
    'A newer version of the workshop saved this recording.',
  )
})

test.each([
  ['an empty file', '', /is not a recording of the wire/],
  ['something else', '{"id":1}\n', /is not a recording of the wire/],
  ['half a line', saved('{"n":1,"at":0,"ki'), /Line 2 of this recording is broken/],
  ['an entry without its connection', saved('{"n":1,"at":0,"kind":"opened"}'), /Line 2/],
  ['a text where a number should be', saved('{"n":"1","at":0,"kind":"note","text":""}'), /Line 2/],
  [
    'bytes that are no base64',
    saved(
      '{"n":1,"at":0,"kind":"arrived","connection":1,"hop":"client","direction":"request","size":1,"bytes":"*"}',
    ),
    /Line 2/,
  ],
])('%s is not a recording, and the user is told', (_case, text, says) => {
  expect(() => parseRecording(text)).toThrow(says)
})

test.each([
  ['bytes', arrivalWith({ bytes: 'QUFB'.repeat(7_000_000) })],
  ['a Last-Event-ID', arrivalWith({ cursor: 'x'.repeat(20_000_000) })],
  ['the name of a hop', arrivalWith({ hop: 'x'.repeat(20_000_000) })],
  ['a note', JSON.stringify({ n: 1, at: 0, kind: 'note', text: 'x'.repeat(20_000_000) })],
])(
  'an entry with 20 MB of %s is refused at once, because it would freeze the page',
  (_what, line) => {
    const began = performance.now()
    expect(() => parseRecording(saved(line))).toThrow(/^Line 2 of this recording is longer than/)
    // Decoding and interpreting such an entry took more than ten seconds.
    expect(performance.now() - began).toBeLessThan(3000)
  },
)

test('the largest arrival that a socket returns is accepted', () => {
  const bytes = Buffer.alloc(65_536, 1).toString('base64')
  const [read] = parseRecording(saved(arrivalWith({ bytes }))).entries
  expect(read!.bytes).toHaveLength(65_536)
})

function arrivalWith(fields: object): string {
  const arrived = {
    n: 1,
    at: 0,
    kind: 'arrived',
    connection: 1,
    hop: 'client',
    direction: 'response',
    size: 1,
    bytes: '',
  }
  return JSON.stringify({ ...arrived, ...fields })
}

/** Opens a connection with `count` arrivals of `size` bytes each. */
function arrive({ observer }: Recorder, count: number, size: number): void {
  observer.opened(1)
  for (let n = 1; n <= count; n += 1) {
    const bytes = Buffer.alloc(size, n)
    observer.arrived(1, { at: n, hop: 'client', direction: 'response', bytes })
  }
}

function HEAD(length: string): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`
}

function saved(line: string): string {
  return `${[...serializeRecording(recorder())].join('')}${line}\n`
}
