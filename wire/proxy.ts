import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { constants, createGzip } from 'node:zlib'
import type { Arrival } from './arrival.ts'
import { responseReader, type Head } from './response.ts'

/**
 * What a proxy does with a response on its way. One that is told nothing of this passes each byte at once.
 *
 * It stands for real ones where there are none: `{ http: '1.0', holds: 4096 }` is nginx that asks over HTTP/1.0,
 * `{ holds: 'head' }` is nginx that asks over HTTP/1.1, with `gzip` nginx that compresses.
 */
export type ProxySetting = {
  /** Where the server is; 127.0.0.1 by default. */
  host?: string
  /** How it asks the server. Over HTTP/1.0 a response has no chunks: it ends when the connection is closed. */
  http?: '1.0' | '1.1'
  /**
   * What it keeps back: all that does not fill a buffer of so many bytes, the head included; everything until
   * the end; the last piece until the next one comes; the head until the first byte of the body comes.
   */
  holds?: number | 'end' | 'last' | 'head'
  /** Compresses what is not compressed yet, for those who take it. Without a flush nothing comes before the end. */
  gzip?: boolean
  /** `X-Accel-Buffering: no` changes nothing. Otherwise the proxy holds nothing then, and flushes each piece. */
  ignoresAccelBuffering?: boolean
  /** When it tells the server that the client has gone. */
  tellsServer?: 'at once' | 'at the next piece' | 'never'
  /** Called when the client has gone, as the proxy sees it. */
  onLeft?(): void
  /** Called with what crosses between the proxy and the server. */
  onCrossed?(direction: Arrival['direction'], bytes: Uint8Array): void
}

export type Proxy = { readonly port: number; stop(): Promise<void> }

/** Starts a proxy before the server at `serverPort`, on a free port of 127.0.0.1. */
export async function startProxy(serverPort: number, setting: ProxySetting = {}): Promise<Proxy> {
  const server = createServer((request, response) =>
    forward(request, response, serverPort, setting),
  )
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    port: (server.address() as AddressInfo).port,
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
  const { host = '127.0.0.1', http = '1.1', tellsServer = 'at once', onLeft, onCrossed } = setting
  const upstream = connect({ port: serverPort, host, noDelay: true })
  const reader = responseReader(request.method, http)
  let sink: Sink | undefined
  let hasLeft = false

  // Like nginx, send the request to the server only when all of it has arrived.
  const body: Buffer[] = []
  request.on('data', (bytes: Buffer) => body.push(bytes))
  request.once('end', () => {
    const text = requestText(request, http, Buffer.concat(body))
    onCrossed?.('request', text)
    upstream.write(text)
  })
  upstream.on('data', (bytes) => {
    onCrossed?.('response', bytes)
    if (hasLeft && tellsServer === 'at the next piece') upstream.destroy()
    if (hasLeft) return
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
    // Over HTTP/1.0 this is what an end looks like, and what a crash looks like.
    if (reader.untilClose) sink?.end()
    else if (!sink) response.writeHead(502).end()
    else if (!reader.complete) response.destroy()
  })
  // 'close' follows.
  upstream.on('error', () => {})
  response.on('drain', () => upstream.resume())
  response.on('close', () => {
    hasLeft = !response.writableFinished
    if (reader.complete || tellsServer === 'at once') upstream.destroy()
    // A paused socket would never see the next piece.
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

/** What takes the body of one response to the client. */
type Sink = { write(bytes: Uint8Array): void; end(): void }

function sinkTo(
  response: ServerResponse,
  { holds, gzip = false, ignoresAccelBuffering = false }: ProxySetting,
  { head, size, takesGzip }: { head: Head; size: number; takesGzip: boolean },
): Sink {
  // nginx reads the value in whatever case it is written.
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

/** Holds back what the setting says. */
function bufferingSink(
  response: ServerResponse,
  holds: ProxySetting['holds'],
  headSize: number,
): Sink {
  let held: Uint8Array = new Uint8Array()
  // The head takes its place in the first buffer.
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

/** Hop-by-hop headers, and the one that is for the proxy itself. */
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'x-accel-buffering'])
