import { taskOf } from '../lessons/task-of.ts'
import type { CheckResult } from '../../protocol/verdict.ts'

// Decides what to show of a verdict first, in the terminal and on the page. Nothing here needs Node.

/**
 * Returns the failure to show in full. Core checks come before edge cases. In a task that is only half written, returns a
 * failure of the written half, because the learner knows that the rest is missing.
 */
export function firstFailure<Check extends CheckResult>(
  checks: readonly Check[],
): Check | undefined {
  const failures = checks.filter(({ state }) => state === 'failed')
  const core = failures.filter(({ isEdgeCase }) => !isEdgeCase)
  const failed = core.length > 0 ? core : failures
  const [first] = failed
  if (!first?.notWritten) return first
  return failed.find((check) => !check.notWritten && taskOf(check.id) === taskOf(first.id)) ?? first
}

/** Returns whether every check that could be graded failed because nothing is written yet. */
export function isStartingPoint(checks: readonly CheckResult[]): boolean {
  const graded = checks.filter(({ lacks }) => !lacks)
  return graded.length > 0 && graded.every(({ notWritten }) => notWritten)
}

/** Returns the lines that the work printed. Of stack traces, only the learner's frames are kept. */
export function linesPrinted(printed: string): string[] {
  const text = printed.trimEnd()
  return text === '' ? [] : withoutRepeats(text.split('\n').filter((line) => !FRAME.test(line)))
}

/** Combines equal lines that follow each other: `FeedError: no word (14 times)`. */
function withoutRepeats(lines: string[]): string[] {
  const starts = lines.flatMap((line, n) => (line !== lines[n - 1] ? [n] : []))
  return starts.map((start, n) => {
    const count = (starts[n + 1] ?? lines.length) - start
    return `${lines[start]}${count > 1 && lines[start] !== '' ? ` (${count} times)` : ''}`
  })
}

/** Matches a stack frame that belongs to Node, to a package or to the check, or that has no file. */
const FRAME = /^\s+at (.*(node_modules|node:|\/test\/)|async Promise\.)/
