import { lastEventIdOf, type Arrival } from './arrival.ts'
import type { Turn } from './conversation.ts'
import {
  arrivalInContext,
  arrivalsAtClient,
  isAtClient,
  type ArrivalContext,
  type Entry,
  type RecordedEntry,
} from './entry.ts'
import { exchanges as trackExchanges, type Exchange, type Exchanges } from './exchange.ts'
import type { Observer } from './tap.ts'

/** A store for everything that crosses the wire. When it is full, it evicts the oldest entries first. */
export type Recorder = {
  /** The observer to pass to `tap()`. */
  readonly observer: Observer
  /** Records an action of the workshop itself. */
  note(text: string): void
  /** Returns the milliseconds since the recording began. */
  now(): number
  /** The time at which the recording began. */
  readonly began: Date
  /** The number of the newest entry, or 0 before the first entry. */
  readonly newest: number
  /** The number of the oldest entry that has not been evicted. */
  readonly oldest: number
  /** Returns the stored entries after number `n`, at most `most` of them. */
  after(n: number, most: number): Entry[]
  /** Returns the same entries with their bytes. */
  recordedAfter(n: number, most: number): RecordedEntry[]
  /** Returns the arrival of entry `n` and the earlier arrivals on the same connection and hop. */
  arrival(n: number): ArrivalContext | undefined
  /** The requests and their responses. */
  readonly exchanges: Pick<Exchanges, 'version' | 'changedSince' | 'find'>
  /**
   * Returns the arrivals at the client on an exchange's connection, up to the end of the exchange, and whether they begin
   * with the first one.
   */
  arrivalsOf(exchange: Exchange): { arrivals: Arrival[]; isWhole: boolean }
  /** Calls `changed` for each new entry. Returns a function that stops the calls. */
  listen(changed: () => void): () => void
}

/**
 * Creates an empty recorder.
 *
 * @param options.answered called when the head of a response has arrived
 * @param options.mostBytes the maximum number of bytes of traffic to store; an entry needs some hundred bytes on top of that
 */
export function recorder({
  mostBytes = 64 * 1024 * 1024,
  mostEntries = 400_000,
  answered,
}: {
  mostBytes?: number
  mostEntries?: number
  answered?(turn: Turn): void
} = {}): Recorder {
  const beganAt = performance.now()
  const listeners = new Set<() => void>()
  const openedAt = new Map<number, number>()
  const exchanges = trackExchanges()
  let kept: RecordedEntry[] = []
  /** The index of the oldest entry in `kept`. The entries before it have been evicted. */
  let first = 0
  let newest = 0
  let bytesKept = 0

  function add(what: EntryBody, at: number, bytes?: Uint8Array): void {
    newest += 1
    kept.push({ entry: { n: newest, at, ...what }, ...(bytes && { bytes }) })
    bytesKept += bytes?.length ?? 0
    while (bytesKept > mostBytes || kept.length - first > mostEntries) forgetOldest()
    for (const changed of listeners) changed()
  }

  function forgetOldest(): void {
    bytesKept -= kept[first]!.bytes?.length ?? 0
    first += 1
    // Compact in batches, because shifting the array on every eviction would be O(n) each time.
    if (first < 10_000 && first * 2 < kept.length) return
    kept = kept.slice(first)
    first = 0
  }

  function since(connection: number, at: number): number {
    return (openedAt.get(connection) ?? 0) + at
  }

  /** Returns the index of entry `n`, which is less than `first` if the entry has been evicted. */
  function indexOf(n: number): number {
    return kept.length - 1 - (newest - n)
  }

  function recordedAfter(n: number, most: number): RecordedEntry[] {
    const from = Math.max(indexOf(n + 1), first)
    return kept.slice(from, from + most)
  }

  return {
    observer: {
      opened(connection) {
        const at = performance.now() - beganAt
        openedAt.set(connection, at)
        exchanges.opened(connection)
        add({ kind: 'opened', connection }, at)
      },
      arrived(connection, { at: sinceOpened, hop, direction, bytes }) {
        const at = since(connection, sinceOpened)
        const heads = isAtClient(hop)
          ? exchanges.arrived(connection, { n: newest + 1, at, direction, bytes })
          : undefined
        const cursor = heads?.begun
          .map(({ request }) => lastEventIdOf(request))
          .find((id) => id !== undefined)
        const arrived = { kind: 'arrived', connection, size: bytes.length, hop, direction } as const
        add({ ...arrived, ...(cursor !== undefined && { cursor }) }, at, bytes)
        for (const turn of heads?.answered ?? []) answered?.(turn)
      },
      closed(connection, closing) {
        const at = since(connection, closing.at)
        const end = exchanges.closed(connection, closing, { n: newest + 1, at })
        const { by, how } = closing
        add({ kind: 'closed', connection, by, how, ...end }, at)
        openedAt.delete(connection)
      },
    },
    note: (text) => add({ kind: 'note', text }, performance.now() - beganAt),
    now: () => performance.now() - beganAt,
    began: new Date(performance.timeOrigin + beganAt),
    get newest() {
      return newest
    },
    get oldest() {
      return newest - (kept.length - first) + 1
    },
    after: (n, most) => recordedAfter(n, most).map(({ entry }) => entry),
    recordedAfter,
    arrival: (n) => (indexOf(n) < first ? undefined : arrivalInContext(kept, indexOf(n), first)),
    exchanges,
    arrivalsOf: ({ connection, lastEntry }) =>
      arrivalsAtClient(kept, connection, indexOf(lastEntry), first),
    listen(changed) {
      listeners.add(changed)
      return () => listeners.delete(changed)
    },
  }
}

type EntryBody = Entry extends infer Each
  ? Each extends Entry
    ? Omit<Each, 'n' | 'at'>
    : never
  : never
