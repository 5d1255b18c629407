import type { Verdict } from '../../protocol/verdict.ts'
import { grade, type GradeRequest } from './grade.ts'
import {
  startGradingProcess,
  type GradingProcess,
  type GradingProcessOptions,
} from './grading-process.ts'

/** Grades many submissions for one lesson. */
export type GraderPool = {
  /**
   * Grades in a process that has graded others before, which is much quicker. The others may have left something in the
   * process, and a quick run with `tryAllIn` does not try everything, so the verdict counts only if it is the expected one.
   * Otherwise the submission is graded again, like that of a learner, and the second verdict is returned.
   */
  grade(request: GradeRequest, isExpected: (verdict: Verdict) => boolean): Promise<Verdict>
  /** Ends the processes. */
  end(): Promise<void>
}

/**
 * Creates a pool for code of our own, such as the mistakes of the proof. Submissions of learners never share a process.
 *
 * @param options.size the maximum number of processes. Starting one takes as long as grading a dozen submissions.
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

/** A place for a process, and the number of submissions that it has graded. */
type Slot = { gradingProcess?: GradingProcess; works: number }

async function empty(slot: Slot): Promise<void> {
  const { gradingProcess } = slot
  delete slot.gradingProcess
  slot.works = 0
  await gradingProcess?.end()
}

/** How many submissions a process grades. Some leave requests and timers running, which slow it down. */
const MOST_WORKS = 25
