import { expect, test } from 'vitest'
import { wireLog } from '../../workshop/page/browser/wire/wire-log.ts'

test('the clock of a log is never earlier than its last entry', () => {
  const log = wireLog(10)
  log.setClock(1000)
  log.add([{ n: 1, at: 500, kind: 'note', text: 'on its way' }])
  expect(log.now()).toBeGreaterThanOrEqual(1000)
  expect(log.now()).toBeLessThan(60_000)
  log.add([{ n: 2, at: 60_000, kind: 'note', text: 'quicker than the time that was told' }])
  expect(log.now()).toBeGreaterThanOrEqual(60_000)
})

test('known entries are not added again, and a full log evicts its oldest entries', () => {
  const log = wireLog(3)
  const entry = (n: number) => ({ n, at: n, kind: 'note', text: String(n) }) as const
  log.add([entry(1), entry(2)])
  log.add([entry(1), entry(2), entry(3)])
  expect(log.end - log.begin).toBe(3)
  log.add([entry(4)])
  expect([log.find(1), log.entry(log.find(4)!)]).toEqual([undefined, entry(4)])
})

test('a connection lasts until its last entry, even if the server continues after the client has closed', () => {
  const log = wireLog()
  const arrived = { kind: 'arrived', size: 1, hop: 'server', direction: 'response' } as const
  log.add([
    { n: 1, at: 100, kind: 'opened', connection: 1 },
    { n: 2, at: 900, connection: 1, ...arrived },
    { n: 3, at: 200, kind: 'closed', connection: 1, by: 'client', how: 'ended', ...LEFT },
  ])
  expect(log.connections.get(1)!.to).toBe(log.at(log.find(3)!))
})

const LEFT = { text: 'closed by the client', isFailure: false }
