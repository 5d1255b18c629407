import type { Arrival, Closing } from './arrival.ts'

/**
 * One thing that happened on the wire. They are counted from 1; `at` is in milliseconds since the recording
 * began.
 */
export type Entry = { n: number; at: number } & (
  | { kind: 'opened'; connection: number }
  /** `cursor` is the `Last-Event-ID` of a request. */
  | ({ kind: 'arrived'; connection: number; size: number; cursor?: string } & Omit<
      Arrival,
      'at' | 'bytes'
    >)
  /** `text` says what it means for the response that was on its way, `isFailure` whether it was cut. */
  | ({ kind: 'closed'; connection: number; text: string; isFailure: boolean } & Omit<Closing, 'at'>)
  /** What the workshop itself did: `cut 2 connections`. */
  | { kind: 'note'; text: string }
)

/** An entry and, of an arrival, its bytes. */
export type RecordedEntry = { entry: Entry; bytes?: Uint8Array }

/** An arrival and what came before it on its connection and hop. */
export type ArrivalContext = {
  arrival: Arrival
  before: Arrival[]
  /** Whether `before` begins with the connection. */
  isWhole: boolean
}

/** Finds the arrival of entry `n` with its context; undefined when it is not recorded, or is not an arrival. */
export function arrivalInContext(
  entries: readonly RecordedEntry[],
  n: number,
): ArrivalContext | undefined {
  const wanted = entries.find(({ entry }) => entry.n === n)
  if (wanted?.entry.kind !== 'arrived' || !wanted.bytes) return undefined
  const { connection, hop } = wanted.entry
  const before: Arrival[] = []
  let isWhole = false
  for (const { entry, bytes } of entries) {
    if (entry.n === n) break
    if (entry.kind === 'opened' && entry.connection === connection) {
      // Another tap may have had a connection of that number before.
      before.length = 0
      isWhole = true
    }
    if (entry.kind !== 'arrived' || entry.connection !== connection || !bytes) continue
    // What the workshop answers in the server's place answers a request on the client's side.
    const isSameHop = entry.hop === hop || (hop === 'workshop' && entry.hop === 'client')
    if (isSameHop) before.push({ ...entry, bytes })
  }
  return { arrival: { ...wanted.entry, bytes: wanted.bytes }, before, isWhole }
}
