import type { EventEmitter } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import express, { type ErrorRequestHandler, type RequestHandler } from 'express'
import { listenOnFreePort } from '../../wire/listen.ts'
import { blockSocket } from './block-socket.ts'
import { describeError } from './failure.ts'
import type { Transcript } from './transcript.ts'

export type TestServer = {
  readonly port: number
  /** The number of connections that the server has open. */
  readonly connections: number
  /** The number of listeners on the open responses, on their requests and on their connections. */
  readonly listeners: number
  /**
   * Blocks all writes to the open connections, as if every network buffer were full.
   *
   * @param told the transcript for this step; by default the check's transcript
   */
  blockNetwork(told?: Transcript): void
  /** Flushes the blocked writes and unblocks the connections. */
  unblockNetwork(told?: Transcript): void
  /** Destroys every connection and closes the server. */
  close(): Promise<void>
}

type ServeOptions = {
  transcript: Transcript
  /** Called with every error that one of the app's handlers throws. */
  onThrown(error: unknown): void
  /** Middleware that runs before the app, such as a session or a login. */
  before?: RequestHandler | undefined
}

/**
 * Serves the learner's app on a free port of 127.0.0.1.
 */
export async function serve(
  app: RequestHandler,
  { transcript, onThrown, before }: ServeOptions,
): Promise<TestServer> {
  const noteThrown: ErrorRequestHandler = (error: unknown, _request, response, next) => {
    if (!(response.destroyed && isOfLeaving(error))) {
      const threw = `threw ${describeError(error)}`
      transcript.step(`the handler ${threw}`, { at: 'server', label: threw })
      onThrown(error)
    }
    next(error)
  }
  const front = express()
  const open = new Set<ServerResponse>()
  front.use((_request, response, next) => {
    open.add(response)
    response.once('close', () => open.delete(response))
    next()
  })
  if (before) front.use(before)
  front.use(app)
  front.use(noteThrown)

  const server: Server = createServer(front)
  const sockets = new Set<Socket>()
  const unblocks: (() => void)[] = []
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  const port = await listenOnFreePort(server)
  return {
    port,
    get connections() {
      return sockets.size
    },
    get listeners() {
      const emitters = [...open].flatMap((response) => [
        response,
        response.req,
        response.req.socket,
      ])
      return emitters.reduce((sum, emitter) => sum + listenersOf(emitter), 0)
    },
    blockNetwork(told = transcript) {
      told.step('the network takes no more bytes')
      for (const socket of sockets) unblocks.push(blockSocket(socket))
    },
    unblockNetwork(told = transcript) {
      told.step('the network takes bytes again')
      for (const unblock of unblocks.splice(0)) unblock()
    },
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      return closed
    },
  }
}

function listenersOf(emitter: EventEmitter): number {
  return emitter.eventNames().reduce((sum, name) => sum + emitter.listenerCount(name), 0)
}

/** Returns whether an error only means that the client has disconnected. A handler does not have to catch such an error. */
function isOfLeaving(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'ABORT_ERR' || code === 'ERR_STREAM_PREMATURE_CLOSE'
}
