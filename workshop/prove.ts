import process from 'node:process'
import type { Reporter } from 'vitest/node'
import { browserTests, skippedBrowserTests, type Results } from './browser-tests.ts'
import { browser } from './tools/browser.ts'
import { install, probe, type ExternalTool } from './tools/external-tool.ts'
import { proxies } from './tools/proxies.ts'
import { redisServer } from './tools/redis.ts'
import { cpuSeconds } from './cpu-seconds.ts'
import { formatPhases, phasesOf, type Phase } from './phases.ts'
import { ROOT } from './root.ts'
import { slowestTests } from './slowest-tests.ts'

/**
 * Proves the workshop itself: runs every test of the repository, including those that need a browser, a proxy or Redis.
 * Installs missing tools first. Prints the slowest tests, the CPU seconds of each phase and then, as the last line, the
 * counts.
 *
 * @returns 0 if every test passed; 1 if a test failed, if nothing ran or, in CI, if a test was skipped
 */
export async function prove(): Promise<number> {
  const hasBrowser = await has(browser)
  const missing: string[] = []
  for (const tool of [...proxies, redisServer]) {
    if (!(await has(tool))) missing.push(tool.name)
  }
  // Run both test runners at the same time, because each of them is idle now and then. Their reports must not mix.
  const held = heldBack()
  const browserResults = (hasBrowser ? browserTests : skippedBrowserTests)(held.print)
  const inNode = await nodeTests()
  held.letGo()
  const inBrowser = await browserResults
  console.log(`\nThe slowest tests:\n${slowestTests([...inNode.timed, ...inBrowser.timed])}`)
  console.log(cpuOf([...inNode.phases, ...inBrowser.phases]))
  if (!hasBrowser) {
    console.log(
      `\nThe ${browser.name} is missing, so ${browser.for} are skipped. npm run setup installs it.`,
    )
  }

  if (missing.length > 0) {
    console.log(
      `\nTests that need ${missing.join(', ')} are skipped. npm run setup installs what is missing.`,
    )
  }

  const passed = inNode.passed + inBrowser.passed
  const failed = inNode.failed + inBrowser.failed
  const skipped = inNode.skipped + inBrowser.skipped
  console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
  const mustNotSkip = Boolean(process.env.CI)
  return failed > 0 || passed === 0 || (mustNotSkip && skipped > 0) ? 1 : 0
}

/** Installs a tool if it is missing. Returns whether the tool is installed now. */
async function has(tool: ExternalTool): Promise<boolean> {
  return 'path' in probe(tool) || install(tool)
}

/** Returns the text about CPU seconds. Only on Linux are they known. */
function cpuOf(phases: Phase[]): string {
  const all = cpuSeconds()
  if (all === undefined) return '\nThe CPU seconds of each phase are known only on Linux.'
  const known = phases.reduce((sum, { seconds }) => sum + seconds, 0)
  const rest = { name: 'test runners', seconds: Math.max(0, all - known) }
  return `\nCPU seconds:\n${formatPhases([...phases, rest])}`
}

/** Buffers everything that is printed until `letGo()` is called. */
function heldBack(): { print(text: Buffer): void; letGo(): void } {
  let waiting: Buffer[] | undefined = []
  return {
    print(text) {
      if (waiting) waiting.push(text)
      else process.stdout.write(text)
    },
    letGo() {
      process.stdout.write(Buffer.concat(waiting ?? []))
      waiting = undefined
    },
  }
}

async function nodeTests(): Promise<Results> {
  const { startVitest } = await import('vitest/node')
  const results: Results = { passed: 0, failed: 0, skipped: 0, timed: [], phases: [] }
  const count: Reporter = {
    onTestRunEnd(modules, errors) {
      for (const module of modules) {
        // A file that cannot be loaded has no tests that could fail, so count its errors as failures.
        results.failed += module.errors().length
        for (const test of module.children.allTests()) {
          const { state } = test.result()
          if (state !== 'pending') results[state] += 1
          const ms = test.diagnostic()?.duration
          if (ms !== undefined)
            results.timed.push({ name: `${module.relativeModuleId}: ${test.fullName}`, ms })
        }
      }
      results.failed += errors.length
      results.phases = phasesOf(modules)
    },
  }
  const vitest = await startVitest('test', [], {
    root: ROOT,
    watch: false,
    reporters: ['default', count],
  })
  await vitest.close()
  return results
}
