import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/** Makes clients of a server slow. */
export type FullBuffers = {
  /**
   * Makes every network buffer between the server and these clients look full. The real buffers take about 4 MB for each
   * client, which is more than an hour of quakes.
   *
   * @param ports the clients' own ports, or `all` for every client that is connected now
   */
  fill(ports: readonly number[] | 'all'): void
  /** Lets all clients read again. */
  drain(): void
}

export function fullBuffers(server: Server): FullBuffers {
  const sockets = new Map<number, Socket>()
  const held = new WeakMap<Socket, () => void>()

  /** Holds the next write. A write that never calls back is what the server sees of a client that does not read. */
  function hold(socket: Socket): void {
    for (const method of WRITES) {
      const write = (...args: unknown[]): void => {
        held.set(socket, () => void Reflect.apply(socket[method]!, socket, args))
      }
      Object.assign(socket, { [method]: write })
    }
  }

  function release(socket: Socket): void {
    // Without its own methods, the socket uses those of its class again.
    for (const method of WRITES) Reflect.deleteProperty(socket, method)
    held.get(socket)?.()
    held.delete(socket)
  }

  server.on('connection', (socket) => {
    const { remotePort = 0 } = socket
    sockets.set(remotePort, socket)
    socket.once('close', () => sockets.delete(remotePort))
  })
  return {
    fill(ports) {
      for (const [port, socket] of sockets) {
        if (ports === 'all' || ports.includes(port)) hold(socket)
      }
    },
    drain() {
      for (const socket of sockets.values()) release(socket)
    },
  }
}

/** The methods with which a socket passes its bytes on. Node calls one of them at a time. */
const WRITES = ['_write', '_writev'] as const
