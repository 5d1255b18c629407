import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // A check's process is its own: that is how it is graded, and what makes leaks visible.
    pool: 'forks',
    // Of gradings, in the proof. Most of them wait for something that does not come.
    maxConcurrency: 6,
    // They end what hangs. On a busy machine everything takes longer, and nothing else is wrong with it.
    testTimeout: 240_000,
    hookTimeout: 240_000,
  },
})
