import type { Entry } from '../../../../wire/entry.ts'
import { formatBytes, formatSeconds } from '../ui/format.ts'

/** Says what an entry is, without its time and its connection. */
export function describeEntry(entry: Entry): string {
  if (entry.kind === 'opened') return 'opened'
  if (entry.kind === 'note' || entry.kind === 'closed') return entry.text
  const { direction, size, cursor } = entry
  if (direction === 'response') return `← response ${formatBytes(size)}`
  // Where there is little room, that is what is wanted.
  return cursor === undefined
    ? `→ request ${formatBytes(size)}`
    : `→ ${describeCursor(cursor)}, ${formatBytes(size)}`
}

/** Says the same with its time and its connection: `opened at 1.204 s · #2`. */
export function describeEntryInFull(entry: Entry): string {
  const connection = entry.kind === 'note' ? '' : ` · #${entry.connection}`
  return `${describeEntry(entry)} at ${formatSeconds(entry.at)}${connection}`
}

/** Says after which event a client wants to go on: `behind us7000abcd`. */
export function describeCursor(cursor: string): string {
  return `behind ${cursor.length > 24 ? `${cursor.slice(0, 23)}…` : cursor}`
}
