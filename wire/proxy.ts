import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { constants, createGzip } from 'node:zlib'
import type { Arrival } from './arrival.ts'
import { listenOnFreePort } from './listen.ts'
import type { ResponseHead } from './message-head.ts'
import { responseReader } from './response.ts'

/**
 * Settings for a proxy's treatment of responses. Without any settings, the proxy passes on each byte immediately.
 *
 * These proxies imitate real proxies on machines that have none. `{ http: '1.0', holds: 4096 }` behaves like nginx with
 * HTTP/1.0 to the server, and `{ holds: 'head' }` like nginx with HTTP/1.1. `{ gzip: true }` behaves like nginx with
 * compression.
 */
export type ProxySetting = {
  /** The host of the server; 127.0.0.1 by default. */
  host?: string
  /** The HTTP version of requests to the server. Over HTTP/1.0, a response has no chunks, so it ends when the connection closes. */
  http?: '1.0' | '1.1'
  /**
   * The part of the response that the proxy buffers. A number is the size of a buffer that has to be full before it is
   * sent (including the head). `end` buffers everything until the end, `last` buffers each piece until the next one
   * arrives, and `head` buffers the head until the first byte of the body arrives.
   */
  holds?: number | 'end' | 'last' | 'head'
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
  onCrossed?(direction: Arrival['direction'], bytes: Uint8Array): void
}

export type Proxy = { readonly port: number; stop(): Promise<void> }

/** Starts a proxy for the server at `serverPort`, on a free port of 127.0.0.1. */
export async function startProxy(serverPort: number, setting: ProxySetting = {}): Promise<Proxy> {
  const server = createServer((request, response) =>
    forward(request, response, serverPort, setting),
  )
  const port = await listenOnFreePort(server)
  return {
    port,
    stop() {
      const stopped = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      return stopped
    },
  }
}

function forward(
  request: IncomingMessage,
  response: ServerResponse,
  serverPort: number,
  setting: ProxySetting,
): void {
  const { host = '127.0.0.1', http = '1.1', tellsServerAfter = 0, onLeft, onCrossed } = setting
  const upstream = connect({ port: serverPort, host, noDelay: true })
  const reader = responseReader(request.method, http)
  let sink: Sink | undefined
  let hasLeft = false
  let piecesForNobody = 0

  // Like nginx, send the request to the server only when the whole request has arrived.
  const body: Buffer[] = []
  request.on('data', (bytes: Buffer) => body.push(bytes))
  request.once('end', () => {
    const text = requestText(request, http, Buffer.concat(body))
    onCrossed?.('request', text)
    upstream.write(text)
  })
  upstream.on('data', (bytes) => {
    onCrossed?.('response', bytes)
    if (hasLeft) {
      piecesForNobody += 1
      if (piecesForNobody >= tellsServerAfter) upstream.destroy()
      return
    }
    for (const segment of reader.push(bytes)) {
      if (segment.kind === 'head') {
        sink = sinkTo(response, setting, {
          head: reader.head!,
          size: segment.bytes.length,
          takesGzip: /\bgzip\b/.test(request.headers['accept-encoding'] ?? ''),
        })
      }
      if (segment.kind === 'data') sink!.write(segment.bytes)
    }
    if (reader.complete) sink!.end()
    if (response.writableNeedDrain) upstream.pause()
  })
  upstream.on('close', () => {
    // Over HTTP/1.0, the end of a response and a crash look the same.
    if (reader.untilClose) sink?.end()
    else if (!sink) response.writeHead(502).end()
    else if (!reader.complete) response.destroy()
  })
  // Ignore the error, because a 'close' event follows.
  upstream.on('error', () => {})
  response.on('drain', () => upstream.resume())
  response.on('close', () => {
    hasLeft = !response.writableFinished
    if (reader.complete || tellsServerAfter === 0) upstream.destroy()
    // Resume the socket, because it would never receive the next piece while it is paused.
    upstream.resume()
    if (hasLeft) onLeft?.()
  })
}

function requestText(
  { method, url, headers }: IncomingMessage,
  http: string,
  body: Buffer,
): Buffer {
  const { connection: _, 'transfer-encoding': isChunked, ...others } = headers
  if (isChunked) others['content-length'] = String(body.length)
  const lines = Object.entries(others).map(([name, value]) => `${name}: ${String(value)}`)
  const head = [`${method} ${url} HTTP/${http}`, ...lines, 'connection: close', '', ''].join('\r\n')
  return Buffer.concat([Buffer.from(head, 'latin1'), body])
}

/** A destination for the body of one response, which sends it to the client. */
type Sink = { write(bytes: Uint8Array): void; end(): void }

function sinkTo(
  response: ServerResponse,
  { holds, gzip = false, ignoresAccelBuffering = false }: ProxySetting,
  { head, size, takesGzip }: { head: ResponseHead; size: number; takesGzip: boolean },
): Sink {
  // Like nginx, compare the value without regard to case.
  const isUnbuffered =
    !ignoresAccelBuffering && /^no$/i.test(head.headers.get('x-accel-buffering') ?? '')
  const zip = gzip && takesGzip && !head.headers.has('content-encoding') ? createGzip() : undefined
  const out = bufferingSink(response, isUnbuffered ? undefined : zip ? 'end' : holds, size)

  response.statusCode = head.status
  for (const [name, value] of head.headers) {
    if (!HOP_BY_HOP.has(name) && !(zip && name === 'content-length')) {
      response.setHeader(name, value)
    }
  }
  if (zip) response.setHeader('content-encoding', 'gzip')
  if (isUnbuffered || holds === undefined) response.flushHeaders()
  if (!zip) return out

  zip.on('data', (bytes: Buffer) => out.write(bytes))
  zip.on('end', () => out.end())
  return {
    write(bytes) {
      zip.write(bytes)
      if (isUnbuffered) zip.flush(constants.Z_SYNC_FLUSH)
    },
    end: () => void zip.end(),
  }
}

/** Returns a sink that buffers according to `holds`. */
function bufferingSink(
  response: ServerResponse,
  holds: ProxySetting['holds'],
  headSize: number,
): Sink {
  let held: Uint8Array = new Uint8Array()
  // The head occupies part of the first buffer.
  let room = typeof holds === 'number' ? Math.max(1, holds - headSize) : 0
  const send = (bytes: Uint8Array): void => {
    if (bytes.length > 0) response.write(bytes)
  }
  return {
    write(bytes) {
      if (holds === 'last') {
        send(held)
        held = bytes
        return
      }
      held = held.length === 0 ? bytes : Buffer.concat([held, bytes])
      if (holds === 'end') return
      if (typeof holds !== 'number') room = held.length
      for (; held.length > 0 && held.length >= room; room = holds) {
        send(held.subarray(0, room))
        held = held.subarray(room)
        if (typeof holds !== 'number') return
      }
    },
    end() {
      send(held)
      response.end()
    },
  }
}

/** Hop-by-hop headers, and `X-Accel-Buffering`, which is meant for the proxy itself. */
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'x-accel-buffering'])
