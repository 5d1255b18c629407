import { taskOf } from '../lessons/task-of.ts'
import type { CheckResult } from '../../protocol/verdict.ts'

// What of a verdict is told first, for the terminal and for the page. Nothing here needs Node.

/**
 * Returns the failure to show in full. Core checks come before edge cases. In a task that is half written, it is a
 * failure of the written half: the learner knows that the rest is not written yet.
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

/** Nothing is written yet, so everything that could be graded has failed. */
export function isStartingPoint(checks: readonly CheckResult[]): boolean {
  const graded = checks.filter(({ lacks }) => !lacks)
  return graded.length > 0 && graded.every(({ notWritten }) => notWritten)
}

/** What the work printed, line by line; of stacks, the frames that are the learner's. */
export function linesPrinted(printed: string): string[] {
  const text = printed.trimEnd()
  return text === '' ? [] : text.split('\n').filter((line) => !FRAME.test(line))
}

/** A frame of a stack that is Node's, a package's or the check's, or that names no file. */
const FRAME = /^\s+at (.*(node_modules|node:|\/test\/)|async Promise\.)/
