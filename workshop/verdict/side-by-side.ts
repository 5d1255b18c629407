/** The rows of two transcripts that are shown, and how much is left out. */
export type SideBySide = {
  /** The first row that is shown, from 0. The rows before it are the same in both. */
  from: number
  /** The rows of both from there on. */
  yours: readonly string[]
  reference: readonly string[]
  /** How many rows of the reference follow. */
  more: number
}

/**
 * What a check has done, beside what it does with the solution. A check may do a hundred things, and what matters is
 * where the two part and where the learner's ends: long before the first and behind the second, rows are left out.
 */
export function sideBySide(yours: readonly string[], reference: readonly string[]): SideBySide {
  const differs = firstDifference(yours, reference)
  const alike = differs === -1 ? yours.length : differs
  const from = reference.length > 0 && alike > BEFORE + FEW ? alike - BEFORE : 0
  const end = yours.length + BEHIND
  const to = reference.length > end + FEW ? end : reference.length
  return {
    from,
    yours: yours.slice(from),
    reference: reference.slice(from, to),
    more: reference.length - to,
  }
}

/** The first row that differs, or -1. */
export function firstDifference(yours: readonly string[], reference: readonly string[]): number {
  const length = Math.max(yours.length, reference.length)
  for (let row = 0; row < length; row += 1) if (yours[row] !== reference[row]) return row
  return -1
}

/** Told in a row of its own, in the words of both the terminal and the page. */
export function alikeInWords(rows: number): string {
  return `… ${rows} before, the same in both`
}

export function moreInWords(rows: number): string {
  return `… ${rows} more`
}

const BEFORE = 12
const BEHIND = 4
/** So few rows are not worth leaving out: they tell how it came about. */
const FEW = 10
