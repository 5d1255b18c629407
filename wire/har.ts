import type { Content, Cookie, Entry, Har, PostData, Request, Response, Timings } from 'har-format'
import { decompress } from './decompress.ts'
import type { RecordedEntry } from './entry.ts'
import { joinPieces, messagesIn, type Field, type Message } from './messages.ts'
import type { Origin } from './recording.ts'

/**
 * An entry of a HAR file. Names that begin with `_` are not part of HAR 1.2. Chrome also writes `_webSocketMessages`,
 * `_resourceType` and `_error`.
 */
export type HarEntry = Omit<Entry, 'response' | '_chunks'> & {
  response: Response & { _error?: string }
  /**
   * The parts in which the body of the response arrived: the time since the beginning of the entry, in milliseconds, and the
   * number of bytes, without framing and before decompression.
   */
  _chunks: { timestamp: number; bytes: number }[]
  /** The end of the response. `open` also stands for a client that disconnected first. */
  _end: 'complete' | 'ended' | 'reset' | 'open'
  _webSocketMessages?: WebSocketMessage[]
  _resourceType?: 'websocket'
}

/** A message of a WebSocket. `time` is in seconds since 1970. `data` is in base64 if the message is not text. */
type WebSocketMessage = { type: 'send' | 'receive'; time: number; opcode: number; data: string }

/** Yields the pieces of a HAR 1.2 file with the exchanges of a recording, including those that are still open. */
export function* serializeHar(
  recording: { entries: readonly RecordedEntry[]; from: number } & Origin,
): Generator<string> {
  const { entries, from, server, began = new Date(0) } = recording
  const of = server === undefined ? '' : ` of ${server}`
  const log: Omit<Har['log'], 'entries'> = {
    version: '1.2',
    creator: { name: 'HTTP Streaming Workshop', version: '1' },
    pages: [],
    comment: `The wire${of}, as its clients saw it.`,
  }
  yield `{"log":${JSON.stringify(log).slice(0, -1)},"entries":[`
  let separator = '\n'
  for (const message of messagesIn(entries)) {
    if (message.exchange.lastEntry < from) continue
    yield separator + JSON.stringify(harEntry(message, began, server))
    separator = ',\n'
  }
  yield '\n]}}\n'
}

function harEntry(message: Message, began: Date, server: string | undefined): HarEntry {
  const { exchange, response, frames } = message
  const { startedAt, connection, end, isFailure } = exchange
  const timings = timingsOf(message)
  const time = timings.send + timings.wait + timings.receive
  const address = server && addressOf(server)
  const comment = end === undefined ? 'Still open when this file was saved.' : commentOn(message)
  return {
    startedDateTime: new Date(began.getTime() + startedAt).toISOString(),
    time,
    request: harRequest(message, server),
    response: { ...harResponse(message), ...(isFailure && end && { _error: end }) },
    cache: {},
    timings,
    ...(address && { serverIPAddress: address }),
    connection: String(connection),
    ...(comment && { comment }),
    _chunks: (response?.body ?? []).map(({ at, bytes }) => ({
      timestamp: at - startedAt,
      bytes: bytes.length,
    })),
    _end: endOf(message),
    ...(frames.length > 0 && {
      _resourceType: 'websocket',
      _webSocketMessages: webSocketMessages(message, began),
    }),
  }
}

function commentOn({ exchange: { end, interim } }: Message): string | undefined {
  const before = interim.length > 0 ? `Preceded by status ${interim.join(', ')}.` : ''
  const how = end === 'complete' ? '' : `The connection was ${end}.`
  return [before, how].filter((text) => text !== '').join(' ') || undefined
}

/** Returns how the response ended. */
export function endOf({ exchange, closing, response }: Message): HarEntry['_end'] {
  if (exchange.end === 'complete') return 'complete'
  if (!closing || closing.by === 'client') return 'open'
  return response?.isUntilClose && closing.how === 'ended' ? 'complete' : closing.how
}

function harRequest({ exchange, request }: Message, server: string | undefined): Request {
  const { method, target, host } = exchange
  const url = urlOf(target, host === undefined ? (server ?? 'http://unknown') : `http://${host}`)
  const body = joinPieces(request.body)
  return {
    method,
    url,
    httpVersion: request.version,
    cookies: request.fields.filter(isNamed('cookie')).flatMap(({ value }) => cookiesIn(value)),
    headers: request.fields,
    queryString: [...new URL(url).searchParams].map(([name, value]) => ({ name, value })),
    ...(body.length > 0 && { postData: postData(body, valueOf(request.fields, 'content-type')) }),
    headersSize: request.headSize,
    bodySize: body.length,
  }
}

/** Returns the URL of a request. A client that speaks to a proxy sends it whole. */
function urlOf(target: string, origin: string): string {
  const path = target.startsWith('/') ? target : `/${target}`
  const text = /^https?:\/\//i.test(target) ? target : `${origin}${path}`
  return URL.canParse(text) ? new URL(text).href : new URL(encodeURI(path), 'http://unknown').href
}

function postData(body: Uint8Array, mimeType: string): PostData {
  const text = textOf(body)
  // HAR 1.2 has no encoding for the body of a request.
  if (text === undefined) {
    return { mimeType, text: toBase64(body), comment: 'The text is in base64.' }
  }
  return { mimeType, text }
}

function harResponse({ exchange, response }: Message): Response {
  if (!response) {
    return {
      status: 0,
      statusText: '',
      httpVersion: '',
      cookies: [],
      headers: [],
      content: { size: 0, mimeType: 'x-unknown' },
      redirectURL: '',
      headersSize: -1,
      bodySize: -1,
    }
  }
  const { fields, firstLine, version, headSize } = response
  const body = joinPieces(response.body)
  return {
    status: exchange.status!,
    statusText: firstLine.split(' ').slice(2).join(' '),
    httpVersion: version,
    cookies: fields.filter(isNamed('set-cookie')).flatMap(({ value }) => setCookie(value)),
    headers: fields,
    content: contentOf(body, fields),
    redirectURL: valueOf(fields, 'location'),
    headersSize: headSize,
    bodySize: body.length,
  }
}

function contentOf(body: Uint8Array, fields: Field[]): Content {
  const mimeType = valueOf(fields, 'content-type') || 'x-unknown'
  const encoding = valueOf(fields, 'content-encoding').toLowerCase()
  const { bytes, problem } = plain(body, encoding)
  const text = textOf(bytes)
  return {
    size: bytes.length,
    ...(bytes !== body && { compression: bytes.length - body.length }),
    mimeType,
    ...(text === undefined ? { text: toBase64(bytes), encoding: 'base64' } : { text }),
    ...(problem && { comment: `Still compressed with ${encoding}. ${problem}` }),
  }
}

function plain(body: Uint8Array, encoding: string): { bytes: Uint8Array; problem?: string } {
  if (encoding === '' || encoding === 'identity' || body.length === 0) return { bytes: body }
  try {
    return { bytes: decompress(encoding, body) }
  } catch (error) {
    return { bytes: body, problem: (error as Error).message }
  }
}

/** HAR requires `send`, `wait` and `receive`. The tap does not see how long the client took to connect. */
function timingsOf({
  exchange,
  request,
  response,
}: Message): Timings & Required<Pick<Timings, 'send' | 'wait' | 'receive'>> {
  const { startedAt, headAt, endedAt } = exchange
  const last = endedAt ?? response?.body.at(-1)?.at ?? headAt ?? request.lastAt
  const answered = headAt ?? last
  // A server may answer before the whole request has arrived.
  const sent = Math.min(request.lastAt, answered)
  return {
    blocked: -1,
    dns: -1,
    connect: -1,
    ssl: -1,
    send: sent - startedAt,
    wait: answered - sent,
    receive: last - answered,
  }
}

/** Joins the frames of each message. Frames of the protocol itself, such as pings, may arrive between those of a message. */
function webSocketMessages({ frames }: Message, began: Date): WebSocketMessage[] {
  const messages: WebSocketMessage[] = []
  for (const direction of ['request', 'response'] as const) {
    let pending: Message['frames'] = []
    const type = direction === 'request' ? 'send' : 'receive'
    for (const frame of frames) {
      if (frame.direction !== direction || frame.opcode >= CONTROL) continue
      pending.push(frame)
      if (!frame.isLast) continue
      const { opcode, isCompressed } = pending[0]!
      const bytes = joinPieces(pending)
      const text = opcode === TEXT && !isCompressed ? textOf(bytes) : undefined
      messages.push({
        type,
        time: (began.getTime() + frame.at) / 1000,
        opcode: text === undefined ? BINARY : opcode,
        data: text ?? toBase64(bytes),
      })
      pending = []
    }
  }
  return messages.toSorted((one, other) => one.time - other.time)
}

const TEXT = 1
const BINARY = 2
/** Opcodes from here on are control frames (RFC 6455, section 5.5). */
const CONTROL = 8

function cookiesIn(value: string): Cookie[] {
  return value
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '')
    .map(nameAndValue)
}

function setCookie(value: string): Cookie {
  const [first = '', ...rest] = value.split(';').map((part) => part.trim())
  const attributes = new Map(
    rest.map(nameAndValue).map(({ name, value: text }) => [name.toLowerCase(), text]),
  )
  const expires = new Date(attributes.get('expires') ?? '')
  const path = attributes.get('path')
  const domain = attributes.get('domain')
  return {
    ...nameAndValue(first),
    ...(path !== undefined && { path }),
    ...(domain !== undefined && { domain }),
    ...(!Number.isNaN(expires.getTime()) && { expires: expires.toISOString() }),
    httpOnly: attributes.has('httponly'),
    secure: attributes.has('secure'),
  }
}

function nameAndValue(pair: string): { name: string; value: string } {
  const equals = pair.indexOf('=')
  if (equals === -1) return { name: pair, value: '' }
  return { name: pair.slice(0, equals), value: pair.slice(equals + 1) }
}

function isNamed(name: string): (field: Field) => boolean {
  return (field) => field.name.toLowerCase() === name
}

function valueOf(fields: Field[], name: string): string {
  return fields.find(isNamed(name))?.value ?? ''
}

/** Returns the text of bytes, or undefined if they are not UTF-8. Reading the file back yields the same bytes. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

/** Returns the server's IP address, if its origin contains one. */
function addressOf(origin: string): string | undefined {
  const host = new URL(origin).hostname
  return /^[\d.]+$/.test(host) ? host : /^\[(.*)\]$/.exec(host)?.[1]
}
