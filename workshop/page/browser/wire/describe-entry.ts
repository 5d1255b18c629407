import type { Entry } from '../../../../wire/entry.ts'
import { formatBytes, formatSeconds } from '../ui/format.ts'

/** Describes an entry without its time and connection. */
export function describeEntry(entry: Entry): string {
  if (entry.kind === 'opened') return 'opened'
  if (entry.kind === 'note' || entry.kind === 'closed') return entry.text
  const { direction, size, cursor } = entry
  if (direction === 'response') return `← response ${formatBytes(size)}`
  // The cursor is the most interesting part of a request, so it comes first, because space may be short.
  return cursor === undefined
    ? `→ request ${formatBytes(size)}`
    : `→ ${describeCursor(cursor)}, ${formatBytes(size)}`
}

/** Describes an entry with its time and connection: `opened at 1.204 s · #2`. */
export function describeEntryInFull(entry: Entry): string {
  const connection = entry.kind === 'note' ? '' : ` · #${entry.connection}`
  return `${describeEntry(entry)} at ${formatSeconds(entry.at)}${connection}`
}

/** Describes the Last-Event-ID of a request: `last ID us7000abcd`. */
export function describeCursor(cursor: string): string {
  return `last ID ${cursor.length > 24 ? `${cursor.slice(0, 23)}…` : cursor}`
}
