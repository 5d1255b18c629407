import type { Quake } from '#feed'

/** A quake in a history. Its ID is one line of printable ASCII, which only the history interprets. */
export type Entry = { id: string; quake: Quake }

/**
 * The last entries, and a subscription to news. This is the history of lesson 5, without its end: a log that all
 * processes share outlives each of them.
 */
export type History = {
  /**
   * Returns the entries after this ID, oldest first, or all entries that are kept if there is no ID. If entries after the ID
   * have been evicted, or if the ID is unknown, there is a gap, and the answer contains all entries that are kept.
   */
  after(id: string | undefined): Promise<{ entries: Entry[]; isGap: boolean }>
  /**
   * Calls the listener whenever `after()` may have something new to return, even if that is only a gap. Returns a function
   * that unsubscribes it.
   */
  subscribe(listener: () => void): () => void
}

/** A history that can be written to. */
export type WritableHistory = History & {
  /** Resolves when the quake has been stored. If it rejects, the quake may have been stored or not. */
  append(quake: Quake): Promise<void>
  /** Releases everything that the history holds open. */
  close(): Promise<void>
}

/**
 * Creates a history in memory, for a single process. The ID of an entry is the ID of its quake.
 *
 * @param options.capacity the number of entries to keep before the oldest is evicted
 */
export function createHistory({ capacity = 1000 } = {}): WritableHistory {
  const entries: Entry[] = []
  const listeners = new Set<() => void>()
  let lastEvicted: string | undefined

  return {
    async after(id) {
      // Every entry after the one that was evicted last is still kept.
      if (id === undefined || id === lastEvicted) return { entries: [...entries], isGap: false }
      const at = entries.findLastIndex((entry) => entry.id === id)
      return { entries: entries.slice(at + 1), isGap: at === -1 }
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    async append(quake) {
      entries.push({ id: quake.id, quake })
      if (entries.length > capacity) lastEvicted = entries.shift()!.id
      for (const listener of listeners) listener()
    },
    async close() {},
  }
}
