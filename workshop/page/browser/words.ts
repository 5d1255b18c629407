import type { Entry } from '../../../wire/entry.ts'

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
  return `${entry.direction === 'request' ? '→ request' : '← response'} ${bytes(entry.size)}`
}

/** `2.3` of `2.3a`. */
export function taskOf(check: string): string {
  return check.replace(/[a-z]+$/, '')
}
