import { once } from 'node:events'
import type { Server } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'

/**
 * Listens on the first free port of a list.
 *
 * @param host the address to listen on; with 127.0.0.1, only this machine can connect
 * @returns the port
 * @throws Error if every port is taken or reserved (EACCES)
 */
export async function listen(
  server: Server,
  ports: readonly number[],
  host = '127.0.0.1',
): Promise<number> {
  for (const port of ports) {
    try {
      server.listen(port, host)
      await once(server, 'listening')
      return (server.address() as AddressInfo).port
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException
      if (code !== 'EADDRINUSE' && code !== 'EACCES') throw error
    }
  }
  throw new Error(
    ports.length === 1
      ? `Port ${ports[0]} is taken by another program.`
      : `The ports from ${ports[0]} to ${ports.at(-1)} are all taken.`,
  )
}

/** Returns a port of 127.0.0.1 that is free at the moment, for programs that cannot choose one themselves. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
