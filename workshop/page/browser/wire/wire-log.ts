import type { Entry } from '../../../../wire/entry.ts'
import { entryColumns, KINDS, type EntryColumns } from './entry-columns.ts'

/** The entries that the page keeps, with the connections and hops that the entries mention. */
export type WireLog = EntryColumns & {
  /** Increases with every change. */
  readonly version: number
  /** The number of entries that the workshop had already evicted when the page reconnected. */
  readonly lost: number
  readonly connections: ReadonlyMap<number, Life>
  /** The number of open connections. */
  readonly open: number
  /**
   * Returns whether anything may have been seen at a hop between two times, in milliseconds. The answer may be wrong,
   * because only the first and the last sighting are known.
   */
  isSeen(hop: string, from: number, to: number): boolean
  /** Returns the current time on the recorder's clock, in milliseconds. */
  now(): number
  listen(changed: () => void): () => void
}

export type WritableWireLog = WireLog & {
  add(entries: Entry[]): void
  lose(entries: number): void
  forget(): void
  /** @returns whether any entry was removed */
  forgetBefore(n: number): boolean
  setClock(now: number): void
  /** Stops the clock, for a recording that has ended or a lost connection. */
  stopClock(at: number): void
}

/**
 * The lifetime of a connection, in milliseconds. `to` is Infinity while the connection is open. `to` is never earlier
 * than the last entry, because one side may still send after the other has closed. `hops` are the hops where the
 * connection was seen, and `entries` is the number of its entries that are kept.
 */
export type Life = { from: number; to: number; hops: Set<string>; entries: number }

export const MOST_ENTRIES = 200_000

/**
 * Creates an empty log.
 *
 * @param most the maximum number of entries
 */
export function wireLog(most = MOST_ENTRIES): WritableWireLog {
  const columns = entryColumns(most)
  const lives = connectionLives()
  const sightings = hopSightings(columns)
  const listeners = new Set<() => void>()
  let lost = 0
  /** The oldest entry to accept. After a reconnect, the channel may send entries that the reader has already cleared. */
  let oldest = 0
  let version = 0
  let now = (): number => 0

  function addOne(entry: Entry): void {
    if (entry.n < oldest) return
    if (columns.firstNumbered(entry.n) < columns.end) return
    if (columns.end - columns.begin === most) dropOldest()
    const position = columns.end
    columns.push(entry)
    if (entry.kind === 'arrived') sightings.add(position, entry.at)
    lives.add(entry, columns.at(position))
  }

  function dropOldest(): void {
    const { begin } = columns
    lives.drop(columns.connection(begin), columns.kind(begin) === KINDS.closed)
    columns.dropOldest()
  }

  function setClock(is: number): void {
    const set = performance.now()
    now = () => is + performance.now() - set
  }

  function changed(): void {
    version += 1
    for (const tell of listeners) tell()
  }

  return {
    ...columns,
    get begin() {
      return columns.begin
    },
    get end() {
      return columns.end
    },
    get version() {
      return version
    },
    get lost() {
      return lost
    },
    get open() {
      return lives.open
    },
    connections: lives.byConnection,
    isSeen: sightings.isSeen,
    now: () => now(),
    listen(tell) {
      listeners.add(tell)
      return () => listeners.delete(tell)
    },
    add(entries) {
      for (const entry of entries) addOne(entry)
      // The clock may be a little late, because the message that set it took time to arrive.
      const newest = columns.end > columns.begin ? columns.at(columns.end - 1) : 0
      if (newest > now()) setClock(newest)
      changed()
    },
    lose(entries) {
      lost += entries
      changed()
    },
    forget() {
      columns.clear()
      lives.clear()
      oldest = 0
      lost = 0
      changed()
    },
    forgetBefore(n) {
      oldest = n
      const from = columns.firstNumbered(n)
      if (from === columns.begin) return false
      while (columns.begin < from) dropOldest()
      lost = 0
      changed()
      return true
    },
    setClock,
    stopClock(at) {
      now = () => at
    },
  }
}

/** Tracks when each connection was open and at which hops it was seen. */
function connectionLives() {
  const byConnection = new Map<number, Life>()
  let open = 0

  function lifeOf(connection: number, at: number): Life {
    const known = byConnection.get(connection)
    if (known) return known
    // Every connection starts at the client.
    const life: Life = { from: at, to: Infinity, hops: new Set(['client']), entries: 0 }
    byConnection.set(connection, life)
    open += 1
    return life
  }

  return {
    byConnection,
    get open() {
      return open
    },
    /** @param at the time in the log, which is never earlier than that of the previous entry */
    add(entry: Entry, at: number): void {
      if (entry.kind === 'note') return
      const life = lifeOf(entry.connection, entry.at)
      life.entries += 1
      if (entry.kind === 'arrived') life.hops.add(entry.hop)
      if (entry.kind !== 'closed') return
      if (life.to === Infinity) open -= 1
      life.to = at
    },
    /** Forgets one entry of a connection. `wasLast` says whether the entry was the connection's closing. */
    drop(connection: number, wasLast: boolean): void {
      const life = byConnection.get(connection)
      if (life) life.entries -= 1
      if (wasLast) byConnection.delete(connection)
    },
    clear(): void {
      byConnection.clear()
      open = 0
    },
  }
}

/** Remembers, for each hop, the time of the first arrival there and the position of the last. */
function hopSightings(columns: EntryColumns) {
  const seen: { first: number; last: number }[] = []
  return {
    add(position: number, at: number): void {
      const hop = columns.hop(position)
      const before = seen[hop]
      const isFirst = !before || before.last < columns.begin
      seen[hop] = { first: isFirst ? at : before.first, last: position }
    },
    isSeen(name: string, from: number, to: number): boolean {
      const where = seen[columns.hops.indexOf(name)]
      if (!where || where.last < columns.begin) return false
      return where.first <= to && columns.at(where.last) >= from
    },
  }
}

export const liveLog = wireLog()
