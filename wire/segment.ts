/**
 * A part of what one side sends, and its kind: `head` is the first line and the headers, including the blank line after
 * them; `interim` a head with a status below 200, which the real one follows; `size` the length line of a chunk; `data` the
 * body itself; `framing` the CR LF after a chunk; `last` the chunk of length 0 with its trailers; `frame` the header of a
 * WebSocket or HTTP/2 frame; and `extra` any bytes that are not HTTP.
 */
export type Segment = {
  kind: 'head' | 'interim' | 'size' | 'data' | 'framing' | 'last' | 'frame' | 'extra'
  bytes: Uint8Array
  /** The type and the length of a frame: `text, 12 B`. */
  label?: string
  /** The header of a WebSocket frame. */
  frame?: FrameFacts
  /** The bytes as the client meant them. A WebSocket client masks everything that it sends. */
  unmasked?: Uint8Array
}

/** What the header of a WebSocket frame says: the name of the opcode, and the length of the content in bytes. */
export type FrameFacts = { opcode: string; length: number; isCompressed: boolean; isLast: boolean }

/** A receiver for segments, which lie in `whole`. `more` describes a frame or its content. */
export type Emit = (
  kind: Segment['kind'],
  whole: Uint8Array,
  from: number,
  to: number,
  more?: Pick<Segment, 'label' | 'frame' | 'unmasked'>,
) => void

/** Joins bytes that are kept from earlier with bytes that have just arrived. */
export function joined(before: Uint8Array, bytes: Uint8Array): Uint8Array {
  if (before.length === 0) return bytes
  const whole = new Uint8Array(before.length + bytes.length)
  whole.set(before)
  whole.set(bytes, before.length)
  return whole
}

/** Joins any number of pieces. */
export function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}

export const NOTHING = new Uint8Array()
