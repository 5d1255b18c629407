import type { Entry } from '../../../../wire/entry.ts'
import { exchangeAt, nameOf, type ExchangeLog } from './exchange-log.ts'
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

/** Describes an entry with its time and connection: `opened at 1.204 s · GET /events, #2`. */
export function describeEntryInFull(entry: Entry, exchanges: ExchangeLog): string {
  const text = `${describeEntry(entry)} at ${formatSeconds(entry.at)}`
  return entry.kind === 'note' ? text : `${text} · ${nameOfConnectionAt(entry, exchanges)}`
}

/** Names an entry's connection by the request to which the entry belongs: `GET /events, #2`. */
export function nameOfConnectionAt(
  entry: Exclude<Entry, { kind: 'note' }>,
  exchanges: ExchangeLog,
): string {
  const exchange = exchangeAt(exchanges, entry)
  return exchange ? `${nameOf(exchange)}, #${entry.connection}` : `#${entry.connection}`
}

/** Describes the Last-Event-ID of a request: `last ID us7000abcd`. */
export function describeCursor(cursor: string): string {
  return `last ID ${cursor.length > 24 ? `${cursor.slice(0, 23)}…` : cursor}`
}
