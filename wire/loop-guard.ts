import { randomBytes } from 'node:crypto'
import { connectTo, type ServerAddress } from './server-address.ts'

/**
 * Finds out that a tap's server leads back to the tap, for example by way of a proxy. Without it, one request would open
 * connections until the machine has none left.
 */
export type LoopGuard = {
  /** Notes that the tap has connected to its server from this port. Call the result when that connection is closed. */
  connectedFrom(port: number): () => void
  /** Returns whether a connection comes from one of those ports, so that the tap is its own server. */
  isOwnPort(port: number | undefined): boolean
  /** Returns whether the first bytes of a connection are those of `leadsBack()`. */
  isOwnRequest(bytes: Uint8Array): boolean
  /** Asks a server for its options, and returns whether the request comes back before an answer does. */
  leadsBack(server: ServerAddress): Promise<boolean>
}

export function loopGuard(): LoopGuard {
  const ports = new Set<number>()
  const marker = randomBytes(12).toString('hex')
  let came: (() => void) | undefined

  return {
    connectedFrom(port) {
      ports.add(port)
      return () => ports.delete(port)
    },
    isOwnPort: (port) => port !== undefined && ports.has(port),
    isOwnRequest(bytes) {
      if (!Buffer.from(bytes).includes(`${MARKER}: ${marker}`)) return false
      came?.()
      return true
    },
    async leadsBack(server) {
      const { socket, tcp, isReady } = connectTo(server)
      socket.on('error', () => {})
      try {
        await isReady
        return await new Promise<boolean>((resolve) => {
          came = () => resolve(true)
          const isAnswered = (): void => resolve(false)
          socket.once('data', isAnswered).once('close', isAnswered)
          // A server that does not answer this request does not pass it on either.
          socket.setTimeout(LONGEST_MS, isAnswered)
          socket.write(
            `OPTIONS * HTTP/1.1\r\nHost: ${server.host ?? '127.0.0.1'}\r\n${MARKER}: ${marker}\r\nConnection: close\r\n\r\n`,
          )
        })
      } catch {
        return false
      } finally {
        tcp.destroy()
        came = undefined
      }
    },
  }
}

const MARKER = 'Wire-Probe'

const LONGEST_MS = 2000
