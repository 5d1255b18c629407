import { availableParallelism, totalmem } from 'node:os'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Lesson } from '../lessons/catalogue.ts'
import { gradeInProcess } from './grade-in-process.ts'
import { gradeOf, gradeOfStubs, notGraded, type Grade } from './grade.ts'
import { sandboxOf, hashOf, isUntouched, readSubmission, type Submission } from './submission.ts'
import { machineProblem } from '../machine-problem.ts'
import { cacheGrade, cachedGrade, keyOf } from './grade-cache.ts'
import type { Person } from './people.ts'

/** The unit of grading: one lesson of one person. */
export type Unit = { person: Person; lesson: Lesson }

export type Result = {
  unit: Unit
  grade: Grade
  /** Whether the grade is from an earlier run, because nothing has changed since. */
  isCached: boolean
}

export type ClassOptions = {
  seed: number
  signal: AbortSignal
  onStart(unit: Unit): void
  onGrade(result: Result): void
}

/** Returns the units to grade: the lessons that each person has handed in. */
export function unitsOf(people: Person[], lessons: Lesson[]): Unit[] {
  return people
    .filter(({ problem }) => problem === undefined)
    .flatMap((person) =>
      lessons
        .filter(({ folder }) => existsSync(join(person.folder, folder)))
        .map((lesson) => ({ person, lesson })),
    )
}

/** Grades all units, several at once. If `signal` aborts, returns the results so far. */
export async function gradeClass(units: Unit[], options: ClassOptions): Promise<Result[]> {
  const { signal, onStart, onGrade } = options
  const results: Result[] = []
  const queue = units.values()
  const takeTurns = async (): Promise<void> => {
    for (const unit of queue) {
      if (signal.aborted) return
      onStart(unit)
      const result = await gradeUnit(unit, options)
      if (signal.aborted) return
      results.push(result)
      onGrade(result)
    }
  }
  await Promise.all(Array.from({ length: atOnce() }, takeTurns))
  return results
}

/**
 * Returns how many submissions to grade at once. Grading wrong code is mostly waiting, so if there is enough memory, this
 * is one more than the number of processors.
 */
function atOnce(): number {
  return Math.max(1, Math.min(availableParallelism() + 1, Math.floor(totalmem() / MEMORY_EACH)))
}

/** The bytes of memory that a grading process and the process that runs the submission may need together. */
const MEMORY_EACH = 1.5e9

async function gradeUnit(unit: Unit, options: ClassOptions): Promise<Result> {
  const { person, lesson } = unit
  try {
    const submission = await readSubmission(person.folder, lesson)
    return { unit, ...(await gradeSubmission(submission, options)) }
  } catch (error) {
    // Keep grading the others, because the cause is in this submission, such as too many files or a path too long to copy.
    const why = machineProblem(error) ?? String((error as Error | undefined)?.message)
    return { unit, grade: notGraded(lesson.number, why), isCached: false }
  }
}

async function gradeSubmission(
  submission: Submission,
  { seed, signal }: ClassOptions,
): Promise<Omit<Result, 'unit'>> {
  const { lesson, leftOut } = submission
  if (isUntouched(submission))
    return { grade: gradeOfStubs(lesson.number, leftOut), isCached: false }
  const key = keyOf(lesson, hashOf(submission), seed)
  const kept = cachedGrade(key)
  if (kept) return { grade: { ...kept, leftOut }, isCached: true }

  const sandbox = await sandboxOf(submission)
  try {
    const verdict = await gradeInProcess(
      { lesson: lesson.number, work: sandbox.folder, seed },
      signal,
    )
    if (typeof verdict === 'string') {
      return { grade: notGraded(lesson.number, verdict, leftOut), isCached: false }
    }
    const grade = gradeOf(verdict, leftOut)
    cacheGrade(key, grade)
    return { grade, isCached: false }
  } finally {
    // The next start of the workshop removes a sandbox that cannot be removed now.
    await sandbox.remove().catch(() => {})
  }
}
