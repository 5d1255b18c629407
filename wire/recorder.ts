import { lastEventIdOf } from './arrival.ts'
import { conversation, describeClose, type Conversation } from './conversation.ts'
import { arrivalInContext, type ArrivalContext, type Entry, type RecordedEntry } from './entry.ts'
import type { Observer } from './tap.ts'

/** Keeps what crosses the wire, as much as there is room for: the oldest goes first. */
export type Recorder = {
  /** For `tap()`. */
  readonly observer: Observer
  /** Records what the workshop itself did. */
  note(text: string): void
  /** Milliseconds since the recording began. */
  now(): number
  /** The number of the newest entry, 0 before the first; and of the oldest that is kept. */
  readonly newest: number
  readonly oldest: number
  /** Returns the kept entries after number `n`, at most `most` of them. */
  after(n: number, most: number): Entry[]
  /** Returns the same with their bytes. */
  recordedAfter(n: number, most: number): RecordedEntry[]
  /** Finds the arrival of entry `n`, and what came before it on its connection and hop. */
  arrival(n: number): ArrivalContext | undefined
  /**
   * Calls `changed` for each new entry.
   *
   * @returns stops it
   */
  listen(changed: () => void): () => void
}

/**
 * Makes an empty recorder.
 *
 * @param options.mostBytes how much of what crossed is kept, beside some hundred bytes for each entry
 */
export function recorder({ mostBytes = 64 * 1024 * 1024, mostEntries = 400_000 } = {}): Recorder {
  const beganAt = performance.now()
  const listeners = new Set<() => void>()
  const openedAt = new Map<number, number>()
  const conversations = new Map<number, Conversation>()
  let kept: RecordedEntry[] = []
  /** Where in `kept` the oldest is; what lies before it was evicted. */
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
    // Compact in batches: shifting the array on every eviction is O(n).
    if (first < 10_000 && first * 2 < kept.length) return
    kept = kept.slice(first)
    first = 0
  }

  function since(connection: number, at: number): number {
    return (openedAt.get(connection) ?? 0) + at
  }

  function recordedAfter(n: number, most: number): RecordedEntry[] {
    const oldest = newest - (kept.length - first) + 1
    const from = first + Math.max(n + 1 - oldest, 0)
    return kept.slice(from, from + most)
  }

  return {
    observer: {
      opened(connection) {
        const at = performance.now() - beganAt
        openedAt.set(connection, at)
        conversations.set(connection, conversation())
        add({ kind: 'opened', connection }, at)
      },
      arrived(connection, { at, hop, direction, bytes }) {
        // Follow what the client sees: a proxy in between may frame the same response differently.
        if (hop === 'client' || hop === 'workshop') {
          conversations.get(connection)?.segments({ direction, bytes })
        }
        const size = bytes.length
        const cursor = lastEventIdOf({ direction, bytes })
        const arrived = { kind: 'arrived', connection, size, hop, direction } as const
        add({ ...arrived, ...(cursor !== undefined && { cursor }) }, since(connection, at), bytes)
      },
      closed(connection, { at, by, how }) {
        const end = describeClose({ by, how }, conversations.get(connection)?.reader)
        add({ kind: 'closed', connection, by, how, ...end }, since(connection, at))
        openedAt.delete(connection)
        conversations.delete(connection)
      },
    },
    note: (text) => add({ kind: 'note', text }, performance.now() - beganAt),
    now: () => performance.now() - beganAt,
    get newest() {
      return newest
    },
    get oldest() {
      return newest - (kept.length - first) + 1
    },
    after: (n, most) => recordedAfter(n, most).map(({ entry }) => entry),
    recordedAfter,
    arrival: (n) => arrivalInContext(recordedAfter(0, Infinity), n),
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
