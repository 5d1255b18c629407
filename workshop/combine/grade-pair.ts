import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CheckResult, Verdict } from '../../protocol/verdict.ts'
import { grade } from '../grader/grade.ts'
import type { GraderPool } from '../grader/grader-pool.ts'
import { taskOf } from '../lessons/task-of.ts'
import { messageOf } from '../mistakes/messages.ts'
import { layOut, type Mistake } from '../mistakes/mistakes.ts'
import type { Pair } from './pairs.ts'

/**
 * What the first message about a pair is about:
 *
 * - `own check`: the check that one of the two mistakes fails first
 * - `shared check`: another check, which one of the two fails alone, too
 * - `same task`: a check that only the two together fail, in the task of one of them
 * - `elsewhere`: a check that only the two together fail, in another task, or no check, but a program that cannot be graded
 * - `passes`: nothing, because every check passes
 */
export const FINDINGS = ['own check', 'shared check', 'same task', 'elsewhere', 'passes'] as const
export type Finding = (typeof FINDINGS)[number]

export type GradedPair = {
  pair: Pair
  finding: Finding
  /** The check that failed first, unless there is none. */
  failed?: CheckResult
  /** Whether the message has the words of the mistake that fails this check alone. */
  hasPhrase: boolean
  /** Why the program could not be graded. */
  problem?: string
}

/** Grades a program with two mistakes until its first failure, and finds out which of the two the failure is about. */
export async function gradePair(
  { pair, work }: { pair: Pair; work: string },
  { pool, lesson, seed }: { pool: GraderPool; lesson: number; seed: number },
): Promise<GradedPair> {
  const { mistakes } = pair
  const request = { lesson, seed, name: 'lessons', skipTypes: true, skipReference: true }
  const verdict = await pool.grade({ ...request, work, bail: true }, (came) =>
    mistakes.some(({ fails }) => fails === firstFailed(came)?.id),
  )
  const failed = firstFailed(verdict)
  const { problem } = verdict
  if (!failed) {
    const finding = problem ? 'elsewhere' : 'passes'
    return { pair, finding, hasPhrase: false, ...(problem && { problem: problem.what }) }
  }
  const own = mistakes.find(({ fails }) => fails === failed.id)
  if (own) return { pair, failed, finding: 'own check', hasPhrase: says(failed, own) }

  for (const mistake of mistakes) {
    const alone = await laidOut(mistake, (folder) =>
      grade({ ...request, work: folder, only: failed.id }),
    )
    if (firstFailed(alone)) return { pair, failed, finding: 'shared check', hasPhrase: false }
  }
  const isSameTask = mistakes.some(({ task }) => task === taskOf(failed.id))
  return { pair, failed, finding: isSameTask ? 'same task' : 'elsewhere', hasPhrase: false }
}

function firstFailed({ checks }: Verdict): CheckResult | undefined {
  return checks.find(({ state }) => state === 'failed')
}

function says(failed: CheckResult, { phrase }: Mistake): boolean {
  const { seen, expected, cause = '', often = '' } = messageOf(failed)
  return [seen, expected, cause, often].join(' ').replace(/\s+/g, ' ').includes(phrase)
}

async function laidOut<T>(mistake: Mistake, run: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'mistake-'))
  try {
    layOut(mistake, folder)
    return await run(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
