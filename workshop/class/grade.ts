import type { CheckResult, GradingProblem, Verdict } from '../../protocol/verdict.ts'
import type { Story } from '../../protocol/grading.ts'
import { decisive } from '../../protocol/score.ts'
import { checksOf } from '../lessons/checks.ts'
import { taskOf } from '../lessons/task-of.ts'
import { legible } from '../../wire/visible.ts'
import type { Person } from './people.ts'

/** The grade of one person for one lesson. */
export type Grade = {
  lesson: number
  /** The verdict's outcome, or `not graded`, which says nothing about the submission. */
  outcome: Verdict['outcome'] | 'not graded'
  checks: GradedCheck[]
  /** The reason, if the outcome is `error`, `stuck` or `not graded`. */
  problem?: string
  /** The place in the submission that the problem names: `lessons/01-raw-chunks/server.ts:12:5`. */
  at?: string
  /** The files that were left out, with the reasons. */
  leftOut: string[]
}

export type GradedCheck = {
  id: string
  rule: string
  isEdgeCase?: boolean
  state: CheckResult['state'] | 'not written'
  /** The story of a failed check: the symptom, the expectation, perhaps a likely cause, and the place in the submission. */
  seen?: string
  expected?: string
  cause?: string
  at?: string
}

/** A person and their grades, in the order of the lessons. */
export type GradedPerson = { person: Person; grades: Grade[] }

export function gradeOf(verdict: Verdict, leftOut: string[]): Grade {
  const { lesson, outcome, checks, problem } = verdict
  return {
    lesson,
    outcome,
    checks: checks.map(({ id, rule, isEdgeCase, state, notWritten, story, at }) => ({
      id,
      rule,
      ...(isEdgeCase && { isEdgeCase }),
      state: notWritten ? 'not written' : state,
      ...(story && !notWritten && storyOf(story)),
      ...(at && !notWritten && { at }),
    })),
    ...(problem && told(problem)),
    leftOut,
  }
}

function storyOf({ seen, expected, cause, often }: Story): Partial<GradedCheck> {
  const likely = cause ? `The cause: ${cause}` : often && `A common cause: ${often}`
  return { seen, expected, ...(likely && { cause: likely }) }
}

/** Returns a problem in sentences, without the picture that the compiler draws of the code, and its place. */
function told({ what, detail }: GradingProblem): Pick<Grade, 'problem' | 'at'> {
  const [at] = /lessons\/[^\s:]+:\d+(:\d+)?/.exec(detail) ?? []
  const lines = detail.split('\n').map((line) => line.replace(/^\[[A-Z_]+\] /, '').trim())
  const sentences = lines.filter((line) => line !== '' && !PICTURE.test(line))
  const problem = [what, ...sentences].join(' ').slice(0, LONGEST)
  return { problem, ...(at && { at }) }
}

/** Matches a line of the compiler's picture, its heading, and a place. */
const PICTURE = /[─│╭╰┬]|^Transform failed with \d+ errors?:$|^at \S+$/

/** The length at which a problem is cut off, because an error message may be huge. */
const LONGEST = 1000

/** Returns the grade of untouched stubs, without running them. The proof shows that every check of a stub fails as not written. */
export function gradeOfStubs(lesson: number, leftOut: string[]): Grade {
  const checks = checksOf(lesson).map(({ id, rule, isEdgeCase }) => ({
    id,
    rule,
    ...(isEdgeCase && { isEdgeCase }),
    state: 'not written' as const,
  }))
  return { lesson, outcome: 'fail', checks, leftOut }
}

/** Returns the grade of a submission that could not be graded. */
export function notGraded(lesson: number, problem: string, leftOut: string[] = []): Grade {
  return { lesson, outcome: 'not graded', checks: [], problem: legible(problem), leftOut }
}

/** Summarises a grade in a word or two. */
export function wordOf({ outcome, checks }: Grade): string {
  if (outcome === 'pass') return 'passed'
  if (outcome !== 'fail') return outcome
  return checks.every(({ state }) => state === 'not written') ? 'not begun' : 'not yet'
}

/** Returns whether a submission has anything to talk about. The stubs of a lesson have not. */
export function isBegun(grade: Grade): boolean {
  return wordOf(grade) !== 'not begun' || grade.leftOut.length > 0
}

/**
 * Returns the check that stops a person, or undefined if the lesson is passed or not begun. In a task that is only half
 * written, this is a failure of the written half, because the person knows that the rest is missing.
 */
export function stoppedBy(grade: Grade): GradedCheck | undefined {
  if (wordOf(grade) !== 'not yet') return undefined
  const open = decisive(grade.checks).filter(({ state }) => !['passed', 'not run'].includes(state))
  const [first] = open
  if (first?.state !== 'not written') return first
  return open.find((check) => check.state === 'failed' && isSameTask(check, first)) ?? first
}

function isSameTask(a: GradedCheck, b: GradedCheck): boolean {
  return taskOf(a.id) === taskOf(b.id)
}

/** Returns a grade's checks. After an `error`, returns an empty list, because checks that ran before the error do not count. */
export function resultsOf({ outcome, checks }: Grade): GradedCheck[] {
  return outcome === 'pass' || outcome === 'fail' ? checks : []
}
