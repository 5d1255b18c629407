import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { blockSocket } from '../block-socket.ts'
import type { Tools } from '../toolbox.ts'

/**
 * Returns a function that blocks all responses of a server at this port, as if their clients had stalled. The server is the
 * learner's own, so its sockets are found through Node's diagnostics.
 */
export function blockResponses(t: Tools, port: number): () => void {
  const sockets: Socket[] = []
  const note = (message: unknown): void => {
    const { socket } = (message as { request: IncomingMessage }).request
    if (socket.localPort === port) sockets.push(socket)
  }
  subscribe(REQUESTS, note)
  t.atEnd(() => unsubscribe(REQUESTS, note))
  return () => {
    for (const socket of sockets) blockSocket(socket)
  }
}

/** Returns whether a new connection to this port is refused. */
export async function isRefused(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' })
  try {
    await once(socket, 'connect')
    return false
  } catch {
    return true
  } finally {
    socket.destroy()
  }
}

const REQUESTS = 'http.server.request.start'
