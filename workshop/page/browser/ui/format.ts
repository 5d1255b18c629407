import type { Entry } from '../../../../wire/entry.ts'

/** `1.204 s`, of milliseconds. */
export function seconds(at: number): string {
  return `${(at / 1000).toFixed(3)} s`
}

/** `1,204`. */
export function number(count: number): string {
  return count.toLocaleString('en')
}

/** `1 reader`, `2 readers`. */
export function counted(count: number, what: string): string {
  return `${number(count)} ${what}${count === 1 ? '' : 's'}`
}

export function bytes(size: number): string {
  return `${number(size)} B`
}

/** What an entry says, without its time and its connection. */
export function whatHappened(entry: Entry): string {
  if (entry.kind === 'opened') return 'opened'
  if (entry.kind === 'note' || entry.kind === 'closed') return entry.text
  const { direction, size, cursor } = entry
  if (direction === 'response') return `← response ${bytes(size)}`
  // Where there is little room, that is what is wanted.
  return cursor === undefined ? `→ request ${bytes(size)}` : `→ ${behind(cursor)}, ${bytes(size)}`
}

/** What a client asks for that says what it has: `behind us7000abcd`. */
export function behind(cursor: string): string {
  return `behind ${cursor.length > 24 ? `${cursor.slice(0, 23)}…` : cursor}`
}
