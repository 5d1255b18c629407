import type { CheckResult, Verdict } from '../../protocol/verdict.ts'
import { checksOf } from '../lessons/checks.ts'
import type { Person } from './people.ts'

/** What a class's table says of one lesson of one person. */
export type Grade = {
  lesson: number
  /** As in a verdict; or `not graded`, which says nothing about the work. */
  outcome: Verdict['outcome'] | 'not graded'
  checks: GradedCheck[]
  /** Why it is `error`, `stuck` or `not graded`. */
  problem?: string
  /** What of the work was not taken, and why. */
  leftOut: string[]
}

export type GradedCheck = {
  id: string
  rule: string
  isEdgeCase?: boolean
  state: CheckResult['state'] | 'not written'
  /** Of a check that failed: what was seen, what was expected and where in the work. */
  seen?: string
  expected?: string
  at?: string
}

/** A person and what became of the lessons, in their order. */
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

/** What is thrown may say a lot. */
const LONGEST = 1000

/** Of work in which nothing is written yet. The proof shows that every check of a stub fails for that. */
export function gradeOfStubs(lesson: number, leftOut: string[]): Grade {
  const checks = checksOf(lesson).map(({ id, rule, isEdgeCase }) => ({
    id,
    rule,
    ...(isEdgeCase && { isEdgeCase }),
    state: 'not written' as const,
  }))
  return { lesson, outcome: 'fail', checks, leftOut }
}

/** Of work about which nothing can be said. */
export function notGraded(lesson: number, problem: string, leftOut: string[] = []): Grade {
  return { lesson, outcome: 'not graded', checks: [], problem, leftOut }
}

/** The verdict in a word or two. */
export function wordOf({ outcome, checks }: Grade): string {
  if (outcome === 'pass') return 'passed'
  if (outcome !== 'fail') return outcome
  return checks.every(({ state }) => state === 'not written') ? 'not begun' : 'not yet'
}

/** What a run found before it came to an `error` counts for nothing: then there are no results. */
export function resultsOf({ outcome, checks }: Grade): GradedCheck[] {
  return outcome === 'pass' || outcome === 'fail' ? checks : []
}
