import type { Story } from './grading.ts'

/** What the grader says of one lesson of one person's work. */
export type Verdict = {
  lesson: number
  /**
   * `pass`: every core check passed. `fail`: some did not. `error`: the work could not be loaded, or crashed.
   * `stuck`: it did not give the event loop back. Only the first two are about the checks.
   */
  outcome: 'pass' | 'fail' | 'error' | 'stuck'
  /** In diagnosis order; every check that was asked for is here, whatever happened. */
  checks: CheckResult[]
  /** What went wrong, when the outcome is `error` or `stuck`. */
  problem?: GradingProblem
  /** Type errors in the learner's files, one a line, as `lessons/01-raw-chunks/server.ts:12:5 …`. */
  typeErrors: string[]
  /** Made the inputs; `SEED=…` makes them again. */
  seed: number
  /** What the work printed with console.log and the like while it was graded. */
  printed: string
}

export type CheckResult = {
  id: string
  /** In the present tense: `each quake reaches the client before the next one happens`. */
  rule: string
  /** A lesson is passed without it. */
  isEdgeCase?: boolean
  state: 'passed' | 'failed' | 'not run'
  /** What the check needs and this machine does not have: `nginx`. Then it is not run. */
  lacks?: string
  /** What the work says of itself: `lesson 1, task 1.1: write createApp()`. The check failed for that. */
  notWritten?: string
  /** What could not be graded, and why, though it passed. */
  note?: string
  story?: Story
  /** Where in the learner's file it was thrown: `lessons/01-raw-chunks/server.ts:12:5`. */
  at?: string
  steps: readonly string[]
  /** The steps of the same check, played to the solution. */
  reference?: readonly string[]
}

export type GradingProblem = {
  /** One sentence: `lessons/01-raw-chunks/server.ts could not be loaded.` */
  what: string
  /** The compiler's or the runtime's own words, or what to look for. */
  detail: string
}
