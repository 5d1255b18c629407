import type { Entry } from '../../../../wire/entry.ts'

/**
 * The newest entries, stored in columns, because 200,000 objects would be slow to create and to draw. An entry has a
 * position, which the page counts from 0, and a number, which the workshop assigns. The numbers can have gaps.
 */
export type EntryColumns = {
  /** The kept positions: from `begin` up to but not including `end`. */
  readonly begin: number
  readonly end: number
  /** The names of the hops; `hop()` returns an index into them. */
  readonly hops: readonly string[]
  /** Returns an entry's time, in milliseconds since the recording began. */
  at(position: number): number
  kind(position: number): Kind
  hop(position: number): number
  size(position: number): number
  connection(position: number): number
  /** Returns whether an entry is a request with a `Last-Event-ID`. */
  hasCursor(position: number): boolean
  entry(position: number): Entry
  /** Finds the position of entry `n`. Returns undefined if the entry is not kept. */
  find(n: number): number | undefined
  /** Finds the first position whose entry happened at or after the time `at`. */
  firstFrom(at: number): number
}

type WritableEntryColumns = EntryColumns & {
  /** Adds an entry that is newer than all others. If the columns are full, call `dropOldest()` first. */
  push(entry: Entry): void
  dropOldest(): void
  /** Finds the first position whose entry has the number `n` or a higher number. */
  firstNumbered(n: number): number
  clear(): void
}

/** The kind of an entry, as a number so that it fits into a column. */
export type Kind = (typeof KINDS)[keyof typeof KINDS]

export const KINDS = { opened: 0, request: 1, response: 2, closed: 3, note: 4 } as const

/**
 * Creates empty columns.
 *
 * @param most the maximum number of entries
 */
export function entryColumns(most: number): WritableEntryColumns {
  const numbers = new Float64Array(most)
  const times = new Float64Array(most)
  const sizes = new Uint32Array(most)
  const connections = new Uint32Array(most)
  const kinds = new Uint8Array(most)
  const hopIndexes = new Uint8Array(most)
  /** The rare entries that do not fit into columns: closings, notes, and requests with a cursor. */
  const others = new Map<number, Entry>()
  const hops: string[] = []
  let begin = 0
  let end = 0

  function indexOfHop(name: string): number {
    const known = hops.indexOf(name)
    return known === -1 ? hops.push(name) - 1 : known
  }

  /** Finds the first kept position whose value in a column is at least `value`. The column's values must never decrease. */
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
    hops,
    at: (position) => times[position % most]!,
    kind: (position) => kinds[position % most] as Kind,
    hop: (position) => hopIndexes[position % most]!,
    size: (position) => sizes[position % most]!,
    connection: (position) => connections[position % most]!,
    hasCursor(position) {
      const other = others.get(position)
      return other !== undefined && hasCursor(other)
    },
    entry(position) {
      const other = others.get(position)
      if (other) return other
      const slot = position % most
      const base = { n: numbers[slot]!, at: times[slot]!, connection: connections[slot]! }
      if (kinds[slot] === KINDS.opened) return { ...base, kind: 'opened' }
      const direction = kinds[slot] === KINDS.request ? 'request' : 'response'
      const hop = hops[hopIndexes[slot]!]!
      return { ...base, kind: 'arrived', direction, size: sizes[slot]!, hop }
    },
    find(n) {
      const position = search(numbers, n)
      return position < end && numbers[position % most] === n ? position : undefined
    },
    firstFrom: (at) => search(times, at),
    firstNumbered: (n) => search(numbers, n),
    push(entry) {
      const slot = end % most
      numbers[slot] = entry.n
      // The recorder's two clocks differ by microseconds, but a binary search needs sorted times.
      times[slot] = end > begin ? Math.max(entry.at, times[(end - 1) % most]!) : entry.at
      sizes[slot] = entry.kind === 'arrived' ? entry.size : 0
      connections[slot] = entry.kind === 'note' ? 0 : entry.connection
      kinds[slot] = KINDS[entry.kind === 'arrived' ? entry.direction : entry.kind]
      if (entry.kind === 'arrived') hopIndexes[slot] = indexOfHop(entry.hop)
      if (entry.kind === 'closed' || entry.kind === 'note' || hasCursor(entry)) {
        others.set(end, entry)
      }
      end += 1
    },
    dropOldest() {
      others.delete(begin)
      begin += 1
    },
    clear() {
      others.clear()
      begin = end
    },
  }
}

function hasCursor(entry: Entry): boolean {
  return entry.kind === 'arrived' && entry.cursor !== undefined
}
