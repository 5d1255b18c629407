import type { Entry } from '../../../../wire/entry.ts'

/**
 * The entries that the page holds, in columns: an object for each of 200,000 would be slow to make and to
 * draw. An entry has a position, counted from 0 since the page was opened, and a number, which is the
 * workshop's and can have gaps.
 */
export type WireLog = {
  /** Positions that are kept: from `begin` up to, not including, `end`. */
  readonly begin: number
  readonly end: number
  /** Grows with every change. */
  readonly version: number
  /** How many entries the workshop no longer had when the page asked for them. */
  readonly lost: number
  /** Names of the hops; `hop()` gives an index in it. */
  readonly hops: readonly string[]
  /** Whether something was seen at a hop between two times, in milliseconds; of what came in between it is not sure. */
  isSeen(hop: string, from: number, to: number): boolean
  readonly connections: ReadonlyMap<number, Life>
  /** How many connections are open. */
  readonly open: number
  /** Milliseconds on the recorder's clock. */
  now(): number
  /** Whether it is a request that says what its client has. */
  hasCursor(position: number): boolean
  /** Milliseconds since the recording began. */
  at(position: number): number
  kind(position: number): Kind
  hop(position: number): number
  size(position: number): number
  connection(position: number): number
  entry(position: number): Entry
  /** The position of entry `n`; undefined when it is not kept. */
  find(n: number): number | undefined
  /** The first position at or after `at`. */
  firstFrom(at: number): number
  listen(changed: () => void): () => void
}

/** The log of this workshop, which the channel fills. */
export type LiveLog = WireLog & {
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

/** What an entry is; numbers, because they go into a column. */
export type Kind = (typeof KINDS)[keyof typeof KINDS]

export const KINDS = { opened: 0, request: 1, response: 2, closed: 3, note: 4 } as const

export const MOST_ENTRIES = 200_000

/** @param most how many entries it keeps */
export function wireLog(most = MOST_ENTRIES): LiveLog {
  const numbers = new Float64Array(most)
  const times = new Float64Array(most)
  const sizes = new Uint32Array(most)
  const connectionOf = new Uint32Array(most)
  const kinds = new Uint8Array(most)
  const hopOf = new Uint8Array(most)
  /** What does not fit in a column, and is rare: closings, notes, and requests that say what their client has. */
  const others = new Map<number, Entry>()
  const hops: string[] = []
  /** For each hop, the time of the first and the position of the last that was seen there. */
  const seen: { first: number; last: number }[] = []
  const connections = new Map<number, Life>()
  const listeners = new Set<() => void>()
  let begin = 0
  let end = 0
  let open = 0
  let lost = 0
  /** What was cleared away may come again, when the channel begins anew. */
  let oldest = 0
  let version = 0
  let now = (): number => 0

  function addOne(entry: Entry): void {
    if (entry.n < oldest) return
    if (end > begin && entry.n <= numbers[(end - 1) % most]!) return
    if (end - begin === most) forgetOne()
    const slot = end % most
    numbers[slot] = entry.n
    // Two clocks of the recorder are some microseconds apart, and searching needs an order.
    times[slot] = end > begin ? Math.max(entry.at, times[(end - 1) % most]!) : entry.at
    sizes[slot] = entry.kind === 'arrived' ? entry.size : 0
    connectionOf[slot] = entry.kind === 'note' ? 0 : entry.connection
    kinds[slot] = KINDS[entry.kind === 'arrived' ? entry.direction : entry.kind]
    if (entry.kind === 'closed' || entry.kind === 'note' || hasCursor(entry)) {
      others.set(end, entry)
    }
    if (entry.kind !== 'note') live(entry.connection, entry.at).entries += 1
    if (entry.kind === 'arrived') arrive(entry, slot)
    if (entry.kind === 'closed') die(entry.connection, times[slot]!)
    end += 1
  }

  function forgetOne(): void {
    others.delete(begin)
    const connection = connectionOf[begin % most]!
    const life = connections.get(connection)
    if (life) life.entries -= 1
    if (kinds[begin % most] === KINDS.closed) connections.delete(connection)
    begin += 1
  }

  function arrive({ connection, hop, at }: Entry & { kind: 'arrived' }, slot: number): void {
    const known = hops.indexOf(hop)
    const index = known === -1 ? hops.push(hop) - 1 : known
    hopOf[slot] = index
    connections.get(connection)!.hops.add(hop)
    const before = seen[index]
    seen[index] = { first: before && before.last >= begin ? before.first : at, last: end }
  }

  function live(connection: number, at: number): Life {
    const known = connections.get(connection)
    if (known) return known
    // Whoever connects does so on the client's side.
    const life: Life = { from: at, to: Infinity, hops: new Set(['client']), entries: 0 }
    connections.set(connection, life)
    open += 1
    return life
  }

  function die(connection: number, at: number): void {
    const life = connections.get(connection)!
    if (life.to === Infinity) open -= 1
    life.to = at
  }

  function setClock(is: number): void {
    const set = performance.now()
    now = () => is + performance.now() - set
  }

  function changed(): void {
    version += 1
    for (const tell of listeners) tell()
  }

  /** The first kept position whose value in a column is not below `value`; both columns only ever grow. */
  function search(column: Float64Array, value: number): number {
    let low = begin
    let high = end
    while (low < high) {
      const middle = (low + high) >>> 1
      if (column[middle % most]! < value) low = middle + 1
      else high = middle
    }
    return low
  }

  return {
    get begin() {
      return begin
    },
    get end() {
      return end
    },
    get version() {
      return version
    },
    get lost() {
      return lost
    },
    get open() {
      return open
    },
    hops,
    connections,
    isSeen(name, from, to) {
      const where = seen[hops.indexOf(name)]
      if (!where || where.last < begin) return false
      return where.first <= to && times[where.last % most]! >= from
    },
    hasCursor(position) {
      const other = others.get(position)
      return other !== undefined && hasCursor(other)
    },
    now: () => now(),
    at: (position) => times[position % most]!,
    kind: (position) => kinds[position % most] as Kind,
    hop: (position) => hopOf[position % most]!,
    size: (position) => sizes[position % most]!,
    connection: (position) => connectionOf[position % most]!,
    entry(position) {
      const other = others.get(position)
      if (other) return other
      const slot = position % most
      const base = { n: numbers[slot]!, at: times[slot]!, connection: connectionOf[slot]! }
      if (kinds[slot] === KINDS.opened) return { ...base, kind: 'opened' }
      const direction = kinds[slot] === KINDS.request ? 'request' : 'response'
      return { ...base, kind: 'arrived', direction, size: sizes[slot]!, hop: hops[hopOf[slot]!]! }
    },
    find(n) {
      const position = search(numbers, n)
      return position < end && numbers[position % most] === n ? position : undefined
    },
    firstFrom: (at) => search(times, at),
    listen(tell) {
      listeners.add(tell)
      return () => listeners.delete(tell)
    },
    add(entries) {
      for (const entry of entries) addOne(entry)
      // The time that the page was told was on its way for a while.
      const newest = end > begin ? times[(end - 1) % most]! : 0
      if (newest > now()) setClock(newest)
      changed()
    },
    lose(entries) {
      lost += entries
      changed()
    },
    forget() {
      begin = end
      oldest = 0
      others.clear()
      connections.clear()
      open = 0
      lost = 0
      changed()
    },
    forgetBefore(n) {
      oldest = n
      const from = search(numbers, n)
      if (from === begin) return false
      while (begin < from) forgetOne()
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

export const live = wireLog()

function hasCursor(entry: Entry): boolean {
  return entry.kind === 'arrived' && entry.cursor !== undefined
}
