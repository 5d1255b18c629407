/** The rows of two transcripts that are shown, and how much is left out. */
export type SideBySide = {
  /** The first row that is shown, from 0. The rows before it are the same in both. */
  from: number
  /** The rows of both from there on, as far as they are shown. */
  yours: readonly string[]
  reference: readonly string[]
  /** How many more rows the reference has. */
  more: number
}

/**
 * Aligns the transcript of a check with that of the solution. A transcript may have a hundred rows. The rows that matter
 * are the first that differs and the learner's last, so rows long before the first and long after the last are left out.
 */
export function sideBySide(yours: readonly string[], reference: readonly string[]): SideBySide {
  const differs = firstDifference(yours, reference)
  const alike = differs === -1 ? yours.length : differs
  const from = reference.length > 0 && alike > BEFORE + FEW ? alike - BEFORE : 0
  const end = yours.length + AFTER
  const to = reference.length > end + FEW ? end : reference.length
  return {
    from,
    yours: yours.slice(from),
    reference: reference.slice(from, to),
    more: reference.length - to,
  }
}

/** Returns the first row that differs, or -1. */
export function firstDifference(yours: readonly string[], reference: readonly string[]): number {
  const length = Math.max(yours.length, reference.length)
  for (let row = 0; row < length; row += 1) if (yours[row] !== reference[row]) return row
  return -1
}

/** Returns the text of the row that stands for the rows left out, for both the terminal and the page. */
export function alikeInWords(rows: number): string {
  return `… ${rows} before, the same in both`
}

export function moreInWords(rows: number): string {
  return `… ${rows} more`
}

const BEFORE = 12
const AFTER = 4
/** So many rows, or fewer, are never left out, because they show how the difference came about. */
const FEW = 10
