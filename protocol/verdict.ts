import type { Story } from './grading.ts'

/** The result of grading one lesson of one person's work. */
export type Verdict = {
  lesson: number
  /**
   * `pass`: every core check passed. `fail`: some core checks did not pass. `error`: the work could not be loaded, or
   * crashed. `stuck`: it blocked the event loop. Only `pass` and `fail` say something about the checks.
   */
  outcome: 'pass' | 'fail' | 'error' | 'stuck'
  /** Every check that was requested, in diagnosis order, whatever happened. */
  checks: CheckResult[]
  /** What went wrong, if the outcome is `error` or `stuck`. */
  problem?: GradingProblem
  /** Type errors in the learner's files, one per line, such as `lessons/01-raw-chunks/server.ts:12:5 …`. */
  typeErrors: string[]
  /** The seed of the random inputs. `SEED=…` reproduces them. */
  seed: number
  /** What the work printed during the grading, for example with console.log. */
  printed: string
}

export type CheckResult = {
  id: string
  /** In the present tense: `each quake reaches the client before the next one happens`. */
  rule: string
  /** An edge case is graded and counted, but a lesson is passed without it. */
  isEdgeCase?: boolean
  state: 'passed' | 'failed' | 'not run'
  /** A program that the check needs and this machine lacks, such as `nginx`. The check is then not run. */
  lacks?: string
  /** The stub's message, if the check failed because of it: `lesson 1, task 1.1: write createApp()`. */
  notWritten?: string
  /** The part that could not be graded, and the reason. The check passed nevertheless. */
  note?: string
  story?: Story
  /** Where in the learner's file the error was thrown: `lessons/01-raw-chunks/server.ts:12:5`. */
  at?: string
  steps: readonly string[]
  /** The steps of the same check when it grades the solution. */
  reference?: readonly string[]
}

export type GradingProblem = {
  /** One sentence, such as `lessons/01-raw-chunks/server.ts could not be loaded.` */
  what: string
  /** The message of the compiler or the runtime, or advice on what to look for. */
  detail: string
}
