import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import {
  connect,
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
} from 'node:http2'
import { listenOnFreePort } from './listen.ts'
import type { Proxy } from './proxy.ts'
import { reset } from './reset.ts'
import { authorityOf, connectTo, type ServerAddress } from './server-address.ts'

/**
 * Starts a proxy that speaks HTTP/1.1 with its clients and HTTP/2 with a server that speaks nothing else. It passes on each
 * piece at once. A server that cannot be reached is like one that resets each connection.
 */
export async function startHttp2Bridge(address: ServerAddress): Promise<Proxy> {
  let session: ClientHttp2Session | undefined

  /** Returns the connection to the server, which all requests share as long as it lasts. */
  async function connected(): Promise<ClientHttp2Session> {
    if (session && !session.closed && !session.destroyed) return session
    const { socket, isReady } = connectTo(address)
    socket.on('error', () => {})
    await isReady
    session = connect(originOf(address), { createConnection: () => socket })
    session.on('error', () => {})
    return session
  }

  const server = createServer((request, response) => void forward(request, response))
  // The bridge must not answer "Expect: 100-continue" itself.
  server.on('checkContinue', (request, response) => void forward(request, response))

  async function forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const stream = (await connected()).request(headersOf(request, address), {
        endStream:
          request.headers['content-length'] === undefined && !request.headers['transfer-encoding'],
      })
      passOn(request, response, stream)
    } catch {
      reset(request.socket)
    }
  }

  const port = await listenOnFreePort(server)
  return {
    port,
    stop() {
      session?.destroy()
      const stopped = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      return stopped
    },
  }
}

function passOn(
  request: IncomingMessage,
  response: ServerResponse,
  stream: ClientHttp2Stream,
): void {
  if (!stream.writableEnded) request.pipe(stream)
  stream.on('headers', (headers) => {
    const status = headers[':status']
    if (status === 100) response.writeContinue()
    if (status === 103)
      response.writeEarlyHints({ link: headers['link'] ?? '', ...fieldsOf(headers) })
  })
  stream.on('response', (headers) => {
    const status = headers[':status']!
    response.writeHead(status, fieldsOf(headers))
    response.flushHeaders()
    stream.pipe(response, { end: false })
  })
  stream.on('trailers', (headers) => response.addTrailers(fieldsOf(headers)))
  stream.on('end', () => {
    // A stream that is reset ends as well, but that is a cut.
    if (stream.rstCode === constants.NGHTTP2_NO_ERROR) response.end()
    else reset(request.socket)
  })
  stream.on('error', () => reset(request.socket))
  response.on('close', () => stream.close(constants.NGHTTP2_CANCEL))
}

function headersOf(
  { method, url, headers }: IncomingMessage,
  address: ServerAddress,
): Record<string, string | string[] | undefined> {
  const { host, ...fields } = headers
  for (const name of CONNECTION_FIELDS) delete fields[name]
  return {
    ...fields,
    ':method': method!,
    ':path': url!,
    ':scheme': address.tls ? 'https' : 'http',
    ':authority': host ?? address.host ?? '127.0.0.1',
  }
}

function fieldsOf(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      name.startsWith(':') || value === undefined ? [] : [[name, value]],
    ),
  )
}

function originOf(address: ServerAddress): string {
  return `${address.tls ? 'https' : 'http'}://${authorityOf(address)}`
}

/** Fields that belong to a connection of HTTP/1.1 and are forbidden in HTTP/2 (RFC 9113, section 8.2.2). */
const CONNECTION_FIELDS = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]
