import type { CheckResult, Verdict } from '../../protocol/verdict.ts'
import { checksOf } from '../lessons/checks.ts'
import { firstFailure } from '../verdict/verdict-summary.ts'
import { grade, type GradeRequest } from './grade.ts'

/**
 * Returns the first failing core check that comes before the graded checks, because it may be the reason why they
 * fail. A check whose code is not written yet does not count, because a graded check that needs this code reports
 * that itself.
 *
 * @param request the request that led to the verdict, on a part of a lesson
 */
export async function earlierFailure(
  request: Pick<GradeRequest, 'lesson' | 'work' | 'signal'>,
  { checks, outcome, seed }: Verdict,
): Promise<CheckResult | undefined> {
  const first = firstFailure(checks)
  const before = checks[0]!.id
  const isFirst = checksOf(request.lesson)[0]!.id === before
  if (outcome !== 'fail' || !first || first.notWritten || isFirst) return undefined
  const earlier = await grade({ ...request, seed, before, skipTypes: true, skipReference: true })
  return earlier.checks.find(({ state, notWritten }) => state === 'failed' && !notWritten)
}
