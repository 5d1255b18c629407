import type { Reporter } from 'vitest/node'
import { ROOT } from './root.ts'

/**
 * Proves the workshop itself: every test of the repository. The last line is the count, alone.
 *
 * @returns 0 when all passed; 1 when a test failed, when nothing ran, and in CI also when one was skipped
 */
export async function prove(): Promise<number> {
  const { startVitest } = await import('vitest/node')
  const counts = { passed: 0, failed: 0, skipped: 0 }
  const count: Reporter = {
    onTestRunEnd(modules, errors) {
      for (const module of modules) {
        // A file that cannot be loaded has no tests that could fail.
        counts.failed += module.errors().length
        for (const test of module.children.allTests()) {
          const { state } = test.result()
          if (state !== 'pending') counts[state] += 1
        }
      }
      counts.failed += errors.length
    },
  }
  const vitest = await startVitest('test', [], {
    root: ROOT,
    watch: false,
    reporters: ['default', count],
  })
  await vitest.close()

  const { passed, failed, skipped } = counts
  console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
  const mustNotSkip = Boolean(process.env.CI)
  return failed > 0 || passed === 0 || (mustNotSkip && skipped > 0) ? 1 : 0
}
