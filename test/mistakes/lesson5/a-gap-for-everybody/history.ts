// fails: 5.1d
// says: who has nothing misses nothing
import type { Quake } from '#feed'

/** A quake in a history. Its id is one line of printable ASCII; what it means is known to the history alone. */
export type Entry = { id: string; quake: Quake }

/**
 * What has happened, kept for a while, and what happens. It is the same for every client and every server
 * that has it, also after a restart.
 */
export type History = {
  /** There will be no more entries. */
  readonly isOver: boolean
  /**
   * The entries behind the one with this id, or without an id all that are kept: as of some moment between
   * the call and the answer, oldest first. There is a gap when entries behind that id may be missing: they
   * are not kept any more, or nobody knows the id. Then the entries are all that are kept.
   */
  after(id: string | undefined): Promise<{ entries: Entry[]; isGap: boolean }>
  /** Calls back from now on, for each new entry and at the end. Returns what stops that. */
  subscribe(listener: Listener): () => void
}

export type Listener = { onEntry(entry: Entry): void; onOver(): void }

/** A history, as those see it who write it. */
export type WritableHistory = History & {
  append(quake: Quake): void
  end(): void
}

/**
 * A history in memory. The id of an entry is the id of its quake: who reads the same quakes again, after a
 * restart, gives them the same ids.
 *
 * @param options.capacity how many entries are kept: the last ones
 */
export function createHistory({ capacity = 1000 } = {}): WritableHistory {
  const entries: Entry[] = []
  const listeners = new Set<Listener>()
  let lastEvicted: string | undefined
  let isOver = false

  return {
    get isOver() {
      return isOver
    },
    async after(id) {
      if (id === undefined) return { entries: [...entries], isGap: lastEvicted !== undefined }
      // Nothing is missing for a client that has all but what is kept.
      if (id === lastEvicted) return { entries: [...entries], isGap: false }
      // From the end: most of those who come back have missed little.
      const at = entries.findLastIndex((entry) => entry.id === id)
      return { entries: entries.slice(at + 1), isGap: at === -1 }
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    append(quake) {
      const entry = { id: quake.id, quake }
      entries.push(entry)
      if (entries.length > capacity) lastEvicted = entries.shift()!.id
      for (const { onEntry } of listeners) onEntry(entry)
    },
    end() {
      isOver = true
      for (const { onOver } of listeners) onOver()
    },
  }
}
