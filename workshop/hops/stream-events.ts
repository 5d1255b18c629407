import { Buffer } from 'node:buffer'
import { eventLines } from '../../wire/event-lines.ts'
import type { Piece } from './ask.ts'

/** An event of a stream, and the time at which its last byte arrived. */
export type StreamEvent = {
  at: number
  /** The event's own `id` field. */
  id?: string
  /** The event's bytes without its `id`, as one character per byte. */
  text: string
  /** The number of bytes. */
  size: number
}

/** The content of a body: the events that it contains, and everything between them. */
export type StreamContent = {
  /** The part that counts as an event: an SSE block, a line, or the bytes that arrived together. */
  unit: 'event' | 'line' | 'piece'
  events: StreamEvent[]
  /** The times of all comments (or, if the unit is a line, of all blank lines). */
  heartbeats: number[]
  /** The values of all `retry` fields. */
  retries: string[]
  /** The times of the pieces that ended in the middle of an event. */
  splits: number[]
}

/** Splits a body into events: as server-sent events, as lines, or, without any line end, as the pieces that arrived. */
export function streamContent(
  pieces: Piece[],
  type: string,
  { hasEnded }: { hasEnded: boolean },
): StreamContent {
  if (isEventStream(type)) return serverSentEvents(pieces)
  const lines = linesOf(pieces, hasEnded)
  const isText = pieces.some(({ bytes }) => bytes.includes(LF))
  return isText ? lines : wholePieces(pieces)
}

export function isEventStream(type: string): boolean {
  return /^\s*text\/event-stream\s*(?:;|$)/i.test(type)
}

function serverSentEvents(pieces: Piece[]): StreamContent {
  const content: StreamContent = {
    unit: 'event',
    events: [],
    heartbeats: [],
    retries: [],
    splits: [],
  }
  const parser = eventLines()
  let block: string[] = []
  let id: string | undefined
  for (const { at, bytes } of pieces) {
    for (const { text, line, event } of parser.push(bytes)) {
      if (line?.isComment) content.heartbeats.push(at)
      else if (line?.field === 'id') id = line.value
      else if (line?.field === 'retry') content.retries.push(line.value)
      else if (line) block.push(text)
      else {
        if (event) {
          const whole = block.join('\n')
          const size = Buffer.byteLength(whole) + (id === undefined ? 2 : id.length + 7)
          content.events.push({ at, ...(id !== undefined && { id }), text: whole, size })
        }
        block = []
        id = undefined
      }
    }
    if (parser.begun !== '' || block.length > 0 || id !== undefined) content.splits.push(at)
  }
  return content
}

function linesOf(pieces: Piece[], hasEnded: boolean): StreamContent {
  const content: StreamContent = {
    unit: 'line',
    events: [],
    heartbeats: [],
    retries: [],
    splits: [],
  }
  let begun = ''
  const add = (text: string, at: number): void => {
    if (text.trim() === '') content.heartbeats.push(at)
    else content.events.push({ at, text, size: text.length + 1 })
  }
  for (const { at, bytes } of pieces) {
    const texts = (begun + bytes.toString('latin1')).split('\n')
    begun = texts.pop()!
    for (const text of texts) add(text, at)
    if (begun !== '') content.splits.push(at)
  }
  // The last line of a complete body may lack its LF.
  if (hasEnded && begun !== '') add(begun, pieces.at(-1)!.at)
  return content
}

function wholePieces(pieces: Piece[]): StreamContent {
  const events = pieces.map(({ at, bytes }) => ({
    at,
    text: bytes.toString('latin1'),
    size: bytes.length,
  }))
  return { unit: 'piece', events, heartbeats: [], retries: [], splits: [] }
}

/**
 * Cuts a body without lines where the reference is cut, if both have the same bytes, because hops may join and split the
 * pieces. Returns any other content unchanged.
 */
export function alignedContent(
  reference: StreamContent,
  content: StreamContent,
  pieces: Piece[],
): StreamContent {
  if (reference.unit !== 'piece' || pieces.length === 0) return content
  const whole = pieces.map(({ bytes }) => bytes.toString('latin1')).join('')
  const expected = reference.events.map(({ text }) => text).join('')
  const common = Math.min(whole.length, expected.length)
  if (whole.slice(0, common) !== expected.slice(0, common)) return content
  const events: StreamEvent[] = []
  const splits: number[] = []
  let end = 0
  let arrived = 0
  let next = 0
  for (const { text, size } of reference.events) {
    end += size
    for (; arrived < end && next < pieces.length; next += 1) arrived += pieces[next]!.bytes.length
    if (arrived < end) break
    const { at } = pieces[next - 1]!
    events.push({ at, text, size })
    if (arrived > end) splits.push(at)
  }
  return { ...content, unit: 'piece', events, splits }
}

const LF = 0x0a
