import { createServer, type Server } from 'node:http'
import { Socket, type AddressInfo } from 'node:net'
import express, { type ErrorRequestHandler, type RequestHandler } from 'express'
import type { Transcript } from './transcript.ts'

export type Served = {
  readonly port: number
  /** How many connections are open, as the server sees it. */
  readonly connections: number
  /** From now on the network takes no bytes from the connections that are open, as if all on the way were full. */
  hold(): void
  /** The network takes them again, and first what had to wait. */
  letGo(): void
  /** Ends every connection, then the server. */
  close(): Promise<void>
}

type ServeOptions = {
  transcript: Transcript
  /** Called with what a handler of the app throws. */
  onThrown(error: unknown): void
  /** Stands in front of the app, as a session or a login would. */
  before?: RequestHandler
}

/**
 * Serves the learner's app on a free port of 127.0.0.1.
 */
export async function serve(
  app: RequestHandler,
  { transcript, onThrown, before }: ServeOptions,
): Promise<Served> {
  const noteThrown: ErrorRequestHandler = (error: unknown, _request, _response, next) => {
    transcript.step(`the handler threw ${String(error)}`)
    onThrown(error)
    next(error)
  }
  const front = express()
  if (before) front.use(before)
  front.use(app)
  front.use(noteThrown)

  const server: Server = createServer(front)
  const sockets = new Set<Socket>()
  const held: (() => void)[] = []
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return sockets.size
    },
    hold() {
      for (const socket of sockets) held.push(holdBack(socket))
    },
    letGo() {
      for (const goOn of held.splice(0)) goOn()
    },
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      return closed
    },
  }
}

/** A socket whose bytes stay in the memory of the process, where the system has no room for them. */
function holdBack(socket: Socket): () => void {
  const waiting: (() => void)[] = []
  const { _write: write, _writev: writev } = Socket.prototype
  Object.assign(socket, {
    _write: (...given: Parameters<typeof write>) =>
      void waiting.push(() => write.apply(socket, given)),
    _writev: (...given: Parameters<NonNullable<typeof writev>>) =>
      void waiting.push(() => writev?.apply(socket, given)),
  })
  return () => {
    Object.assign(socket, { _write: write, _writev: writev })
    // Destroying it has thrown them away.
    if (!socket.destroyed) for (const go of waiting) go()
  }
}
