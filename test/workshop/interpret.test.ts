import { expect, test } from 'vitest'
import type { Arrival } from '../../wire/arrival.ts'
import { interpret } from '../../wire/interpret.ts'
import { visible } from '../../wire/visible.ts'

const REQUEST = 'GET /events HTTP/1.1\r\nHost: a\r\n\r\n'
const HEAD =
  'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n'
const BODY = `${chunk('id: 7\ndata: Göteborg\r\n:\r\n')}${chunk(':alive\n\nevent: x\ndata:\n\n')}0\r\n\r\n`

test('the interpretation does not depend on how the response was split into arrivals', () => {
  const whole = Buffer.from(HEAD + BODY)
  const expected = described([whole])
  for (let cut = 1; cut < whole.length; cut += 1) {
    expect(described([whole.subarray(0, cut), whole.subarray(cut)]), `cut after ${cut}`).toEqual(
      expected,
    )
  }
  expect(expected.kinds.replace(/(.)\1+/g, '$1')).toBe('hsdfsdfl')
  expect(expected.lines).toEqual(['id=7', 'data=Göteborg', '#', '#alive', 'event=x', 'data='])
  expect(expected.dispatched).toEqual([
    { type: 'message', data: 'Göteborg', lastEventId: '7' },
    { type: 'x', data: '', lastEventId: '7' },
  ])
})

test('a request is one segment, without events', () => {
  expect(interpret(arrival('request', REQUEST), [], true)).toEqual({
    segments: [{ kind: 'head', from: 0, to: REQUEST.length }],
    isWhole: true,
  })
})

test('a second request on the same connection begins a second response', () => {
  const plain = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
  const before = [
    arrival('request', REQUEST),
    arrival('response', plain),
    arrival('request', REQUEST),
  ]
  const { segments, events } = interpret(arrival('response', plain), before, true)
  expect(segments.map(({ kind }) => kind)).toEqual(['head', 'data'])
  expect(events).toBeUndefined()
})

test('an arrival cannot be interpreted without the beginning of its connection', () => {
  const { segments, isWhole } = interpret(arrival('response', BODY), [], false)
  expect(isWhole).toBe(false)
  expect(segments).toEqual([{ kind: 'data', from: 0, to: Buffer.byteLength(BODY) }])
})

test('bytes that are not HTTP are marked as such', () => {
  const { segments } = interpret(arrival('response', 'ssh'), [], true)
  expect(segments).toEqual([{ kind: 'extra', from: 0, to: 3 }])
})

/** Combines the interpretations of the pieces: the kind of every byte, as one letter, and all lines and events. */
function described(pieces: Uint8Array[]) {
  const before = [arrival('request', REQUEST)]
  let kinds = ''
  const lines: string[] = []
  const dispatched: unknown[] = []
  for (const bytes of pieces) {
    const piece: Arrival = { at: 0, hop: 'client', direction: 'response', bytes }
    const { segments, events } = interpret(piece, before, true)
    let at = 0
    for (const { kind, from, to } of segments) {
      expect(from, visible(bytes)).toBe(at)
      kinds += kind[0]!.repeat(to - from)
      at = to
    }
    expect(at).toBe(bytes.length)
    for (const { field, value, isComment } of events?.lines ?? []) {
      lines.push(isComment ? `#${value}` : `${field}=${value}`)
    }
    dispatched.push(...(events?.dispatched ?? []))
    before.push(piece)
  }
  // `0` alone could also be the beginning of another chunk's size.
  return { kinds: kinds.replace(/s+(?=l)/, (half) => 'l'.repeat(half.length)), lines, dispatched }
}

function arrival(direction: Arrival['direction'], text: string): Arrival {
  return { at: 0, hop: 'client', direction, bytes: Buffer.from(text) }
}

function chunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`
}
