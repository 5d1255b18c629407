import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ROOT } from '../../workshop/root.ts'
import { copyOfWorkshop, type Copy } from './copy.ts'
import { endPrograms, run, type Program } from './program.ts'
import { untilGone } from './until-gone.ts'

// Runs `npm test` in a workshop with only a few tests. They need no browser, because Node takes the browser's place.
let copy: Copy
beforeEach(() => {
  copy = copyOfWorkshop()
  rmSync(copy.path('test'), { recursive: true })
  for (const name of ['vitest.config.ts', 'playwright.config.ts']) {
    cpSync(join(ROOT, name), copy.path(name))
  }
  copy.write('test/a.test.ts', tests('vitest', `test('passes', () => {})`))
})
afterEach(() => {
  endPrograms()
  copy.remove()
})

test('tests in Node and in a browser are counted together, in the last line', async () => {
  copy.write(
    'test/browser/a.spec.ts',
    tests(
      '@playwright/test',
      `test('passes', () => {})`,
      `test('fails', () => { throw new Error('no') })`,
      `test.skip('is skipped', () => {})`,
    ),
  )
  const program = prove()
  expect(await program.ended).toBe(1)
  expect(program.output).toMatch(/✓ .*a\.spec\.ts:2:1 › passes/)
  expect(program.output).toMatch(
    /\nThe slowest tests:\n(?: +\d+\.\d s {2}test\/(?:a\.test|browser\/a\.spec)\.ts: (?:passes|fails)\n){3}/,
  )
  expect(program.output).toMatch(CPU)
  expect(program.output).toMatch(/\n2 passed, 1 failed, 1 skipped\n$/)
})

test('a spec that cannot be loaded counts as failed', async () => {
  copy.write('test/browser/a.spec.ts', tests('@playwright/test', `test('passes', () => {})`))
  copy.write('test/browser/b.spec.ts', `import './nothing.ts'`)
  const program = prove()
  expect(await program.ended).toBe(1)
  expect(program.output).toContain('Cannot find module')
  expect(program.output).toMatch(/\n1 passed, 1 failed\n$/)
})

test.each([
  { where: 'at home', CI: '', code: 0 },
  { where: 'in CI, where that is a failure', CI: 'true', code: 1 },
])('without a browser, the browser tests are skipped $where', async ({ CI, code }) => {
  copy.write(
    'test/browser/a.spec.ts',
    tests('@playwright/test', `test('one', () => {})`, `test('two', () => {})`),
  )
  const program = prove({ CI, BROWSER_PATH: '/nowhere/chromium' })
  expect(await program.ended).toBe(code)
  expect(program.output).toContain(
    'The browser, for the tests of the page, is missing: /nowhere/chromium',
  )
  expect(program.output).toMatch(
    /\nThe browser is missing, so the tests of the page are skipped\. .*\n1 passed, 0 failed, 2 skipped\n$/,
  )
})

test.skipIf(process.platform === 'win32')(
  'Ctrl-C ends the tests, and there is no count',
  async () => {
    copy.write(
      'test/browser/a.spec.ts',
      tests(
        '@playwright/test',
        `test('hangs', async () => {
        console.log('the pid of the test is', process.pid)
        await new Promise(() => setInterval(() => {}, 1000))
      })`,
      ),
    )
    const program = prove()
    const [, pid] = await program.seen(/the pid of the test is (\d+)/)
    program.kill('SIGINT')
    expect(await program.ended).toBe(null)
    await untilGone(Number(pid))
    expect(program.output).not.toMatch(/\d passed, \d failed/)
  },
)

/** The CPU seconds of the tests above. */
const CPU =
  process.platform === 'linux'
    ? /\nCPU seconds:\n +\d+\.\d s {2}other tests\n +\d+\.\d s {2}tests in a browser\n +\d+\.\d s {2}test runners\n +\d+\.\d s {2}together\n/
    : 'known only on Linux'

function prove(env: NodeJS.ProcessEnv = {}): Program {
  return run(copy, ['test'], {
    CI: '',
    BROWSER_PATH: process.execPath,
    // Clear this variable, which Vitest sets, because Playwright takes it for a sign of Jest.
    JEST_WORKER_ID: '',
    ...env,
  })
}

function tests(from: string, ...lines: string[]): string {
  return [`import { test } from '${from}'`, ...lines].join('\n')
}
