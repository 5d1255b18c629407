import type { Socket } from 'node:net'
import process from 'node:process'
import type { Arrival } from './arrival.ts'
import { connectTo, type ServerAddress } from './server-address.ts'

/** A server behind the proxy. */
export type ProxiedServer = ServerAddress & {
  host: string
  /** Called with all bytes in both directions. */
  onCrossed?(direction: Arrival['direction'], bytes: Uint8Array): void
}

/**
 * Connects to a server, and reports all bytes that cross.
 *
 * @param http the version in the request line. Node's client only writes requests of HTTP/1.1, so HTTP/1.0 is put in here.
 */
export function connectToServer(
  { onCrossed, ...address }: ProxiedServer,
  http: '1.0' | '1.1' = '1.1',
): Socket {
  const { socket } = connectTo(address)
  const write = socket.write.bind(socket) as (bytes: Uint8Array, done?: Done) => boolean
  const leaving: Uint8Array[] = []
  let hasHead = http === '1.1'
  socket.write = (chunk: Uint8Array | string, encoding?: BufferEncoding | Done, done?: Done) => {
    let bytes = chunk
    if (typeof bytes === 'string') {
      // Only heads and the sizes of chunks are strings, and they are latin1. The first line of a head ends with the version.
      if (!hasHead) bytes = bytes.replace(' HTTP/1.1\r\n', ' HTTP/1.0\r\n')
      hasHead = true
      bytes = Buffer.from(bytes, 'latin1')
    }
    // Node writes a head and a body, or a chunk and its size, one after the other, but they leave together.
    if (onCrossed && leaving.push(bytes) === 1) process.nextTick(report)
    return write(bytes, typeof encoding === 'function' ? encoding : done)
  }
  const report = (): void => {
    const bytes = Buffer.concat(leaving.splice(0))
    if (bytes.length > 0) onCrossed?.('request', bytes)
  }
  socket.on('data', (bytes) => onCrossed?.('response', bytes))
  // Ignore the error, because a 'close' event follows.
  socket.on('error', () => {})
  return socket
}

type Done = (error?: Error | null) => void
