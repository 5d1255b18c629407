import type { CheckResult, Verdict } from '../../protocol/verdict.ts'
import { taskOf } from './task-of.ts'
import { checkIds, type Lesson } from './catalogue.ts'
import type { Task } from './readme.ts'
import { readStore, writeStore } from '../store.ts'

/** A learner's progress in one lesson. */
export type Progress = {
  passed: string[]
  /** Checks that could not be graded, because this machine lacks a tool that they need. */
  notGraded: string[]
  /** Every check of the lesson. */
  checks: string[]
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
 * Stores the verdict on the learner's own work in lessons/. The results of checks that were not graded this time are
 * kept.
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
 * Returns the first task that has an open check.
 *
 * @param closed the checks that have passed or that this machine cannot grade
 */
export function firstOpenTask(lesson: Lesson, closed: readonly string[]): Task | undefined {
  const open = checkIds(lesson.number).find((id) => !closed.includes(id))
  return open === undefined ? undefined : lesson.tasks.find((task) => task.id === taskOf(open))
}

const FILE = 'progress.json'
