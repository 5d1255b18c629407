import { inject } from 'vitest'

/**
 * Exhaustive checks try one in this many cases: every case, or only a sample for a first look, see
 * `workshop/grader/grader-pool.ts`.
 */
export const SAMPLE_EVERY = inject('sparse') ? 16 : 1
