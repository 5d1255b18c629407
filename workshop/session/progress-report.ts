import type { Report } from '../../protocol/room.ts'
import type { CheckResult, Verdict } from '../../protocol/verdict.ts'
import { decisive, scoreOf } from '../../protocol/score.ts'
import { taskOf } from '../lessons/task-of.ts'
import { firstFailure } from '../verdict/verdict-summary.ts'

/** The part of a report that depends on the learner's work. */
export type Progress = Omit<Report, 'id' | 'n' | 'name' | 'forMs'>

/** Returns a learner's progress according to the checks of a lesson. A check that this machine cannot run stops nobody. */
export function progressIn(lesson: number, checks: readonly CheckResult[]): Progress {
  const core = decisive(checks)
  const open = core.find(({ state, lacks }) => state !== 'passed' && !lacks)
  const failure = firstFailure(core)
  const { story } = failure ?? {}
  return {
    lesson,
    passed: scoreOf(core).core.passed,
    ...(open && { task: taskOf(open.id) }),
    ...(failure && !failure.notWritten && { check: failure.id }),
    ...(story && !failure?.notWritten && { message: `${story.seen} ${story.expected}` }),
  }
}

/** Returns a learner's progress after a grading. Work that could not be graded leaves the learner at the same task. */
export function progressAfter(verdict: Verdict, before: Progress): Progress {
  const { lesson, outcome, problem, checks } = verdict
  if (outcome === 'pass' || outcome === 'fail') return progressIn(lesson, checks)
  const { check: _, ...rest } = before
  return { ...rest, message: problem?.what ?? 'The work could not be graded.' }
}
