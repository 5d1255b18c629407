import { median } from './median.ts'
import type { StreamEvent } from './stream-events.ts'

/** The events of one stream, found again at another address. */
export type Matched = {
  /** What two events have in common: their id, their bytes, or only their place in the stream. */
  by: 'id' | 'bytes' | 'order'
  pairs: Pair[]
  /** Events that arrived only at the reference, before the first event that arrived at both. */
  earlier: StreamEvent[]
  /** Events that arrived only at the other address. */
  extra: StreamEvent[]
}

/** An event at the reference, and the same event at the other address, if it has arrived there. */
export type Pair = {
  written: StreamEvent
  arrived?: StreamEvent
  /** Whether other events have the same id or bytes, so that the two could be different events. */
  isAmbiguous: boolean
}

/**
 * Matches the events of two connections. Prefers ids, unless equal ids belong to different events, as on a server that
 * counts the events of each connection. Uses the order if the two have neither ids nor bytes in common.
 */
export function matchEvents(reference: StreamEvent[], other: StreamEvent[]): Matched {
  const byId = matchBy(reference, other, ({ id }) => id)
  const byBytes = matchBy(reference, other, ({ text }) => text)
  const ids = found(byId)
  const bytes = found(byBytes)
  const agreeing = ids.filter(({ written, arrived }) => written.text === arrived!.text)
  if (ids.length > 0 && (bytes.length === 0 || agreeing.length > ids.length / 2)) {
    return asMatched('id', byId, other)
  }
  if (bytes.length > 0) return asMatched('bytes', byBytes, other)
  return asMatched('order', inOrder(reference, other), other)
}

/**
 * Returns whether the server has dealt its events out among its clients, so that each event went to only one of them. A
 * server that counts its events shows this by their ids: each number occurs once, at one client or another.
 */
export function isDealtOut(clients: StreamEvent[][]): boolean {
  const ids = clients
    .flat()
    .map(({ id }) => (/^\d{1,15}$/.test(id ?? '') ? Number(id) : Number.NaN))
  const isShared = clients.filter((events) => events.length > 0).length > 1
  if (!isShared || ids.length < 4 || new Set(ids).size < ids.length) return false
  const range = Math.max(...ids) - Math.min(...ids) + 1
  // The client that left first may have got some events that are not counted.
  return ids.length > 0.8 * range
}

/**
 * Finds out whether each client gets a stream of its own, which begins when the client connects: then a client that asked
 * later gets the same first event, and all events later by about the same time. Returns undefined if all clients share one
 * stream.
 *
 * @param laterMs how much later the other client asked
 * @returns how much later its events arrived, and by how much nine tenths of them differ from that, because each stream has its
 *   own timer
 */
export function ownStreams(
  reference: StreamEvent[],
  other: StreamEvent[],
  laterMs: number,
): { shiftMs: number; jitterMs: number } | undefined {
  const { by, pairs, earlier } = matchEvents(reference, other)
  const delays = pairs.flatMap(({ written, arrived }) => (arrived ? arrived.at - written.at : []))
  const isFromBeginning = by !== 'order' && earlier.length === 0 && delays.length > 1
  if (!isFromBeginning || laterMs < LEAST_LATER_MS) return undefined
  const shiftMs = median(delays)
  const differences = delays.map((delay) => Math.abs(delay - shiftMs)).sort((a, b) => a - b)
  // A busy machine delays a few events by more than that.
  const jitterMs = differences[Math.floor((differences.length - 1) * 0.9)]!
  const isLater = shiftMs > laterMs / 2 && shiftMs < laterMs * 2
  return isLater && jitterMs < laterMs / 2 ? { shiftMs, jitterMs } : undefined
}

function found(pairs: Pair[]): Pair[] {
  return pairs.filter(({ arrived }) => arrived)
}

/** Matches events with the same key. The second of several events with the same key matches the second, and so on. */
function matchBy(
  reference: StreamEvent[],
  other: StreamEvent[],
  keyOf: (event: StreamEvent) => string | undefined,
): Pair[] {
  const waiting = groupsBy(other, keyOf)
  const counts = groupsBy(reference, keyOf)
  const isRepeated = new Set(
    [...counts, ...waiting].filter(([, events]) => events.length > 1).map(([key]) => key),
  )
  return reference.map((written) => {
    const key = keyOf(written)
    const arrived = key === undefined ? undefined : waiting.get(key)?.shift()
    return { written, ...(arrived && { arrived }), isAmbiguous: isRepeated.has(key!) }
  })
}

function groupsBy(
  events: StreamEvent[],
  keyOf: (event: StreamEvent) => string | undefined,
): Map<string, StreamEvent[]> {
  const groups = new Map<string, StreamEvent[]>()
  for (const event of events) {
    const key = keyOf(event)
    if (key === undefined) continue
    const group = groups.get(key)
    if (group) group.push(event)
    else groups.set(key, [event])
  }
  return groups
}

function inOrder(reference: StreamEvent[], other: StreamEvent[]): Pair[] {
  return reference.map((written, n) => ({
    written,
    ...(other[n] && { arrived: other[n] }),
    isAmbiguous: true,
  }))
}

/**
 * Splits off the events at the beginning that only the reference has, if later events have arrived at both: they happened
 * before the other connection was there. Events at the end may still arrive.
 */
function asMatched(by: Matched['by'], pairs: Pair[], other: StreamEvent[]): Matched {
  const first = pairs.findIndex(({ arrived }) => arrived)
  const start = first === -1 ? 0 : first
  const used = new Set(pairs.map(({ arrived }) => arrived))
  return {
    by,
    pairs: pairs.slice(start),
    earlier: pairs.slice(0, start).map(({ written }) => written),
    extra: other.filter((event) => !used.has(event)),
  }
}

/** A shorter time could be the delay of a busy machine. */
const LEAST_LATER_MS = 40
