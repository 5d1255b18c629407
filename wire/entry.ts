import type { Arrival, Closing } from './arrival.ts'

/**
 * An entry of a recording, which is one thing that happened on the wire. Entries are numbered from 1. `at` is the time in
 * milliseconds since the recording began.
 */
export type Entry = { n: number; at: number } & (
  | { kind: 'opened'; connection: number }
  /** An arrival. `cursor` is the `Last-Event-ID` if the arrival is a request. */
  | ({ kind: 'arrived'; connection: number; size: number; cursor?: string } & Omit<
      Arrival,
      'at' | 'bytes'
    >)
  /**
   * A close. `text` describes its meaning for the response in progress. `isFailure` says whether the close cut that
   * response off.
   */
  | ({ kind: 'closed'; connection: number; text: string; isFailure: boolean } & Omit<Closing, 'at'>)
  /** A note about an action of the workshop itself, such as `cut 2 connections`. */
  | { kind: 'note'; text: string }
)

/** An entry, with its bytes if it is an arrival. */
export type RecordedEntry = { entry: Entry; bytes?: Uint8Array }

/** Bytes, and who sent them. */
export type SentBytes = Pick<Arrival, 'direction' | 'bytes'>

/** An arrival, with the earlier arrivals on the same connection and hop. */
export type ArrivalContext = {
  arrival: Arrival
  before: SentBytes[]
  /** Whether `before` begins with the first arrival of the connection. */
  isWhole: boolean
}

/**
 * Returns the arrival at an index with its context, or undefined if that entry is not an arrival. Entries before `first` no
 * longer count.
 */
export function arrivalInContext(
  entries: readonly RecordedEntry[],
  index: number,
  first = 0,
): ArrivalContext | undefined {
  const wanted = entries[index]
  if (wanted?.entry.kind !== 'arrived' || !wanted.bytes) return undefined
  const { connection, hop } = wanted.entry
  const before: SentBytes[] = []
  let isWhole = false
  // An earlier tap may have had a connection with the same number, so go back only to the last opening.
  for (let at = index - 1; at >= first && !isWhole; at -= 1) {
    const { entry, bytes } = entries[at]!
    if (entry.kind === 'note' || entry.connection !== connection) continue
    isWhole = entry.kind === 'opened'
    if (entry.kind !== 'arrived' || !bytes) continue
    // If the workshop answered instead of the server, the request was recorded at the client.
    const isSameHop = entry.hop === hop || (hop === 'workshop' && entry.hop === 'client')
    if (isSameHop) before.push({ direction: entry.direction, bytes })
  }
  return { arrival: { ...wanted.entry, bytes: wanted.bytes }, before: before.reverse(), isWhole }
}

/**
 * Returns the arrivals at the client on an exchange's connection, from its opening to the end of the exchange. Their times
 * are those of the recording. Entries before `first` no longer count.
 *
 * @param last the index of the last entry of the exchange
 */
export function arrivalsAtClient(
  entries: readonly RecordedEntry[],
  connection: number,
  last: number,
  first = 0,
): { arrivals: Arrival[]; isWhole: boolean } {
  const arrivals: Arrival[] = []
  let isWhole = false
  for (let at = last; at >= first && !isWhole; at -= 1) {
    const { entry, bytes } = entries[at]!
    if (entry.kind === 'note' || entry.connection !== connection) continue
    isWhole = entry.kind === 'opened'
    if (entry.kind === 'arrived' && bytes && isAtClient(entry.hop)) {
      arrivals.push({ ...entry, bytes })
    }
  }
  return { arrivals: arrivals.toReversed(), isWhole }
}

/**
 * Returns whether bytes at this hop are what the client sends and gets. A proxy in between may change the framing of a
 * response.
 */
export function isAtClient(hop: string): boolean {
  return hop === 'client' || hop === 'workshop'
}
