import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/** Makes clients of a server slow. */
export type FullBuffers = {
  /**
   * Makes every network buffer between the server and these clients look full. The real buffers take about 4 MB for each
   * client, which is more than an hour of quakes.
   *
   * @param ports the clients' own ports
   */
  fill(ports: readonly number[]): void
}

export function fullBuffers(server: Server): FullBuffers {
  const sockets = new Map<number, Socket>()
  server.on('connection', (socket) => {
    const { remotePort = 0 } = socket
    sockets.set(remotePort, socket)
    socket.once('close', () => sockets.delete(remotePort))
  })
  return {
    fill(ports) {
      for (const port of ports) {
        // A write that never calls back is what the server sees of a client that does not read.
        Object.assign(sockets.get(port) ?? {}, { _write() {}, _writev() {} })
      }
    },
  }
}
