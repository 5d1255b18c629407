import { expect, test } from 'vitest'
import type { Exchange } from '../../wire/exchange.ts'
import { matcher } from '../../workshop/page/browser/wire/request-filter.ts'

const REQUESTS = [
  row({ target: '/events?room=open', type: 'text/event-stream', status: 200 }),
  row({ method: 'POST', target: '/orders/200', type: 'application/json', status: 503, endedAt: 2 }),
  row({ target: '/a', status: 200, interim: [103], endedAt: 2, isFailure: true }),
  row({ target: '/chat', status: 101, protocol: 'WebSocket' }),
]

test.each([
  ['', [1, 2, 3, 4]],
  ['/events', [1]],
  ['EVENT-stream', [1]],
  ['200', [1, 3]],
  ['5xx', [2]],
  ['103', [3]],
  ['open', [1, 4]],
  ['failed', [3]],
  ['post', [2]],
  ['websocket', [4]],
  ['  get   open ', [1, 4]],
  ['get 5xx', []],
  ['shop.example', [1, 2, 3, 4]],
])('the filter "%s" matches the requests %j', (filter, ids) => {
  const found = REQUESTS.map((exchange, index) => ({ ...exchange, id: index + 1 }))
  expect(found.filter(matcher(filter)).map(({ id }) => id)).toEqual(ids)
})

function row(more: Partial<Exchange>): Exchange {
  return {
    id: 1,
    connection: 1,
    nth: 1,
    version: 1,
    method: 'GET',
    target: '/',
    host: 'shop.example',
    interim: [],
    requestBytes: 0,
    responseBytes: 0,
    startedAt: 1,
    isFailure: false,
    firstEntry: 1,
    lastEntry: 2,
    ...more,
  }
}
