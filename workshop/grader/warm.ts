import { grade, prepare, type GradeRequest, type Prepared } from './grade.ts'
import type { Verdict } from './verdict.ts'

/** Grades many works of one lesson. */
export type WarmGrader = {
  /**
   * Grades in a process that has graded others before, which is much quicker. They may have left something behind:
   * a verdict counts only when it is the one that is expected. If not, the work is graded once more, in a process
   * of its own, and that verdict is given whatever it is.
   */
  grade(request: GradeRequest, isExpected: (verdict: Verdict) => boolean): Promise<Verdict>
  /** Ends the processes. */
  end(): Promise<void>
}

/** For works of our own, such as the mistakes of the proof. What learners wrote never meets what others did. */
export function warmGrader(options: Parameters<typeof prepare>[0]): WarmGrader {
  const idle: Prepared[] = []
  return {
    async grade(request, isExpected) {
      const warm = idle.pop() ?? (await prepare({ ...options, reusable: true }))
      const verdict = await grade({ ...request, prepared: { ...warm, discard: async () => {} } })
      const counts = isExpected(verdict)
      if (counts && warm.ready.isAlive) idle.push(warm)
      else await warm.discard()
      return counts ? verdict : grade(request)
    },
    async end() {
      await Promise.all(idle.map((each) => each.discard()))
    },
  }
}
