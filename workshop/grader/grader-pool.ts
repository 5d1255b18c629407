import type { Verdict } from '../../protocol/verdict.ts'
import { grade, type GradeRequest } from './grade.ts'
import {
  startGradingProcess,
  type GradingProcess,
  type GradingProcessOptions,
} from './grading-process.ts'

/** Grades many works of one lesson. */
export type GraderPool = {
  /**
   * Grades in a process that has graded others before, which is much quicker. The others may have left something
   * behind, and a first look, with `tryAllIn`, does not try everything: a verdict counts only when it is the one that is
   * expected. If not, the work is graded once more, as a learner's is, and that verdict is given whatever it is.
   */
  grade(request: GradeRequest, isExpected: (verdict: Verdict) => boolean): Promise<Verdict>
  /** Ends the processes. */
  end(): Promise<void>
}

/**
 * For works of our own, such as those of the proof. What learners wrote never meets what others did.
 *
 * @param options.size how many processes there are at most: a new one costs as much as grading a dozen works
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

/** A place for a process, and how many works it has graded. */
type Slot = { gradingProcess?: GradingProcess; works: number }

async function empty(slot: Slot): Promise<void> {
  const { gradingProcess } = slot
  delete slot.gradingProcess
  slot.works = 0
  await gradingProcess?.end()
}

/** That one process grades. Some leave requests and timers going, which cost more than a new process after a while. */
const MOST_WORKS = 25
