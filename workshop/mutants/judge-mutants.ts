import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { grade, type GradeRequest } from '../grader/grade.ts'
import { graderPool } from '../grader/grader-pool.ts'
import { checkIds, solutionsFolder, type Lesson } from '../lessons/catalogue.ts'
import type { Verdict } from '../../protocol/verdict.ts'
import type { Mutant } from './mutants.ts'

/**
 * `killed`: a check fails, or the program does not get that far.
 * `invalid`: every check passes, but the compiler rejects the types.
 * `survived`: every core check and every edge case passes.
 */
export type Fate = 'killed' | 'invalid' | 'survived'

type Judging = {
  signal: AbortSignal
  onJudged(mutant: Mutant, fate: Fate): void
}

/** Grades mutants of a lesson, a few at the same time. Stops early if `signal` aborts. */
export async function judgeMutants(
  lesson: Lesson,
  mutants: readonly Mutant[],
  { signal, onJudged }: Judging,
): Promise<void> {
  const pool = graderPool({ lesson: lesson.number, seed: SEED, size: AT_ONCE })
  const waiting = [...mutants]

  /** Begins with the task that was changed, with samples and without types, because that kills most mutants. */
  async function judge(mutant: Mutant, work: string): Promise<Fate> {
    const request: GradeRequest = {
      lesson: lesson.number,
      work,
      seed: SEED,
      bail: true,
      skipReference: true,
      signal,
    }
    const tryAllIn = checkIds(lesson.number).at(-1)!
    const look = { ...request, from: mutant.task, tryAllIn, skipTypes: true }
    if (isFailed(await pool.grade(look, ({ outcome }) => outcome !== 'error'))) return 'killed'
    const whole = await grade(request)
    if (isFailed(whole)) return 'killed'
    return whole.typeErrors.length > 0 ? 'invalid' : 'survived'
  }

  async function judgeNext(): Promise<void> {
    for (let mutant = waiting.shift(); mutant && !signal.aborted; mutant = waiting.shift()) {
      const work = layOutMutant(mutant, lesson)
      try {
        onJudged(mutant, await judge(mutant, work))
      } catch (error) {
        if (!signal.aborted) throw error
      } finally {
        rmSync(work, { recursive: true })
      }
    }
  }

  try {
    await Promise.all(Array.from({ length: AT_ONCE }, judgeNext))
  } finally {
    await pool.end()
  }
}

/** The seed of the cases in the checks. Fixed, so that a mutant is judged in the same way each time. */
const SEED = 1

/** The number of mutants that are graded at the same time. */
const AT_ONCE = 2

/** Returns whether any check fails, core or edge case, or a problem ended the grading. */
function isFailed({ checks, problem }: Verdict): boolean {
  return problem !== undefined || checks.some(({ state }) => state === 'failed')
}

/** Creates a folder laid out like lessons/, with the mutant in it. */
function layOutMutant({ file, text }: Mutant, { folder }: Lesson): string {
  const work = mkdtempSync(join(tmpdir(), 'mutant-'))
  cpSync(join(solutionsFolder, folder), join(work, folder), { recursive: true })
  writeFileSync(join(work, folder, file), text)
  return work
}
