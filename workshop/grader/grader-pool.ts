import type { Verdict } from '../../protocol/verdict.ts'
import { grade, type GradeRequest } from './grade.ts'
import {
  startGradingProcess,
  type GradingProcess,
  type GradingProcessOptions,
} from './grading-process.ts'

/** A pool of processes that quickly grades many programs of one lesson. */
export type GraderPool = {
  /**
   * Grades in a process that has already graded other programs, which is much quicker. But those programs may have
   * left something behind, and a first look with `tryAllIn` tries only a sample. So this verdict counts only if it is
   * the expected one. Otherwise, the program is graded again, as a learner's program is, and the second verdict is
   * returned.
   */
  grade(request: GradeRequest, isExpected: (verdict: Verdict) => boolean): Promise<Verdict>
  /** Ends the processes. */
  end(): Promise<void>
}

/**
 * Creates a pool for the workshop's own programs, such as those of the proof. Learners' programs never share a
 * process.
 *
 * @param options.size the maximum number of processes; a new process costs as much as grading a dozen programs
 */
export function graderPool({
  size,
  ...options
}: Pick<GradingProcessOptions, 'lesson' | 'seed'> & {
  size: number
}): GraderPool {
  const free: Slot[] = Array.from({ length: size }, () => ({ works: 0 }))
  const waiting: ((slot: Slot) => void)[] = []

  async function gradeIn(slot: Slot, request: GradeRequest): Promise<Verdict> {
    slot.gradingProcess ??= await startGradingProcess({ ...options, reusable: true })
    slot.works += 1
    return grade({ ...request, gradingProcess: slot.gradingProcess })
  }

  return {
    async grade(request, isExpected) {
      const slot = free.pop() ?? (await new Promise<Slot>((resolve) => waiting.push(resolve)))
      try {
        const verdict = await gradeIn(slot, request)
        const counts = isExpected(verdict)
        const staysOpen = counts && slot.works < MOST_WORKS && slot.gradingProcess?.isAlive
        if (!staysOpen) await empty(slot)
        return counts ? verdict : await grade({ ...request, tryAllIn: undefined })
      } finally {
        const next = waiting.shift()
        if (next) next(slot)
        else free.push(slot)
      }
    },
    async end() {
      await Promise.all(free.map(empty))
    },
  }
}

/** A place for a process, with the number of programs that the process has graded. */
type Slot = { gradingProcess?: GradingProcess; works: number }

async function empty(slot: Slot): Promise<void> {
  const { gradingProcess } = slot
  delete slot.gradingProcess
  slot.works = 0
  await gradingProcess?.end()
}

/**
 * The maximum number of programs per process. Some programs leave requests and timers running, but a new process costs as
 * much as grading several programs.
 */
const MOST_WORKS = 100
