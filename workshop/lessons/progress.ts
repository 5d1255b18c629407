import type { CheckResult, Verdict } from '../../protocol/verdict.ts'
import { taskOf } from './task-of.ts'
import { checkIds, type Lesson } from './catalogue.ts'
import type { Task } from './readme.ts'
import { readStore, writeStore } from '../store.ts'

/** How far a learner is in one lesson. */
export type Progress = {
  passed: string[]
  /** Checks that need what this machine did not have when it graded. */
  notGraded: string[]
  /** Every check of the lesson. */
  checks: string[]
  /** When it was graded last. */
  gradedAt?: Date
  /** When the last grading got no further than loading the work: `error` or `stuck`. */
  outcome?: Verdict['outcome']
}

type State = CheckResult['state'] | 'not graded'

type Stored = Record<
  string,
  { gradedAt: string; outcome: Verdict['outcome']; checks: Record<string, State> }
>

/**
 * Remembers what a grading of the learner's own work in lessons/ said. A grading of one check leaves what
 * is known of the others.
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

/** A lesson begins again. */
export function forgetProgress(lesson: number): void {
  const { [lesson]: _, ...others } = readStore<Stored>(FILE)
  writeStore(FILE, others)
}

/** What is known of a lesson's checks. */
export function progressOf(lesson: number): Progress {
  const checks = checkIds(lesson)
  const stored = readStore<Stored>(FILE)[lesson]
  if (!stored) return { passed: [], notGraded: [], checks }
  const those = (state: State): string[] => checks.filter((id) => stored.checks?.[id] === state)
  return {
    passed: those('passed'),
    notGraded: those('not graded'),
    checks,
    gradedAt: new Date(stored.gradedAt),
    outcome: stored.outcome,
  }
}

/**
 * The first task that has an open check.
 *
 * @param closed checks that have passed, or that this machine cannot grade
 */
export function firstOpenTask(lesson: Lesson, closed: readonly string[]): Task | undefined {
  const open = checkIds(lesson.number).find((id) => !closed.includes(id))
  return open === undefined ? undefined : lesson.tasks.find((task) => task.id === taskOf(open))
}

const FILE = 'progress.json'
