import { taskOf } from '../lessons/task-of.ts'
import type { CheckResult } from '../../protocol/verdict.ts'

// The most important parts of a verdict, for the terminal and for the page. Nothing here needs Node.

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

/** Returns whether nothing is written yet, so that every graded check has failed. */
export function isStartingPoint(checks: readonly CheckResult[]): boolean {
  const graded = checks.filter(({ lacks }) => !lacks)
  return graded.length > 0 && graded.every(({ notWritten }) => notWritten)
}

/** Returns the lines that the work printed. Of stacks, it keeps only the frames in the learner's files. */
export function linesPrinted(printed: string): string[] {
  const text = printed.trimEnd()
  return text === '' ? [] : text.split('\n').filter((line) => !FRAME.test(line))
}

/** Matches a stack frame of Node, a package or a check, or one without a file. */
const FRAME = /^\s+at (.*(node_modules|node:|\/test\/)|async Promise\.)/
