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
   * Grades in a process that has graded others before, with checks that try some where they could try all: that is
   * much quicker. The others may have left something behind, and some are not all: a verdict counts only when it is
   * the one that is expected. If not, the work is graded once more, as a learner's is, and that verdict is given
   * whatever it is.
   */
  grade(request: GradeRequest, isExpected: (verdict: Verdict) => boolean): Promise<Verdict>
  /** Ends the processes. */
  end(): Promise<void>
}

/** For works of our own, such as the mistakes of the proof. What learners wrote never meets what others did. */
export function graderPool(
  options: Pick<GradingProcessOptions, 'lesson' | 'seed' | 'bail'>,
): GraderPool {
  const idle: { gradingProcess: GradingProcess; works: number }[] = []
  return {
    async grade(request, isExpected) {
      const { gradingProcess, works } = idle.pop() ?? {
        gradingProcess: await startGradingProcess({ ...options, reusable: true, sparse: true }),
        works: 0,
      }
      const verdict = await grade({ ...request, gradingProcess })
      const counts = isExpected(verdict)
      if (counts && works + 1 < MOST_WORKS && gradingProcess.isAlive) {
        idle.push({ gradingProcess, works: works + 1 })
      } else await gradingProcess.end()
      return counts ? verdict : grade(request)
    },
    async end() {
      await Promise.all(idle.map(({ gradingProcess }) => gradingProcess.end()))
    },
  }
}

/** That one process grades. Some leave requests and timers going, which cost more than a new process after a while. */
const MOST_WORKS = 25
