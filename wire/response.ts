/**
 * A part of an HTTP/1 response, and its kind: `head` is the status line and the headers, including the blank line after
 * them; `size` the length line of a chunk; `data` the body itself; `framing` the CR LF after a chunk; `last` the chunk of
 * length 0 with its trailers; and `extra` any bytes after the end of the response.
 */
export type Segment = {
  kind: 'head' | 'size' | 'data' | 'framing' | 'last' | 'extra'
  bytes: Uint8Array
}

export type Head = { status: number; version: string; headers: Map<string, string> }

/** The end of a body: a chunk of length 0, `Content-Length` bytes, or the end of the connection. `none` means no body. */
type Ending = 'chunked' | 'length' | 'close' | 'none'

/** A reader that splits one HTTP/1 response into segments while its bytes arrive (RFC 9112, sections 6 and 7). */
export type ResponseReader = {
  /** Returns the segments that `bytes` complete or continue. Keeps the bytes of an incomplete head or size line for later. */
  push(bytes: Uint8Array): Segment[]
  readonly head: Head | undefined
  /** The kind of the next segment, and the number of its bytes that have already arrived. */
  readonly next: { kind: Segment['kind']; waiting: number }
  /** Whether the response has ended as HTTP prescribes. Stays false if only a close ends the response (`untilClose`). */
  readonly complete: boolean
  readonly untilClose: boolean
}

/**
 * Creates a reader for the response to one request.
 *
 * @param method the request's method; the response to a HEAD has no body, whatever its headers say
 * @param version the request's version; a client that speaks HTTP/1.0 treats chunk sizes as part of the body
 */
export function responseReader(method = 'GET', version = '1.1'): ResponseReader {
  let waiting: Uint8Array = new Uint8Array()
  let head: Head | undefined
  let ending: Ending = 'none'
  let state: Segment['kind'] = 'head'
  let left = 0
  let isBroken = false

  /** Takes the next segment off `waiting`. Returns undefined if the segment needs more bytes. */
  function take(): Segment | undefined {
    if (waiting.length === 0) return undefined
    if (state === 'extra') return cut('extra', waiting.length)
    if (state === 'head') {
      const end = indexOf(waiting, '\r\n\r\n')
      if (end === -1) return undefined
      const segment = cut('head', end + 4)
      head = parseHead(segment.bytes)
      ending = endingOf(head, method, version)
      left = ending === 'length' ? Number(head.headers.get('content-length')) : Infinity
      if (!(left >= 0)) return giveUp(segment)
      state = ending === 'chunked' ? 'size' : ending === 'none' || left === 0 ? 'extra' : 'data'
      return segment
    }
    if (state === 'size') {
      const end = indexOf(waiting, '\r\n')
      if (end === -1) return undefined
      left = Number.parseInt(latin1(waiting.subarray(0, end)), 16)
      if (!(left >= 0)) return giveUp(cut('extra', waiting.length))
      if (left === 0) {
        state = 'last'
        return take()
      }
      state = 'data'
      return cut('size', end + 2)
    }
    if (state === 'last') {
      const end = indexOf(waiting, '\r\n\r\n')
      if (end === -1) return undefined
      state = 'extra'
      return cut('last', end + 4)
    }
    if (state === 'framing') {
      if (waiting.length < 2) return undefined
      state = 'size'
      return cut('framing', 2)
    }
    const segment = cut('data', Math.min(left, waiting.length))
    left -= segment.bytes.length
    if (left === 0) state = ending === 'chunked' ? 'framing' : 'extra'
    return segment
  }

  /** Gives up on an invalid length, because everything after it is ambiguous. The response never completes. */
  function giveUp(segment: Segment): Segment {
    state = 'extra'
    isBroken = true
    return segment
  }

  function cut(kind: Segment['kind'], length: number): Segment {
    const bytes = waiting.subarray(0, length)
    waiting = waiting.subarray(length)
    return { kind, bytes }
  }

  return {
    push(bytes) {
      waiting = waiting.length === 0 ? bytes : concat(waiting, bytes)
      const segments: Segment[] = []
      for (let segment = take(); segment; segment = take()) segments.push(segment)
      return segments
    },
    get head() {
      return head
    },
    get next() {
      return { kind: state, waiting: waiting.length }
    },
    get complete() {
      return state === 'extra' && !isBroken
    },
    get untilClose() {
      return ending === 'close'
    },
  }
}

function parseHead(bytes: Uint8Array): Head {
  const [statusLine = '', ...lines] = latin1(bytes).trimEnd().split('\r\n')
  const [version = '', status] = statusLine.split(' ')
  const headers = new Map<string, string>()
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    // Lines with the same name form one list (RFC 9110, section 5.3).
    headers.set(name, headers.has(name) ? `${headers.get(name)}, ${value}` : value)
  }
  return { status: Number(status), version, headers }
}

/** Returns the way in which a body ends (RFC 9112, section 6.3). */
function endingOf({ status, headers }: Head, method: string, version: string): Ending {
  if (method === 'HEAD' || status === 204 || status === 304 || status < 200) return 'none'
  const isChunked = headers.get('transfer-encoding')?.toLowerCase().endsWith('chunked')
  if (isChunked && version === '1.1') return 'chunked'
  if (headers.has('content-length')) return 'length'
  return 'close'
}

/** Returns the index of the ASCII string `text`, or -1. Does without Node's Buffer, because the page also runs this file. */
function indexOf(bytes: Uint8Array, text: string): number {
  const first = text.charCodeAt(0)
  for (let at = bytes.indexOf(first); at !== -1; at = bytes.indexOf(first, at + 1)) {
    if (latin1(bytes.subarray(at, at + text.length)) === text) return at
  }
  return -1
}

/** Decodes each byte as one character. TextDecoder cannot do this, because its "latin1" is windows-1252. */
function latin1(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return text
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const whole = new Uint8Array(a.length + b.length)
  whole.set(a)
  whole.set(b, a.length)
  return whole
}
