import { taskOf } from '../lessons/task-of.ts'
import type { CheckResult } from '../../protocol/verdict.ts'

// What of a verdict is told first, for the terminal and for the page. Nothing here needs Node.

/**
 * The failure that is told in full. In a task that is half written it is one of the half that is: why that
 * fails is news, and that the rest is not written is none.
 */
export function firstFailure<Check extends CheckResult>(
  checks: readonly Check[],
): Check | undefined {
  const failed = checks.filter(({ state }) => state === 'failed')
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
