import type { Quake } from '#feed'

/** A quake in a history. Its ID is one line of printable ASCII, which only the history interprets. */
export type Entry = { id: string; quake: Quake }

/**
 * The last entries, and a subscription to new entries. All clients and servers that share a history see the same
 * entries and IDs, even after a restart.
 */
export type History = {
  /** Whether `end()` has been called. After that, no more entries follow. */
  readonly isOver: boolean
  /**
   * Returns the entries after this ID, oldest first, or all entries that are kept if there is no ID. The answer is a snapshot
   * from some moment between the call and the return. If entries after the ID have been evicted, or if the ID is unknown,
   * there is a gap, and the answer contains all entries that are kept.
   */
  after(id: string | undefined): Promise<{ entries: Entry[]; isGap: boolean }>
  /** Calls the listener for each new entry, and at the end. Returns a function that unsubscribes it. */
  subscribe(listener: Listener): () => void
}

export type Listener = { onEntry(entry: Entry): void; onOver(): void }

/** A history that can be written to. */
export type WritableHistory = History & {
  append(quake: Quake): void
  end(): void
}

/**
 * Creates a history in memory. The ID of an entry is the ID of its quake, so that it is the same after a restart.
 *
 * @param options.capacity the number of entries to keep before the oldest is evicted
 */
export function createHistory({ capacity = 1000 } = {}): WritableHistory {
  throw new Error('lesson 5, task 5.1: write createHistory()')
}
