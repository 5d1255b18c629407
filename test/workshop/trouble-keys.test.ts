import { once } from 'node:events'
import { createServer, get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import type { Action } from '../../protocol/page.ts'
import { troubleKeys, type TroubleKeys } from '../../workshop/session/trouble-keys.ts'
import { wireSession, type WireSession } from '../../workshop/session/wire-session.ts'

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp()
})

test('x cuts all open connections', async () => {
  const { keys, url } = await watched()
  expect(await keys.press('x')).toBe('There is no open connection to cut.')
  // Ignore errors of the request, because the reset reaches the response first.
  const request = get(url).on('error', () => {})
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  const failed = once(response.resume(), 'error')
  expect(await keys.press('x')).toBe('Cut the connection.')
  expect((await failed)[0]).toMatchObject({ code: 'ECONNRESET' })
})

test('z and p switch a fault on and off, and the label says which of the two comes next', async () => {
  const { keys } = await watched()
  expect(keys.label).toBe('x cut · z stall · p proxy')
  await keys.press('z')
  await keys.press('p')
  expect(keys.label).toBe('x cut · z resume · p no proxy')
  await keys.press('z')
  await keys.press('p')
  expect(keys.label).toBe('x cut · z stall · p proxy')
})

test('r adds and removes slow readers, but only in a lesson that shows the load', async () => {
  const done: Action[] = []
  const { session } = await watched()
  const load = { slowReaders: 0, samples: [] }
  const keys = troubleKeys({
    state: { ...session.state, load },
    act: async (action) => {
      done.push(action)
      return { said: 'Done.' }
    },
  })
  expect(keys.label).toBe('x cut · z stall · p proxy · r add slow readers')
  expect(await keys.press('r')).toBe('Done.')
  load.slowReaders = 100
  expect(keys.label).toBe('x cut · z stall · p proxy · r remove slow readers')
  await keys.press('r')
  expect(done).toEqual([{ do: 'add slow readers' }, { do: 'remove slow readers' }])
  expect(await troubleKeys(session).press('r')).toBeUndefined()
})

test('r restarts the processes, and d takes Redis away, but only in a lesson with processes', async () => {
  const done: Action[] = []
  const { session } = await watched()
  const processes = { isRedisAway: false, isRolling: false, processes: [] }
  const keys = troubleKeys({
    state: { ...session.state, processes },
    act: async (action) => {
      done.push(action)
      return { said: 'Done.' }
    },
  })
  expect(keys.label).toBe('x cut · z stall · p proxy · r rolling restart · d Redis away')
  await keys.press('r')
  await keys.press('d')
  processes.isRedisAway = true
  expect(keys.label).toContain('d Redis back')
  await keys.press('d')
  expect(done).toEqual([
    { do: 'restart processes' },
    { do: 'redis', isAway: true },
    { do: 'redis', isAway: false },
  ])
})

test('other keys cause no trouble', async () => {
  const { keys } = await watched()
  expect(await keys.press('q')).toBeUndefined()
})

async function watched(): Promise<{ session: WireSession; keys: TroubleKeys; url: string }> {
  const server = createServer((_req, res) => res.writeHead(200).flushHeaders())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const session = await wireSession(
    { url: new URL(`http://127.0.0.1:${port}/`), address: { port }, isRenamed: false },
    { opened() {}, arrived() {}, closed() {} },
  )
  if ('problem' in session) throw new Error(session.problem)
  cleanUps.push(() => session.close())
  cleanUps.push(
    () => server.closeAllConnections(),
    () => server.close(),
  )
  return { session, keys: troubleKeys(session), url: session.url }
}
