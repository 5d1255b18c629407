import { expect, test } from 'vitest'
import { exchanges } from '../../wire/exchange.ts'
import {
  exchangeAt,
  exchangeLog,
  nameOfConnection,
} from '../../workshop/page/browser/wire/exchange-log.ts'

test('a connection is named by its newest request, and each entry belongs to one of them', () => {
  const log = logOf(
    ['request', 'GET http://a.example/1?x HTTP/1.1\r\n\r\nPOST /2 HTTP/1.1\r\n\r\n'],
    ['response', NO_CONTENT],
    ['response', NO_CONTENT],
  )
  expect(nameOfConnection(log, 1)).toBe('POST /2 and 1 earlier, #1')
  expect(nameOfConnection(log, 2)).toBe('#2')
  const arrived = { at: 1, kind: 'arrived', connection: 1, size: 1, hop: 'client' } as const
  const targets = [
    exchangeAt(log, { n: 1, at: 0, kind: 'opened', connection: 1 }),
    exchangeAt(log, { ...arrived, n: 2, direction: 'request' }),
    exchangeAt(log, { ...arrived, n: 3, direction: 'response' }),
    exchangeAt(log, { ...arrived, n: 4, direction: 'response' }),
  ].map((exchange) => exchange?.method)
  expect(targets).toEqual(['GET', 'POST', 'GET', 'POST'])
  expect(exchangeAt(log, { n: 5, at: 0, kind: 'note', text: 'Stalled' })).toBeUndefined()
})

test('a cleared exchange does not come back, and an open one stays', () => {
  const log = logOf(
    ['request', 'GET /1 HTTP/1.1\r\n\r\n'],
    ['response', NO_CONTENT],
    ['request', 'GET /2 HTTP/1.1\r\n\r\n'],
  )
  const before = log.all
  log.forgetBefore(5)
  log.add(before)
  expect(log.all.map(({ target }) => target)).toEqual(['/2'])
})

test('a request whose body arrives after the response is one exchange', () => {
  const log = logOf(
    ['request', 'POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nab'],
    ['response', NO_CONTENT],
    ['request', 'cd'],
  )
  expect(log.all).toMatchObject([{ id: 1, requestBytes: 4, end: 'complete' }])
})

test('a full log evicts the oldest exchanges', () => {
  const log = logOf(['request', 'GET / HTTP/1.1\r\n\r\n'])
  const [one] = log.all
  log.add(Array.from({ length: 2500 }, (_, index) => ({ ...one!, id: 2500 - index })))
  expect([log.all.length, log.all[0]!.id, log.all.at(-1)!.id]).toEqual([2000, 501, 2500])
})

const NO_CONTENT = 'HTTP/1.1 204 No Content\r\n\r\n'

/** A log of what has crossed connection 1. The first arrival is entry 2. */
function logOf(...arrivals: [direction: 'request' | 'response', text: string][]) {
  const tracker = exchanges()
  tracker.opened(1)
  for (const [index, [direction, text]] of arrivals.entries()) {
    tracker.arrived(1, { n: index + 2, at: index, direction, bytes: Buffer.from(text) })
  }
  const log = exchangeLog()
  log.add(tracker.changedSince(0))
  return log
}
