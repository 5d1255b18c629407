import { advance, httpFraming, type AfterHead, type Borders } from './http-framing.ts'
import { parseResponseHead, type ResponseHead } from './message-head.ts'
import type { Segment } from './segment.ts'

/** A reader that splits one HTTP/1 response into segments while its bytes arrive. */
export type ResponseReader = {
  /** Returns the segments that `bytes` complete or continue. Keeps the bytes of an incomplete head or size line for later. */
  push(bytes: Uint8Array): Segment[]
  /** The head. Absent while only interim heads have arrived. */
  readonly head: ResponseHead | undefined
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
  const framing = httpFraming()
  let head: ResponseHead | undefined
  let after: AfterHead = 'unknown'
  let complete = false
  const borders: Borders = {
    head(bytes) {
      const parsed = parseResponseHead(bytes)
      after = afterResponseHead(parsed, method, version)
      if (after !== 'another head') head = parsed
      return after
    },
    body() {},
    ended() {
      complete = true
      return 'extra'
    },
  }
  return {
    push(bytes) {
      const segments: Segment[] = []
      const rest = advance(framing, bytes, borders, (kind, whole, from, to) =>
        segments.push({ kind, bytes: whole.subarray(from, to) }),
      )
      if (rest.length > 0) segments.push({ kind: 'extra', bytes: rest })
      return segments
    },
    get head() {
      return head
    },
    get next() {
      return { kind: framing.next, waiting: framing.waiting.length }
    },
    get complete() {
      return complete
    },
    get untilClose() {
      return after === 'close'
    },
  }
}

/** Returns what follows the head of a response (RFC 9112, section 6.3). */
export function afterResponseHead(
  { status, headers }: ResponseHead,
  method: string,
  version = '1.1',
): AfterHead {
  if (status === 101) return 'frames'
  if (status < 200) return 'another head'
  if (method === 'CONNECT' && status < 300) return 'frames'
  if (method === 'HEAD' || status === 204 || status === 304) return 'no body'
  return bodyOf(headers, version) ?? 'close'
}

/** Returns how the body of a message ends, or undefined if its headers do not say it. */
export function bodyOf(headers: ResponseHead['headers'], version = '1.1'): AfterHead | undefined {
  const isChunked = headers.get('transfer-encoding')?.toLowerCase().endsWith('chunked')
  if (isChunked && version === '1.1') return 'chunks'
  const length = headers.get('content-length')
  if (length === undefined) return undefined
  return /^\d+$/.test(length) ? { length: Number(length) } : 'unknown'
}
