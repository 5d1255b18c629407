import { inject } from 'vitest'

let isFirstLook = false

/**
 * Exhaustive checks try one in this many cases: every case, or only a sample for a first look, see
 * `workshop/grader/grader-pool.ts`.
 */
export function sampleEvery(): number {
  return isFirstLook ? 16 : 1
}

/** Says which check begins: a first look tries everything in one of them, the one that is expected to fail. */
export function beginSampling(id: string): void {
  const tryAllIn = inject('tryAllIn')
  isFirstLook = tryAllIn !== undefined && tryAllIn !== id
}
