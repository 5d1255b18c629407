import type { Arrival } from './arrival.ts'
import { conversation, type Turn } from './conversation.ts'
import type { SentBytes } from './entry.ts'
import { eventLines, type Dispatched, type EventLine, type EventLines } from './event-lines.ts'
import { visible } from './visible.ts'
import { concat, joined, NOTHING, type Emit, type Segment } from './segment.ts'

/** The meaning of an arrival: the parts of HTTP in its bytes and, in an event stream, the lines and events. */
export type Interpretation = {
  segments: PlacedSegment[]
  /** In an event stream, the lines that this arrival completes, and the events that these lines dispatch. */
  events?: { lines: EventLine[]; dispatched: Dispatched[] }
  /** What a compressed response says, as far as this arrival reveals it. */
  decompressed?: Decompressed
  /** Whether the beginning of the connection was recorded. If not, the whole arrival is a single segment. */
  isWhole: boolean
}

/** A segment as offsets in the bytes of an arrival. `text` is what its bytes say without the mask of a WebSocket client. */
export type PlacedSegment = {
  kind: Segment['kind']
  from: number
  to: number
  label?: string
  text?: string
}

/**
 * The `size` bytes that came out of `of` compressed ones, and the beginning of their text, without invisible characters.
 * Otherwise, the reason why they are not known.
 */
export type Decompressed = { encoding: string; of: number } & (
  | { size: number; text: string }
  | { problem: string }
)

/**
 * Decompresses the beginning of a body, as far as its bytes allow.
 *
 * @param encoding the value of `Content-Encoding`
 * @throws Error with a sentence for the user
 */
export type Decompress = (encoding: string, bytes: Uint8Array) => Uint8Array

/**
 * Interprets the bytes of an arrival. This requires all earlier arrivals on the same connection and hop, because without
 * them it is unknown where a chunk begins, or whether the response is chunked at all.
 *
 * @param before the earlier arrivals, in order
 * @param isWhole whether `before` begins with the first arrival of the connection
 */
export function interpret(
  arrival: Arrival,
  before: readonly SentBytes[],
  isWhole: boolean,
  decompress: Decompress = cannotDecompress,
): Interpretation {
  const size = arrival.bytes.length
  if (!isWhole) return { segments: [{ kind: 'data', from: 0, to: size }], isWhole }

  const talk = conversation()
  const readers = new Map<Turn, BodyReader>()
  // Lines and events reach back a few arrivals at most, so do not read the text of thousands.
  const recent = before.slice(-MOST_LOOKED_BACK)
  const pushAll = (all: Iterable<SentBytes>, emit: Emit): void => {
    for (const each of all) talk.push(each, each.direction === 'response' ? emit : undefined)
  }
  pushAll(inBlocks(before.slice(0, -MOST_LOOKED_BACK)), bodies(false))
  pushAll(recent, bodies(true))
  const { waiting } = talk.next(arrival.direction)
  const segments: PlacedSegment[] = []
  let at = -waiting
  const reads = arrival.direction === 'response' ? bodies(true) : undefined
  for (const reader of readers.values()) reader.begin()
  talk.push(arrival, (kind, whole, from, to, { label, unmasked } = {}) => {
    reads?.(kind, whole, from, to)
    const end = at + to - from
    const more = { ...(label && { label }), ...(unmasked && { text: visible(unmasked) }) }
    // A head or a size line may begin in an earlier arrival.
    if (end > 0) segments.push({ kind, from: Math.max(at, 0), to: end, ...more })
    at = end
  })
  const rest = Math.max(at, 0)
  if (rest < size) segments.push({ kind: talk.next(arrival.direction).kind, from: rest, to: size })

  /** Returns a reader for the bodies of responses. */
  function bodies(isRecent: boolean): Emit {
    return (kind, whole, from, to) => {
      const { turn } = talk
      if (kind !== 'data' || !turn?.response || turn.protocol) return
      const known = readers.get(turn)
      if (known && !known.needs(isRecent)) return
      const reader = known ?? bodyReader(turn.response.headers, decompress)
      readers.set(turn, reader)
      if (reader.needs(isRecent)) reader.push(whole.subarray(from, to))
    }
  }

  const reader = talk.turn && arrival.direction === 'response' ? readers.get(talk.turn) : undefined
  return { segments, ...reader?.read(), isWhole }
}

const MOST_LOOKED_BACK = 1000

/** A reader for the body of one response. */
type BodyReader = {
  /** Returns whether the reader needs bytes that are recent or not. */
  needs(isRecent: boolean): boolean
  push(bytes: Uint8Array): void
  /** Called before the bytes that `read()` is about. */
  begin(): void
  read(): Pick<Interpretation, 'events' | 'decompressed'>
}

function bodyReader(headers: Map<string, string>, decompress: Decompress): BodyReader {
  const encoding = headers.get('content-encoding')?.toLowerCase() ?? 'identity'
  const isEventStream = /^text\/event-stream\b/i.test(headers.get('content-type') ?? '')
  const isPlain = encoding === 'identity'
  const events = eventLines()
  const pieces: Uint8Array[] = []
  let earlier = 0
  return {
    needs: (isRecent) => !isPlain || (isEventStream && isRecent),
    push: (bytes) => void pieces.push(bytes),
    begin() {
      earlier = pieces.length
    },
    read() {
      const before = concat(pieces.slice(0, earlier))
      const now = concat(pieces.slice(earlier))
      if (isPlain) return isEventStream ? { events: eventsIn(events, before, now) } : {}
      try {
        const known = before.length === 0 ? NOTHING : decompress(encoding, before)
        const bytes = decompress(encoding, joined(before, now)).subarray(known.length)
        return {
          decompressed: {
            encoding,
            of: now.length,
            size: bytes.length,
            text: visible(bytes.subarray(0, MOST_SHOWN)),
          },
          ...(isEventStream && { events: eventsIn(events, known.subarray(-MOST_TEXT), bytes) }),
        }
      } catch (error) {
        const { message } = error as Error
        return { decompressed: { encoding, of: now.length, problem: message } }
      }
    },
  }
}

const MOST_SHOWN = 16 * 1024

/** The number of decompressed bytes in which to look for the beginning of an event. */
const MOST_TEXT = 256 * 1024

/** Returns the lines and events that the last bytes complete. */
function eventsIn(
  parser: EventLines,
  before: Uint8Array,
  now: Uint8Array,
): NonNullable<Interpretation['events']> {
  parser.push(before)
  const parsed = parser.push(now)
  return {
    lines: parsed.flatMap(({ line }) => line ?? []),
    dispatched: parsed.flatMap(({ event }) => event ?? []),
  }
}

/** Joins what one side has sent in a row, because thousands of small arrivals are slower to parse than their sum. */
function* inBlocks(arrivals: readonly SentBytes[]): Generator<SentBytes> {
  let from = 0
  let size = 0
  for (const [index, { direction, bytes }] of arrivals.entries()) {
    size += bytes.length
    const isLast = arrivals[index + 1]?.direction !== direction
    if (!isLast && size < BLOCK) continue
    yield { direction, bytes: concat(arrivals.slice(from, index + 1).map((each) => each.bytes)) }
    from = index + 1
    size = 0
  }
}

const BLOCK = 256 * 1024

function cannotDecompress(): Uint8Array {
  throw new Error('It cannot be decompressed here.')
}
