import http, { type ClientRequest, type IncomingMessage } from 'node:http'
import https from 'node:https'
import { decoderOf, type Decoder } from './decode.ts'
import { failureText } from './failure-text.ts'

/** One request, and everything that has arrived in answer to it. Times are in milliseconds since the clock was started. */
export type Asked = {
  /** The address that was asked, and the one that answered after all redirects. */
  requested: string
  url: string
  redirects: { status: number; to: string }[]
  /** The time at which the request was made. */
  asked: number
  /** The duration of the TCP handshake, which is one round trip to the next hop. */
  connectMs?: number
  /** The time at which the request could be sent, after the handshakes of TCP and TLS. */
  connected?: number
  head?: ResponseHead & { at: number }
  /** The body, decompressed. */
  pieces: Piece[]
  /** The number of bytes of the body that have crossed the wire, possibly compressed. */
  received: number
  /** The end of the response. `cut` means that the connection ended before the response was complete. */
  ended?: { at: number; how: 'complete' | 'cut' }
  /** The reason for which the body cannot be read. */
  problem?: string
}

export type ResponseHead = {
  status: number
  text: string
  version: string
  headers: Record<string, string>
}

/** Bytes that arrived together. */
export type Piece = { at: number; bytes: Buffer }

/** A request that is running. */
export type Asking = {
  /** Grows while the response arrives. */
  readonly asked: Asked
  /** Closes the connection. */
  stop(): void
}

export type AskOptions = {
  headers: Record<string, string>
  method?: string
  isInsecure?: boolean
  /** Returns the time. All requests whose times are compared share one clock. */
  now(): number
  /** Called whenever `asked` has changed. */
  changed?(): void
}

/** Sends a request on a connection of its own, follows redirects, and records when each piece of the response arrives. */
export function ask(url: URL, options: AskOptions): Asking {
  const { headers, method = 'GET', isInsecure = false, now, changed = () => {} } = options
  const asked: Asked = {
    requested: url.href,
    url: url.href,
    redirects: [],
    asked: now(),
    pieces: [],
    received: 0,
  }
  let request: ClientRequest
  let isStopped = false

  function send(to: URL): void {
    asked.url = to.href
    const { request: open } = to.protocol === 'https:' ? https : http
    request = open(to, { method, headers, agent: false, rejectUnauthorized: !isInsecure })
    request.on('socket', (socket) => {
      let began = now()
      socket.once('lookup', () => (began = now()))
      socket.once('connect', () => {
        asked.connected = now()
        asked.connectMs = asked.connected - began
      })
      socket.once('secureConnect', () => (asked.connected = now()))
    })
    request.on('response', (response) => {
      const { location } = response.headers
      const target = isRedirect(response.statusCode!) ? location : undefined
      if (target && URL.canParse(target, to.href) && asked.redirects.length < MOST_REDIRECTS) {
        const next = new URL(target, to)
        asked.redirects.push({ status: response.statusCode!, to: next.href })
        response.destroy()
        send(next)
      } else receive(response)
    })
    request.on('error', (error) => fail(failureText(error, to)))
    request.end()
  }

  function receive(response: IncomingMessage): void {
    asked.head = { at: now(), ...headOf(response) }
    const decoder = decoderOf(
      response.headers['content-encoding'],
      (bytes, at) => {
        asked.pieces.push({ at, bytes })
        changed()
      },
      (why) => fail(`its ${response.headers['content-encoding']} cannot be decompressed: ${why}`),
    )
    if (!decoder) {
      fail(`this version of Node cannot decompress "${response.headers['content-encoding']}"`)
    }
    response.on('data', (bytes: Buffer) => {
      asked.received += bytes.length
      decoder?.push(bytes, now())
    })
    response.once('end', () => end(decoder, 'complete'))
    response.once('close', () => end(decoder, 'cut'))
    // The 'close' event follows.
    response.on('error', () => {})
    changed()
  }

  function end(decoder: Decoder | undefined, how: 'complete' | 'cut'): void {
    if (asked.ended || isStopped) return
    asked.ended = { at: now(), how }
    if (decoder) decoder.end(changed)
    else changed()
  }

  function fail(problem: string): void {
    // After the head, a broken connection is a response that was cut off.
    if (isStopped || asked.problem || (asked.head && asked.ended)) return
    asked.problem = problem
    changed()
  }

  send(url)
  return {
    asked,
    stop() {
      isStopped = true
      request.destroy()
    },
  }
}

function headOf({
  statusCode,
  statusMessage,
  httpVersion,
  rawHeaders,
}: IncomingMessage): ResponseHead {
  const headers: Record<string, string> = {}
  for (let n = 0; n < rawHeaders.length; n += 2) {
    const name = rawHeaders[n]!.toLowerCase()
    const value = rawHeaders[n + 1]!
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value
  }
  return { status: statusCode!, text: statusMessage ?? '', version: httpVersion, headers }
}

function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status)
}

const MOST_REDIRECTS = 5
