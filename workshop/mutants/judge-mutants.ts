import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { grade, type GradeRequest } from '../grader/grade.ts'
import { graderPool } from '../grader/grader-pool.ts'
import { checkIds, solutionsFolder, type Lesson } from '../lessons/catalogue.ts'
import type { Verdict } from '../../protocol/verdict.ts'
import type { Mutant } from './mutants.ts'

/** What the checks of its lesson say about a mutant. */
export type Judged = {
  mutant: Mutant
  /** The check that fails first, or the reason why the program did not get that far. Absent if the mutant survived. */
  killedBy?: string
}

type Judging = {
  signal: AbortSignal
  onJudged(judged: Judged): void
}

/** Grades mutants of a lesson, a few at the same time. Stops early if `signal` aborts. */
export async function judgeMutants(
  lesson: Lesson,
  mutants: readonly Mutant[],
  { signal, onJudged }: Judging,
): Promise<void> {
  const pool = graderPool({ lesson: lesson.number, seed: SEED, size: AT_ONCE })
  const waiting = [...mutants]

  /** Begins with the task that was changed and with samples, because that kills most mutants. */
  async function judge(mutant: Mutant, work: string): Promise<string | undefined> {
    const request: GradeRequest = {
      lesson: lesson.number,
      work,
      seed: SEED,
      bail: true,
      skipTypes: true,
      skipReference: true,
      signal,
    }
    const tryAllIn = checkIds(lesson.number).at(-1)!
    const look = { ...request, from: mutant.task, tryAllIn }
    const first = killerIn(await pool.grade(look, ({ outcome }) => outcome !== 'error'))
    return first ?? killerIn(await grade(request))
  }

  async function judgeNext(): Promise<void> {
    for (let mutant = waiting.shift(); mutant && !signal.aborted; mutant = waiting.shift()) {
      const work = layOutMutant(mutant, lesson)
      try {
        const killedBy = await judge(mutant, work)
        onJudged({ mutant, ...(killedBy && { killedBy }) })
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

/** Returns what killed a mutant: a check, core or edge case, or the problem that ended the grading. */
function killerIn({ checks, problem }: Verdict): string | undefined {
  return checks.find(({ state }) => state === 'failed')?.id ?? problem?.what
}

/** Creates a folder laid out like lessons/, with the mutant in it. */
function layOutMutant({ file, text }: Mutant, { folder }: Lesson): string {
  const work = mkdtempSync(join(tmpdir(), 'mutant-'))
  cpSync(join(solutionsFolder, folder), join(work, folder), { recursive: true })
  writeFileSync(join(work, folder, file), text)
  return work
}
