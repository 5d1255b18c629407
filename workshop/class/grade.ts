import type { CheckResult, Verdict } from '../../protocol/verdict.ts'
import { checksOf } from '../lessons/checks.ts'
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
  /** The files that were left out, with the reasons. */
  leftOut: string[]
}

export type GradedCheck = {
  id: string
  rule: string
  isEdgeCase?: boolean
  state: CheckResult['state'] | 'not written'
  /** The story of a failed check: the symptom, the expectation, and the place in the submission. */
  seen?: string
  expected?: string
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
      ...(story && !notWritten && { seen: story.seen, expected: story.expected }),
      ...(at && !notWritten && { at }),
    })),
    ...(problem && { problem: `${problem.what} ${problem.detail}`.slice(0, LONGEST) }),
    leftOut,
  }
}

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

/** Returns a grade's checks. After an `error`, returns an empty list, because checks that ran before the error do not count. */
export function resultsOf({ outcome, checks }: Grade): GradedCheck[] {
  return outcome === 'pass' || outcome === 'fail' ? checks : []
}
