import { inject } from 'vitest'

let isFirstLook = false

/**
 * Returns n if exhaustive checks should try only every nth case. Returns 1 for every case, and more in a first look,
 * which tries only a sample, see `workshop/grader/grader-pool.ts`.
 */
export function sampleEvery(): number {
  return isFirstLook ? 16 : 1
}

/** Returns the number of cases to try out of `count`: all of them or, in a first look, a sixteenth and at least one. */
export function sampleSize(count: number): number {
  return Math.ceil(count / sampleEvery())
}

/** Begins sampling for a check. A first look tries every case only in the check that is expected to fail. */
export function beginSampling(id: string): void {
  const tryAllIn = inject('tryAllIn')
  isFirstLook = tryAllIn !== undefined && tryAllIn !== id
}
