import { eventItems, lineItems, type Items, type Piece } from './body-items.ts'
import { hexDump } from './hex-dump.ts'
import type { Headers } from './message-head.ts'
import { legible } from './visible.ts'

/** A body, as far as it has arrived. Bytes are without framing. */
export type Body = {
  /** The number of bytes that crossed the wire. */
  size: number
  /** The compression: `gzip`. */
  encoding?: string
  /** The number of bytes after decompression. */
  decompressed?: number
  /** The reason why the body is not decompressed, or not to its end, in a sentence. */
  problem?: string
  content?: Content
}

/**
 * What a body says: the events or lines that have arrived, or the beginning of its text. `shown` is the number of bytes of
 * which `text` consists, and `invalid` the reason why a JSON text is not JSON.
 */
export type Content =
  | ({ as: 'events' | 'lines' } & Items)
  | { as: 'JSON' | 'text' | 'hex'; text: string; shown: number; invalid?: string }

/**
 * Opens a decompressor for the value of `Content-Encoding`, or for `deflate-raw`.
 *
 * @throws Error with a sentence for the user if the encoding is not known here
 */
export type OpenDecompressor = (encoding: string) => Decompressor

export type Decompressor = {
  /**
   * Returns everything that another part of the compressed bytes makes readable.
   *
   * @throws Error with a sentence for the user if the bytes are not valid
   */
  push(bytes: Uint8Array): Promise<Uint8Array>
  close(): void
}

/**
 * Returns whether a body with this first byte has a zlib header. By the standard, `deflate` has one, but some servers send
 * it without (RFC 9110, section 8.4.1.2).
 */
export function hasZlibHeader(first: number): boolean {
  return (first & 0x0f) === 8
}

/**
 * Reads a body, after decompression. Returns undefined if it is empty.
 *
 * @param isWhole whether the body has arrived completely
 */
export async function readBody(
  headers: Headers,
  pieces: readonly Piece[],
  isWhole: boolean,
  open: OpenDecompressor,
): Promise<Body | undefined> {
  const size = sizeOf(pieces)
  if (size === 0) return undefined
  const encoding = headers.get('content-encoding')?.toLowerCase() ?? 'identity'
  const type = headers.get('content-type') ?? ''
  if (encoding === 'identity') return { size, content: contentOf(type, pieces, isWhole) }
  const { plain, problem } = await decompressed(pieces, encoding, open)
  const isReadable = plain.length > 0 || problem === undefined
  return {
    size,
    encoding,
    ...(isReadable && { decompressed: sizeOf(plain) }),
    ...(problem !== undefined && { problem }),
    ...(plain.length > 0 && { content: contentOf(type, plain, isWhole && !problem) }),
  }
}

/** Decompresses pieces. Each result has the time of the piece that made it readable. */
async function decompressed(
  pieces: readonly Piece[],
  encoding: string,
  open: OpenDecompressor,
): Promise<{ plain: Piece[]; problem?: string }> {
  const plain: Piece[] = []
  let size = 0
  let decompressor: Decompressor | undefined
  try {
    decompressor = open(encoding)
    for (const { at, bytes } of pieces) {
      const out = await decompressor.push(bytes)
      if (out.length > 0) plain.push({ at, bytes: out })
      size += out.length
      if (size > MOST_DECOMPRESSED) {
        return { plain, problem: 'Only the first 16 MiB are decompressed.' }
      }
    }
    return { plain }
  } catch (error) {
    return { plain, problem: (error as Error).message }
  } finally {
    decompressor?.close()
  }
}

const MOST_DECOMPRESSED = 16 * 1024 * 1024

function contentOf(type: string, pieces: readonly Piece[], isWhole: boolean): Content {
  const [media = '', ...parameters] = type.toLowerCase().split(';')
  if (/^text\/event-stream\b/.test(media)) return { as: 'events', ...eventItems(pieces) }
  if (/\b(nd-?json|jsonl|jsonlines)\b/.test(media)) {
    return { as: 'lines', ...lineItems(pieces, isWhole) }
  }
  const isJson = /[/+]json\b/.test(media)
  const size = sizeOf(pieces)
  const bytes = beginning(pieces, isJson ? MOST_JSON : MOST_SHOWN)
  const text = textOf(bytes, parameters)
  if (!isJson && !/^text\//.test(media) && text.search(NOT_TEXT) !== -1) {
    const some = bytes.subarray(0, MOST_HEX)
    return { as: 'hex', text: hexDump(some), shown: some.length }
  }
  if (!isJson) return { as: 'text', text: legible(text), shown: bytes.length }
  if (bytes.length < size) {
    const shown = Math.min(bytes.length, MOST_SHOWN)
    return { as: 'text', text: legible(textOf(bytes.subarray(0, shown), parameters)), shown }
  }
  const { pretty, invalid } = prettyJson(text)
  return {
    as: 'JSON',
    text: legible(pretty.slice(0, MOST_SHOWN)),
    shown: Math.round((size * Math.min(pretty.length, MOST_SHOWN)) / pretty.length),
    ...(invalid !== undefined && {
      invalid: isWhole ? `This is not valid JSON: ${invalid}` : 'The JSON is not complete.',
    }),
  }
}

/** The most bytes of a body to show, and of a JSON text to format. */
const MOST_SHOWN = 256 * 1024
const MOST_JSON = 1024 * 1024
const MOST_HEX = 16 * 1024

/** What no text contains: invalid UTF-8, and most control characters. */
const NOT_TEXT = /[\ufffd\u0000-\u0008\u000e-\u001a\u001c-\u001f]/

function prettyJson(text: string): { pretty: string; invalid?: string } {
  try {
    return { pretty: JSON.stringify(JSON.parse(text), undefined, 2) }
  } catch (error) {
    return { pretty: text, invalid: (error as Error).message }
  }
}

function textOf(bytes: Uint8Array, parameters: readonly string[]): string {
  const charset = parameters.map((each) => /charset="?([\w-]+)/.exec(each)?.[1]).find(Boolean)
  // The last character may be cut off, so do not flush the decoder.
  try {
    return new TextDecoder(charset).decode(bytes, { stream: true })
  } catch {
    return new TextDecoder().decode(bytes, { stream: true })
  }
}

function beginning(pieces: readonly Piece[], most: number): Uint8Array {
  const whole = new Uint8Array(Math.min(sizeOf(pieces), most))
  let at = 0
  for (const { bytes } of pieces) {
    const part = bytes.subarray(0, most - at)
    whole.set(part, at)
    at += part.length
  }
  return whole
}

function sizeOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, { bytes }) => sum + bytes.length, 0)
}
