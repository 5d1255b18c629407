import type { Entry } from '../../../../wire/entry.ts'
import { entryColumns, KINDS, type EntryColumns } from './entry-columns.ts'

/** The entries that the page holds, and what they say of connections and hops. */
export type WireLog = EntryColumns & {
  /** Grows with every change. */
  readonly version: number
  /** How many entries the workshop no longer had when the page asked for them. */
  readonly lost: number
  readonly connections: ReadonlyMap<number, Life>
  /** How many connections are open. */
  readonly open: number
  /**
   * Tells whether something was seen at a hop between two times, in milliseconds; of what came in between it is not
   * sure.
   */
  isSeen(hop: string, from: number, to: number): boolean
  /** Milliseconds on the recorder's clock. */
  now(): number
  listen(changed: () => void): () => void
}

export type WritableWireLog = WireLog & {
  add(entries: Entry[]): void
  lose(entries: number): void
  forget(): void
  /** @returns whether there were any */
  forgetBefore(n: number): boolean
  setClock(now: number): void
  /** For a recording that is over. */
  stopClock(at: number): void
}

/**
 * When a connection was open, in milliseconds; `to` is Infinity while it is, and not before its last entry: the other
 * side may go on for a while when one has closed. `hops` are the names of those where it was seen, and of its `entries`
 * those are counted that are kept.
 */
export type Life = { from: number; to: number; hops: Set<string>; entries: number }

export const MOST_ENTRIES = 200_000

/** @param most how many entries it keeps */
export function wireLog(most = MOST_ENTRIES): WritableWireLog {
  const columns = entryColumns(most)
  const lives = connectionLives()
  const sightings = hopSightings(columns)
  const listeners = new Set<() => void>()
  let lost = 0
  /** What was cleared away may come again, when the channel begins anew. */
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
      // The time that the page was told was on its way for a while.
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

/** Follows when each connection was open, and where it was seen. */
function connectionLives() {
  const byConnection = new Map<number, Life>()
  let open = 0

  function lifeOf(connection: number, at: number): Life {
    const known = byConnection.get(connection)
    if (known) return known
    // Whoever connects does so on the client's side.
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
    /** @param at the time in the log, which is not before that of the entry before */
    add(entry: Entry, at: number): void {
      if (entry.kind === 'note') return
      const life = lifeOf(entry.connection, entry.at)
      life.entries += 1
      if (entry.kind === 'arrived') life.hops.add(entry.hop)
      if (entry.kind !== 'closed') return
      if (life.to === Infinity) open -= 1
      life.to = at
    },
    /** An entry of a connection is no longer kept; `wasLast` when that was its closing. */
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

/** Remembers for each hop the time of the first and the position of the last that was seen there. */
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
