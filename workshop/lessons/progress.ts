import type { CheckResult, Verdict } from '../../protocol/verdict.ts'
import { taskOf } from './task-of.ts'
import { checksOf, hasChecks, type CheckName } from './checks.ts'
import type { Lesson } from './catalogue.ts'
import type { Task } from './readme.ts'
import { decisive, scoreOf, type Score } from '../../protocol/score.ts'
import { readStore, writeStore } from '../store.ts'

/** A learner's progress in one lesson. */
export type Progress = {
  passed: string[]
  /** The checks that could not be graded, because this machine lacks a tool that they need. */
  notGraded: string[]
  /** Every check of the lesson. */
  checks: string[]
  score: Score
  /** Whether every core check has passed, except those that this machine cannot grade. */
  isPassed: boolean
  /** The time of the last grading. */
  gradedAt?: Date
  /** The outcome of the last grading. */
  outcome?: Verdict['outcome']
}

type State = CheckResult['state'] | 'not graded'

type Stored = Record<
  string,
  { gradedAt: string; outcome: Verdict['outcome']; checks: Record<string, State> }
>

/**
 * Stores the verdict on the learner's own work in lessons/. Keeps the earlier results of checks that were not graded this
 * time.
 */
export function recordVerdict({ lesson, outcome, checks }: Verdict): void {
  const stored = readStore<Stored>(FILE)
  const states = checks.map(({ id, state, lacks }) => [id, lacks ? 'not graded' : state] as const)
  stored[lesson] = {
    gradedAt: new Date().toISOString(),
    outcome,
    checks: { ...stored[lesson]?.checks, ...Object.fromEntries(states) },
  }
  writeStore(FILE, stored)
}

/** Deletes the progress of a lesson. */
export function forgetProgress(lesson: number): void {
  const { [lesson]: _, ...others } = readStore<Stored>(FILE)
  writeStore(FILE, others)
}

/** Reads the progress of a lesson. */
export function progressOf(lesson: number): Progress {
  const stored = readStore<Stored>(FILE)[lesson]
  const checks = namesOf(lesson).map((check) => ({
    ...check,
    state: stored?.checks?.[check.id] ?? ('not run' as const),
  }))
  const those = (state: State): string[] =>
    checks.filter((check) => check.state === state).map(({ id }) => id)
  const graded = decisive(checks).filter(({ state }) => state !== 'not graded')
  return {
    passed: those('passed'),
    notGraded: those('not graded'),
    checks: checks.map(({ id }) => id),
    score: scoreOf(checks),
    isPassed: graded.length > 0 && graded.every(({ state }) => state === 'passed'),
    ...(stored && { gradedAt: new Date(stored.gradedAt), outcome: stored.outcome }),
  }
}

/**
 * Returns the first task that has an open core check. If there is none, returns the first task with an open edge case.
 *
 * @param closed the checks that have passed or that this machine cannot grade
 */
export function firstOpenTask(lesson: Lesson, closed: readonly string[]): Task | undefined {
  const open = namesOf(lesson.number).filter(({ id }) => !closed.includes(id))
  const [next] = decisive(open)
  return next && lesson.tasks.find((task) => task.id === taskOf(next.id))
}

function namesOf(lesson: number): CheckName[] {
  return hasChecks(lesson) ? checksOf(lesson) : []
}

const FILE = 'progress.json'
