import { endOfHead, LF } from './message-head.ts'
import { joined, NOTHING, type Emit, type Segment } from './segment.ts'

/**
 * The place of one direction of a connection in its HTTP/1 messages (RFC 9112, sections 6 and 7). It is plain data, so that
 * a copy continues on its own.
 */
export type HttpFraming = {
  /** The kind of the next segment. After `frame`, the bytes belong to another protocol. */
  next: Segment['kind']
  /** The beginning of a head or of a size line whose end has not arrived yet. */
  waiting: Uint8Array
  /** The number of bytes of the current chunk or body that have not arrived yet. */
  left: number
  isChunked: boolean
}

/**
 * What follows a head: a body in chunks, of some length, or until the connection is closed; no body; the real head after
 * an interim one; or another protocol. `unknown` means that the head contradicts itself, so everything after it is ambiguous.
 */
export type AfterHead =
  | 'chunks'
  | 'close'
  | 'no body'
  | 'another head'
  | 'frames'
  | 'unknown'
  | { length: number }

/** The decisions that depend on the heads of messages. */
export type Borders = {
  head(bytes: Uint8Array): AfterHead
  /** Called when a part of a body has arrived, with its number of bytes. */
  body(size: number): void
  /** Called at the end of a message. Returns the kind of what follows. */
  ended(): 'head' | 'extra'
}

export function httpFraming(): HttpFraming {
  return { next: 'head', waiting: NOTHING, left: 0, isChunked: false }
}

/**
 * Advances a framing by bytes that have just arrived, and returns those that follow the end of HTTP. The time that this takes
 * does not depend on what arrived before.
 *
 * @param emit called with each segment that the bytes complete or continue
 */
export function advance(
  framing: HttpFraming,
  bytes: Uint8Array,
  borders: Borders,
  emit?: Emit,
): Uint8Array {
  const whole = joined(framing.waiting, bytes)
  framing.waiting = NOTHING
  let at = 0
  while (at < whole.length && framing.next !== 'frame') {
    const to = endOfSegment(framing, whole, at)
    if (to === -1) {
      framing.waiting = whole.subarray(at)
      if (framing.waiting.length < LONGEST_HEAD) return NOTHING
      framing.next = 'extra'
      continue
    }
    const kind = framing.next
    if (kind === 'head') {
      const after = borders.head(whole.subarray(at, to))
      emit?.(after === 'another head' ? 'interim' : 'head', whole, at, to)
      follow(framing, after, borders)
    } else {
      emit?.(kind, whole, at, to)
      if (kind === 'data') borders.body(to - at)
      leave(framing, to - at, borders)
    }
    at = to
  }
  return whole.subarray(at)
}

/** Returns the end of the segment that begins at `at`, or -1 if the segment needs more bytes. */
function endOfSegment(framing: HttpFraming, whole: Uint8Array, at: number): number {
  switch (framing.next) {
    case 'head':
      return endOfHead(whole, at)
    case 'size':
      return endOfSize(framing, whole, at)
    case 'framing':
      return whole.length < at + 2 ? -1 : at + 2
    case 'last':
      return endOfHead(whole, at)
    case 'data':
      return Math.min(at + framing.left, whole.length)
    default:
      return whole.length
  }
}

/** Reads the length of a chunk without making a string of it, because a stream has a chunk for each event. */
function endOfSize(framing: HttpFraming, whole: Uint8Array, at: number): number {
  const end = whole.indexOf(LF, at)
  if (end === -1) return -1
  let size = 0
  let position = at
  for (; position < end; position += 1) {
    const digit = hexDigit(whole[position]!)
    if (digit === undefined) break
    size = size * 16 + digit
  }
  if (position === at || size > Number.MAX_SAFE_INTEGER) {
    framing.next = 'extra'
    return whole.length
  }
  framing.left = size
  if (size > 0) return end + 1
  framing.next = 'last'
  return endOfHead(whole, at)
}

function hexDigit(byte: number): number | undefined {
  if (byte >= 48 && byte <= 57) return byte - 48
  const letter = byte | 32
  return letter >= 97 && letter <= 102 ? letter - 87 : undefined
}

/** Moves a framing on from a head. */
function follow(framing: HttpFraming, after: AfterHead, { ended }: Borders): void {
  framing.isChunked = after === 'chunks'
  framing.left = typeof after === 'object' ? after.length : Infinity
  if (after === 'another head') return
  if (after === 'frames') framing.next = 'frame'
  else if (after === 'unknown') framing.next = 'extra'
  else if (after === 'chunks') framing.next = 'size'
  else if (after === 'no body' || framing.left === 0) framing.next = ended()
  else framing.next = 'data'
}

/** Moves a framing on from a segment of this length that is not a head. */
function leave(framing: HttpFraming, length: number, { ended }: Borders): void {
  if (framing.next === 'size') framing.next = 'data'
  else if (framing.next === 'framing') framing.next = 'size'
  else if (framing.next === 'last') framing.next = ended()
  else if (framing.next === 'data') {
    framing.left -= length
    if (framing.left > 0) return
    framing.next = framing.isChunked ? 'framing' : ended()
  }
}

/** Servers accept heads of 8 to 64 KiB, so anything longer is not a head. */
const LONGEST_HEAD = 256 * 1024
