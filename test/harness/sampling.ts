import { inject } from 'vitest'

/**
 * Checks that try everything try one in so many: all, or a few for a first look, see `workshop/grader/grader-pool.ts`.
 */
export const SAMPLE_EVERY = inject('sparse') ? 16 : 1
