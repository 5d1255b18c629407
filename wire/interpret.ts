import type { Arrival } from './arrival.ts'
import { conversation } from './conversation.ts'
import { eventLines, type Dispatched, type EventLine } from './event-lines.ts'
import type { Segment } from './response.ts'

/** The meaning of an arrival: the parts of HTTP in its bytes and, in an event stream, the lines and events. */
export type Interpretation = {
  /** The HTTP segments in the arrival, as offsets in its bytes. A request is a single segment of `data`. */
  segments: { kind: Segment['kind']; from: number; to: number }[]
  /** In an event stream, the lines that this arrival completes, and the events that these lines dispatch. */
  events?: { lines: EventLine[]; dispatched: Dispatched[] }
  /** Whether the beginning of the connection was recorded. If not, the whole arrival is a single segment. */
  isWhole: boolean
}

/**
 * Interprets the bytes of an arrival. This requires all earlier arrivals on the same connection and hop, because without
 * them it is unknown where a chunk begins, or whether the response is chunked at all.
 *
 * @param before the earlier arrivals, in order
 * @param isWhole whether `before` begins with the first arrival of the connection
 */
export function interpret(
  arrival: Arrival,
  before: readonly Arrival[],
  isWhole: boolean,
): Interpretation {
  const size = arrival.bytes.length
  if (!isWhole) return { segments: [{ kind: 'data', from: 0, to: size }], isWhole }

  const talk = conversation()
  let events = eventLines()
  let completed: Interpretation['events'] = { lines: [], dispatched: [] }
  let carried = 0
  let segments: Segment[] = []
  for (const each of [...before, arrival]) {
    carried = each.direction === 'response' ? (talk.reader?.next.waiting ?? 0) : 0
    segments = talk.segments(each)
    if (each.direction === 'request') events = eventLines()
    completed = { lines: [], dispatched: [] }
    for (const { kind, bytes } of segments) {
      if (each.direction === 'request' || kind !== 'data') continue
      for (const { line, event } of events.push(bytes)) {
        if (line) completed.lines.push(line)
        if (event) completed.dispatched.push(event)
      }
    }
  }

  const type = talk.reader?.head?.headers.get('content-type') ?? ''
  const isEventStream = arrival.direction === 'response' && /^text\/event-stream\b/i.test(type)
  return {
    segments: placed(segments, carried, size, talk.reader?.next.kind ?? 'data'),
    ...(isEventStream && { events: completed }),
    isWhole,
  }
}

/**
 * Returns the offsets of segments in an arrival. A head or a size line may begin in an earlier arrival (`carried` bytes), or
 * end in a later arrival.
 */
function placed(
  segments: Segment[],
  carried: number,
  size: number,
  nextKind: Segment['kind'],
): Interpretation['segments'] {
  const found: Interpretation['segments'] = []
  let at = -carried
  for (const { kind, bytes } of segments) {
    const to = at + bytes.length
    if (to > 0) found.push({ kind, from: Math.max(at, 0), to })
    at = to
  }
  const from = Math.max(at, 0)
  if (from < size) found.push({ kind: nextKind, from, to: size })
  return found
}
