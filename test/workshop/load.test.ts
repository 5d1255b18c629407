import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import type { LoadSample } from '../../protocol/page.ts'
import { fullBuffers } from '../../workshop/runtime/full-buffers.ts'
import { loadMonitor, type LoadMonitor } from '../../workshop/session/load.ts'

// Tests the load of lesson 8 with real sockets.

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp()
})

test('slow readers fall behind, while the fast reader does not', async () => {
  const { monitor, responses, happen } = await monitored()
  await measured(monitor, responses, 1)
  expect(await monitor.act({ do: 'add slow readers' })).toEqual({
    said: 'Added 100 slow readers.',
  })
  await until(() => responses.length === 101)
  expect(monitor.state.slowReaders).toBe(100)
  // Wait until the last head has arrived and the buffers look full.
  await until(() => {
    const waiting = responses.filter(({ writableLength }) => writableLength > 0).length
    happen()
    return waiting === 100
  })
  await until(() => measure(monitor).fastest === 0)
  expect(measure(monitor).slowest).toBeGreaterThan(0)
})

test('slow readers are removed on request, and counted when the server cuts them', async () => {
  const { monitor, responses } = await monitored()
  await measured(monitor, responses, 1)
  expect(await monitor.act({ do: 'remove slow readers' })).toHaveProperty('problem')
  await monitor.act({ do: 'add slow readers' })
  await until(() => responses.length === 101)
  for (const response of responses.splice(1, 10)) response.destroy()
  await until(() => monitor.state.slowReaders === 90)
  expect(await monitor.act({ do: 'remove slow readers' })).toEqual({
    said: 'Removed 90 slow readers.',
  })
  await until(() => responses.every(({ closed }, n) => n === 0 || closed))
  expect(monitor.state.slowReaders).toBe(0)
})

test('all readers disconnect when the session is closed', async () => {
  const { monitor, responses } = await monitored()
  await measured(monitor, responses, 1)
  await monitor.act({ do: 'add slow readers' })
  await until(() => responses.length === 101)
  monitor.close()
  await until(() => responses.every(({ closed }) => closed))
})

test('without a server there are no slow readers', async () => {
  const monitor = loadMonitor({
    path: '/',
    destination: async () => ({ unavailable: 'It is down.' }),
    fillBuffers() {},
    changed() {},
  })
  expect(await monitor.act({ do: 'add slow readers' })).toEqual({
    problem: 'The server is not running.',
  })
  expect(monitor.act({ do: 'clear' })).toBeUndefined()
})

/** The number of events that have happened. */
let taken = 0

/** Starts a server that sends numbered events to all clients, and a monitor of its load. */
async function monitored(): Promise<{
  monitor: LoadMonitor
  responses: ServerResponse[]
  happen(): void
}> {
  taken = 0
  const responses: ServerResponse[] = []
  const server = createServer((_request, response) => {
    responses.push(response)
    response.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders()
  })
  const { fill } = fullBuffers(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const monitor = loadMonitor({
    path: '/events',
    destination: async () => ({ port }),
    fillBuffers: fill,
    changed() {},
  })
  cleanUps.push(
    () => server.close(),
    () => server.closeAllConnections(),
    () => monitor.close(),
  )
  return {
    monitor,
    responses,
    happen() {
      taken += 1
      for (const response of responses) response.write(`id: ${taken}\ndata: a quake\n\n`)
    },
  }
}

function measure(monitor: LoadMonitor): LoadSample {
  monitor.measured({ heap: 1, external: 2, rss: 3, taken })
  return monitor.state.samples.at(-1)!
}

/** Measures the load, and waits until the fast reader has connected. */
async function measured(
  monitor: LoadMonitor,
  responses: ServerResponse[],
  connections: number,
): Promise<void> {
  measure(monitor)
  await until(() => responses.length === connections)
}

async function until(holds: () => boolean): Promise<void> {
  await vi.waitUntil(holds, { timeout: 30_000 })
}
