import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { CheckResult, Verdict } from '../../protocol/verdict.ts'
import { taskOf } from './task-of.ts'
import { checksOf, hasChecks, type CheckName } from './checks.ts'
import type { Lesson } from './catalogue.ts'
import type { Task } from './readme.ts'
import { decisive, scoreOf, type Score } from '../../protocol/score.ts'
import { machineProblem } from '../machine-problem.ts'
import { readStore, storeFolder, writeStore } from '../store.ts'

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
 *
 * @returns a sentence if the verdict cannot be stored
 */
export function recordVerdict({ lesson, outcome, checks }: Verdict): string | undefined {
  const stored = readStore<Stored>(FILE)
  const states = checks.map(({ id, state, lacks }) => [id, lacks ? 'not graded' : state] as const)
  stored[lesson] = {
    gradedAt: new Date().toISOString(),
    outcome,
    checks: { ...storedOf(lesson)?.checks, ...Object.fromEntries(states) },
  }
  try {
    writeStore(FILE, stored)
    return undefined
  } catch (error) {
    const problem = machineProblem(error)
    if (!problem) throw error
    return `Your progress was not saved. ${problem}`
  }
}

/** Deletes the progress of a lesson. */
export function forgetProgress(lesson: number): void {
  const { [lesson]: _, ...others } = readStore<Stored>(FILE)
  writeStore(FILE, others)
}

/** Reads the progress of a lesson. */
export function progressOf(lesson: number): Progress {
  const stored = storedOf(lesson)
  const checks = namesOf(lesson).map((check) => ({
    ...check,
    state: stored?.checks[check.id] ?? ('not run' as const),
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

/** Returns a sentence if the stored progress is damaged. */
export function progressProblem(): string | undefined {
  const file = join(storeFolder, FILE)
  if (!existsSync(file)) return undefined
  const all = Object.entries(readStore<Stored>(FILE))
  // An empty object means that the file could not be read, because it is only written after a grading.
  const isWhole = all.length > 0 && all.every(([lesson]) => storedOf(Number(lesson)))
  return isWhole
    ? undefined
    : `Your progress in .workshop/${FILE} is damaged, so a part of it is missing here. Grade the lessons again to restore it.`
}

/** Returns what is stored about a lesson, or undefined if there is nothing or the file is damaged. */
function storedOf(lesson: number): Stored[string] | undefined {
  const found: unknown = readStore<Stored>(FILE)[lesson]
  if (typeof found !== 'object' || found === null) return undefined
  const { gradedAt, outcome, checks } = found as Record<string, unknown>
  if (typeof gradedAt !== 'string' || Number.isNaN(Date.parse(gradedAt))) return undefined
  if (typeof outcome !== 'string' || typeof checks !== 'object' || checks === null) return undefined
  return found as Stored[string]
}

function namesOf(lesson: number): CheckName[] {
  return hasChecks(lesson) ? checksOf(lesson) : []
}

const FILE = 'progress.json'
