/** The rows of two transcripts to show, and how many rows are left out. */
export type SideBySide = {
  /** The index of the first row to show. The rows before it are the same in both transcripts. */
  from: number
  /** The rows to show, from that row on. */
  yours: readonly string[]
  reference: readonly string[]
  /** The number of further rows in the reference, which are not shown. */
  more: number
}

/**
 * Returns the rows to show from a check's transcript and from the solution's transcript. A transcript may have a
 * hundred rows, but the important ones are where the two begin to differ and where the learner's transcript ends.
 * Rows long before the former and long after the latter are left out.
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

/** Returns the index of the first row that differs, or -1. */
export function firstDifference(yours: readonly string[], reference: readonly string[]): number {
  const length = Math.max(yours.length, reference.length)
  for (let row = 0; row < length; row += 1) if (yours[row] !== reference[row]) return row
  return -1
}

/** Returns the row for omitted rows at the beginning, for the terminal and the page. */
export function alikeInWords(rows: number): string {
  return `… ${rows} before, the same in both`
}

export function moreInWords(rows: number): string {
  return `… ${rows} more`
}

const BEFORE = 12
const AFTER = 4
/** The number of rows up to which it is not worth leaving rows out. */
const FEW = 10
