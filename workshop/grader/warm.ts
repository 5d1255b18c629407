import { grade, prepare, type GradeRequest, type Prepared } from './grade.ts'
import type { Verdict } from './verdict.ts'

/** Grades many works of one lesson. */
export type WarmGrader = {
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
export function warmGrader(options: Parameters<typeof prepare>[0]): WarmGrader {
  const idle: { prepared: Prepared; works: number }[] = []
  return {
    async grade(request, isExpected) {
      const warm = idle.pop() ?? {
        prepared: await prepare({ ...options, reusable: true, sparse: true }),
        works: 0,
      }
      const { prepared } = warm
      const verdict = await grade({
        ...request,
        prepared: { ...prepared, discard: async () => {} },
      })
      warm.works += 1
      const counts = isExpected(verdict)
      if (counts && warm.works < MOST_WORKS && prepared.ready.isAlive) idle.push(warm)
      else await prepared.discard()
      return counts ? verdict : grade(request)
    },
    async end() {
      await Promise.all(idle.map(({ prepared }) => prepared.discard()))
    },
  }
}

/** That one process grades. Some leave requests and timers going, which cost more than a new process after a while. */
const MOST_WORKS = 25
