import {
  createServer,
  request as requestTo,
  type IncomingMessage,
  type OutgoingMessage,
  type ServerResponse,
} from 'node:http'
import type { Socket } from 'node:net'
import { pipeline } from 'node:stream'
import { constants, createGzip } from 'node:zlib'
import {
  headText,
  pairs,
  requestHead,
  responseHeaders,
  sizeOfHead,
  without,
} from './forwarded-head.ts'
import { answer, whyNoResponse } from './gateway-answer.ts'
import { holding, type Holds } from './holding.ts'
import { listenOnFreePort } from './listen.ts'
import type { ServerAddress } from './server-address.ts'
import { connectToServer, type ProxiedServer } from './server-socket.ts'
import { tunnel } from './tunnel.ts'

/**
 * Settings for a proxy's treatment of responses. Without any settings, the proxy passes on each byte immediately.
 *
 * These proxies imitate real proxies on machines that have none. `{ http: '1.0', holds: 4096 }` behaves like nginx with
 * HTTP/1.0 to the server, and `{ holds: 'head' }` like nginx with HTTP/1.1. `{ gzip: true }` behaves like nginx with
 * compression.
 *
 * No setting applies to a WebSocket, which passes through untouched, or to informational responses such as 103. A request
 * body passes on as it arrives, unless it has no length and the proxy sends it over HTTP/1.0.
 */
export type ProxySetting = {
  /** The host of the server; 127.0.0.1 by default. */
  host?: string
  /** The TLS connection to the server, if it needs one. */
  tls?: ServerAddress['tls']
  /** The HTTP version of requests to the server. Over HTTP/1.0, a response has no chunks, so it ends when the connection closes. */
  http?: '1.0' | '1.1'
  /** The part of the response that the proxy buffers. */
  holds?: Holds
  /** Compresses uncompressed responses for clients that accept gzip. Without a flush, nothing arrives before the end. */
  gzip?: boolean
  /** Ignores `X-Accel-Buffering: no`. By default, the proxy obeys this header, so it buffers nothing and flushes each piece. */
  ignoresAccelBuffering?: boolean
  /**
   * The number of pieces of the response that the proxy still reads after the client has disconnected, before it closes the
   * connection to the server. 0 by default. Real proxies notice a disconnect only when they send, and sending the first
   * piece afterwards still succeeds.
   */
  tellsServerAfter?: number
  /** Called when the proxy notices that the client has disconnected. */
  onLeft?(): void
  /** Called with all bytes between the proxy and the server. */
  onCrossed?: ProxiedServer['onCrossed']
}

export type Proxy = { readonly port: number; stop(): Promise<void> }

/** Starts a proxy for the server at `serverPort`, on a free port of 127.0.0.1. */
export async function startProxy(serverPort: number, setting: ProxySetting = {}): Promise<Proxy> {
  const { host = '127.0.0.1', tls, http = '1.1', onCrossed } = setting
  const address: ProxiedServer = {
    host,
    port: serverPort,
    ...(tls && { tls }),
    ...(onCrossed && { onCrossed }),
  }
  const sockets = new Set<Socket>()
  const track = (socket: Socket): Socket => {
    sockets.add(socket)
    return socket.once('close', () => sockets.delete(socket))
  }

  // Like nginx, accept lines that end with LF only, and wait for a slow request.
  const server = createServer({ insecureHTTPParser: true, requestTimeout: 0 })
  server.on('connection', track)
  const inTurn = oneByOne((request, response) =>
    forward(request, response, {
      address,
      setting,
      connect: () => track(connectToServer(address, http)),
    }).catch((error: Error) =>
      answer(response, 400, `The proxy could not pass on the request: ${error.message}.`),
    ),
  )
  server.on('request', inTurn)
  server.on('checkContinue', inTurn)
  server.on('checkExpectation', inTurn)
  server.on('upgrade', (request, client: Socket, first) => {
    if (/^websocket$/i.test(request.headers.upgrade ?? '')) {
      tunnel(request, { client, server: track(connectToServer(address)), first }, address)
      return
    }
    // A server may ignore any other upgrade, so read the same request again without it.
    const { method, url, httpVersion } = request
    const head = headText(`${method} ${url} HTTP/${httpVersion}`, without(request, ['connection']))
    client.unshift(Buffer.concat([Buffer.from(head, 'latin1'), first]))
    server.emit('connection', client)
  })
  const port = await listenOnFreePort(server)
  return {
    port,
    stop() {
      const stopped = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const socket of sockets) socket.destroy()
      return stopped
    },
  }
}

type Handler = (request: IncomingMessage, response: ServerResponse) => unknown

/** Returns a handler that waits with each request until the previous one on the same connection has been answered. */
function oneByOne(handle: Handler): Handler {
  const answered = new WeakMap<Socket, Promise<void>>()
  return async (request, response) => {
    const { socket } = request
    const previous = answered.get(socket)
    answered.set(socket, new Promise((resolve) => response.once('close', resolve)))
    await previous
    if (!socket.destroyed) handle(request, response)
  }
}

/** How a request reaches the server, and how its response comes back. */
type Route = { address: ProxiedServer; setting: ProxySetting; connect(): Socket }

/** Passes a request on to the server, and the response back to the client. */
async function forward(
  request: IncomingMessage,
  response: ServerResponse,
  { address, setting, connect }: Route,
): Promise<void> {
  const { http = '1.1', tellsServerAfter = 0, onLeft } = setting
  let whole: Buffer | undefined
  if (http === '1.0') {
    // HTTP/1.0 knows neither 100 Continue nor chunks, so a body without a length has to be read first.
    if (/^100-continue$/i.test(request.headers.expect ?? '')) response.writeContinue()
    if (request.headers['transfer-encoding']) {
      whole = await wholeBody(request)
      if (!whole) return answer(response, 413, TOO_LARGE)
    }
  }

  const upstream = requestTo({
    ...requestHead(request, { http, address, length: whole?.length }),
    createConnection: connect,
    insecureHTTPParser: true,
  })
  let message: IncomingMessage | undefined
  let hasFailed = false
  const fail = (error: NodeJS.ErrnoException): void => {
    hasFailed = true
    if (!response.headersSent) answer(response, 502, whyNoResponse(error, address))
    else if (!message?.complete) response.socket?.resetAndDestroy()
  }
  upstream.on('information', ({ statusCode, statusMessage, rawHeaders }) => {
    if (response.destroyed || request.httpVersion === '1.0') return
    if (statusCode === 100) return response.writeContinue()
    const head = headText(`HTTP/1.1 ${statusCode} ${statusMessage}`, rawHeaders)
    response.socket?.write(head, 'latin1')
  })
  upstream.on('response', (arrived) => {
    message = arrived.on('error', fail)
    if (response.destroyed) return void message.resume()
    try {
      respond(message, request, response, setting)
    } catch (error) {
      // The head contains something that Node's parser reads, but that must not be sent.
      fail(error as Error)
      upstream.destroy()
    }
  })
  upstream.on('error', fail)
  // Read the rest of a request that has been answered early, because the next request comes after it.
  upstream.on('close', () => request.resume())
  response.once('close', () => {
    const hasLeft = !response.writableFinished && !hasFailed
    if (hasLeft) onLeft?.()
    if (!hasLeft || tellsServerAfter === 0) return upstream.destroy()
    let piecesForNobody = 0
    upstream.socket?.on('data', () => {
      piecesForNobody += 1
      if (piecesForNobody >= tellsServerAfter) upstream.destroy()
    })
    // Resume the response, because the next piece would never arrive while it is paused.
    message?.unpipe().resume()
  })

  if (whole) return void upstream.end(whole)
  passTrailers(request, upstream)
  request.pipe(upstream)
  upstream.flushHeaders()
}

/** Passes a response on to the client, and holds what the setting says. */
function respond(
  message: IncomingMessage,
  request: IncomingMessage,
  response: ServerResponse,
  { holds, gzip = false, ignoresAccelBuffering = false }: ProxySetting,
): void {
  // Like nginx, compare the value without regard to case.
  const asked = String(message.headers['x-accel-buffering'])
  const isUnbuffered = !ignoresAccelBuffering && /^no$/i.test(asked)
  const zip =
    gzip && mayCompress(request, message)
      ? createGzip(isUnbuffered ? { flush: constants.Z_SYNC_FLUSH } : {})
      : undefined
  const held = holding(isUnbuffered ? undefined : zip ? 'end' : holds, sizeOfHead(message))

  response.sendDate = false
  response.writeHead(
    message.statusCode!,
    message.statusMessage,
    responseHeaders(message, request, zip !== undefined),
  )
  // Not flushHeaders(), which would encode the head as UTF-8.
  if (isUnbuffered || holds === undefined) response.write('', 'latin1')
  passTrailers(message, response)
  // The client may disconnect at any time, and then 'close' follows.
  pipeline(zip ? [zip, held, response] : [held, response], () => {})
  message.pipe(zip ?? held)
}

/** Adds the trailers of a message to the end of another, before the other ends. */
function passTrailers(from: IncomingMessage, to: OutgoingMessage): void {
  from.once('end', () => {
    try {
      to.addTrailers(pairs(from.rawTrailers))
    } catch {
      // A trailer contains something that Node's parser reads, but that must not be sent.
      to.destroy()
    }
  })
}

/** Returns whether the proxy may compress a response. Like nginx, it compresses only whole pages. */
function mayCompress(
  { method, headers }: IncomingMessage,
  { statusCode, headers: { 'content-encoding': coding } }: IncomingMessage,
): boolean {
  const takesGzip = /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/i.test(
    String(headers['accept-encoding']),
  )
  return takesGzip && !coding && method !== 'HEAD' && [200, 403, 404].includes(statusCode!)
}

/** Returns the body of a request when it is whole, or undefined as soon as it is too large. */
function wholeBody(request: IncomingMessage): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = []
    let size = 0
    request.on('data', (piece: Buffer) => {
      size += piece.length
      if (size <= MOST_BYTES_HELD) pieces.push(piece)
      else resolve(undefined)
    })
    request.on('end', () => resolve(Buffer.concat(pieces)))
  })
}

const MOST_BYTES_HELD = 16 * 1024 * 1024
const TOO_LARGE =
  'The proxy sends requests over HTTP/1.0, so it has to hold a body without a Content-Length until it is whole. ' +
  'This body is larger than 16 MiB, which is the most that the proxy holds.'
