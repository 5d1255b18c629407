import type { Story } from './grading.ts'
import type { SpaceTime } from './space-time.ts'

/** The result of grading one lesson of one person's work. */
export type Verdict = {
  lesson: number
  /**
   * `pass` means that every core check passed, and `fail` that at least one did not. `error` means that the learner's
   * code could not be loaded or crashed, and `stuck` that the code blocked the event loop. Only `pass` and `fail` say
   * anything about the checks.
   */
  outcome: 'pass' | 'fail' | 'error' | 'stuck'
  /** Every requested check, in diagnosis order, even if it could not be run. */
  checks: CheckResult[]
  /** The problem, if the outcome is `error` or `stuck`. */
  problem?: GradingProblem
  /** Type errors in the learner's files, one per line, such as `lessons/01-raw-chunks/server.ts:12:5 …`. */
  typeErrors: string[]
  /** The reason why the types could not be checked, in a sentence. */
  typeProblem?: string
  /** The seed of the random inputs. `SEED=…` reproduces them. */
  seed: number
  /** The output of the learner's code during the grading, such as that of `console.log()`. */
  printed: string
}

export type CheckResult = {
  id: string
  /** The rule that the check grades, in the present tense: `each quake reaches the client before the next quake happens`. */
  rule: string
  /** Whether the check is an edge case, which is graded and counted, but is not needed to pass the lesson. */
  isEdgeCase?: boolean
  state: 'passed' | 'failed' | 'not run'
  /** A program that the check needs but this machine lacks, such as `nginx`. The check is then not run. */
  lacks?: string
  /** The stub's message, if the check failed because of it: `lesson 1, task 1.1: write createApp()`. */
  notWritten?: string
  /** The part of the check that could not be graded, and the reason. The check has passed nevertheless. */
  note?: string
  story?: Story
  /** The place in the learner's file where the error was thrown: `lessons/01-raw-chunks/server.ts:12:5`. */
  at?: string
  steps: readonly string[]
  /** The steps as a picture. */
  picture?: SpaceTime
  /** The steps of the same check for the solution. */
  reference?: readonly string[]
  referencePicture?: SpaceTime
}

export type GradingProblem = {
  /** The problem in one sentence, such as `lessons/01-raw-chunks/server.ts could not be loaded.` */
  what: string
  /** The compiler's or the runtime's message, or advice on what to look for. */
  detail: string
}
