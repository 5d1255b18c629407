import type { Exchange } from '../../../../wire/exchange.ts'

/** Returns the statuses of the heads that have arrived, the interim ones first. */
export function statusOf({ interim, status }: Exchange): number[] {
  return status === undefined ? interim : [...interim, status]
}

/** Returns how a response ended, as a mark and in words. */
export function endOf({ endedAt, end = '', isFailure }: Exchange): { mark: string; text: string } {
  if (endedAt === undefined) return { mark: '●', text: 'open' }
  return { mark: isFailure ? '✕' : end === 'complete' ? '✓' : '○', text: end }
}
