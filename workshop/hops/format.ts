import { visible } from '../../wire/visible.ts'
import { truncate, wrap } from '../terminal/text.ts'

/** Formats a duration, with as many digits as the clock is worth: `0.4 ms`, `212 ms`, `1.20 s`. */
export function duration(ms: number): string {
  if (Math.abs(ms) >= 1000) return `${(ms / 1000).toFixed(Math.abs(ms) < 10_000 ? 2 : 1)} s`
  return `${Math.abs(ms) < 9.95 ? ms.toFixed(1) : Math.round(ms)} ms`
}

/** Formats a range of durations: `0.2 to 3.1 ms, median 0.5 ms`. */
export function range({
  least,
  median,
  most,
}: Record<'least' | 'median' | 'most', number>): string {
  const unit = /ms$/.test(duration(least)) === /ms$/.test(duration(most))
  const from = unit ? duration(least).replace(/ m?s$/, '') : duration(least)
  return `${from} to ${duration(most)}, median ${duration(median)}`
}

/** Wraps a text, and indents all of its lines. */
export function paragraph(
  text: string,
  { width, indent = 0 }: { width: number; indent?: number },
): string[] {
  return wrap(text, width - indent).map((line) => ' '.repeat(indent) + line)
}

/** Lays out rows in columns. The last column is as wide as its text, and all others as wide as their longest cell. */
export function columns(rows: string[][], { width }: { width: number }): string[] {
  const widths = rows[0]!.map((_, n) => Math.max(...rows.map((row) => [...row[n]!].length)))
  return rows.map((row) => {
    const cells = row.map((cell, n) => (n === row.length - 1 ? cell : cell.padEnd(widths[n]!)))
    return truncate(`  ${cells.join('  ')}`.trimEnd(), width)
  })
}

/** Makes a text of a stranger's server printable on one line, and shortens it. */
export function printable(text: string, width: number): string {
  return truncate(visible(text), width)
}

/** Formats a number and a noun: `1 event`, `20 events`. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`
}
