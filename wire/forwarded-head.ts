import type { IncomingMessage } from 'node:http'
import { authorityOf } from './server-address.ts'
import type { ProxiedServer } from './server-socket.ts'

/** A head as Node's http module takes it: names and values in turn, in their order and spelling. */
export type RawHeaders = string[]

/**
 * Returns the head with which a proxy sends a request to the server.
 *
 * @param options.length the length of the body, if the proxy knows it better than the client
 */
export function requestHead(
  request: IncomingMessage,
  {
    http,
    address,
    length,
  }: { http: '1.0' | '1.1'; address: ProxiedServer; length: number | undefined },
): { method: string; path: string; headers: RawHeaders } {
  const { method = 'GET', url = '/' } = request
  const [, authority, path = url] = /^https?:\/\/([^/?#]*)(.*)$/i.exec(url) ?? []
  // The authority of a whole URL has priority over the Host header (RFC 9112, section 3.2.2). HTTP/1.0 needs neither.
  const host = authority ?? request.headers.host ?? authorityOf(address)
  const framing = framingOf(request, length)
  const dropped = [...FOR_ONE_HOP, 'host', 'content-length']
  if (http === '1.0') dropped.push('expect')
  // Only chunks can carry trailers.
  if (!framing.includes('chunked')) dropped.push('trailer')
  return {
    method,
    path: /^[/*]/.test(path) ? path : `/${path}`,
    headers: ['Host', host, ...without(request, dropped), ...framing, 'Connection', 'close'],
  }
}

/** Returns the header that says where the body of a request ends. */
function framingOf(
  { method = 'GET', headers }: IncomingMessage,
  length: number | undefined,
): RawHeaders {
  if (length !== undefined) return ['Content-Length', String(length)]
  if (headers['transfer-encoding']) return ['Transfer-Encoding', 'chunked']
  if (headers['content-length']) return ['Content-Length', headers['content-length']]
  // For any other method, Node would announce chunks.
  return /^(GET|HEAD|DELETE|OPTIONS|TRACE)$/.test(method) ? [] : ['Content-Length', '0']
}

/** Returns the headers with which a proxy passes on a response. */
export function responseHeaders(
  message: IncomingMessage,
  request: IncomingMessage,
  isCompressed: boolean,
): RawHeaders {
  const { statusCode, headers } = message
  const isChunked = headers['transfer-encoding'] !== undefined
  const dropped = [...FOR_ONE_HOP, 'x-accel-buffering']
  // A length beside chunks is wrong (RFC 9112, section 6.3).
  if (isCompressed || isChunked) dropped.push('content-length')
  const hasBody = request.method !== 'HEAD' && statusCode !== 204 && statusCode !== 304
  // Only chunks can carry trailers.
  if (!isChunked || !hasBody || request.httpVersion === '1.0') dropped.push('trailer')
  const passed = without(message, dropped)
  return isCompressed ? [...passed, 'Content-Encoding', 'gzip'] : passed
}

/** Returns the size of a response head in bytes, as servers usually write it. */
export function sizeOfHead({ statusCode, statusMessage, rawHeaders }: IncomingMessage): number {
  return headText(`HTTP/1.1 ${statusCode} ${statusMessage}`, rawHeaders).length
}

/** Returns the text of a head, which has to be encoded as latin1. */
export function headText(firstLine: string, headers: RawHeaders): string {
  const lines = pairs(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${firstLine}\r\n${lines.join('')}\r\n`
}

/** Returns the names with their values. */
export function pairs(headers: RawHeaders): [name: string, value: string][] {
  return headers.flatMap((name, n) =>
    n % 2 === 0 ? [[name, headers[n + 1]!] as [string, string]] : [],
  )
}

/** Returns the headers of a message without the dropped ones and those that its Connection header names. */
export function without({ rawHeaders, headers }: IncomingMessage, dropped: string[]): RawHeaders {
  const named = (headers.connection ?? '').toLowerCase().split(/\s*,\s*/)
  const names = new Set([...dropped, ...named])
  return pairs(rawHeaders)
    .filter(([name]) => !names.has(name.toLowerCase()))
    .flat()
}

/** Headers that are meant for the next hop only (RFC 9110, section 7.6.1). */
const FOR_ONE_HOP = ['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade']
