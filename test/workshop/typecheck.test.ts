import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { grade } from '../../workshop/grader/grade.ts'
import { typeErrors } from '../../workshop/grader/typecheck.ts'
import { solutionsFolder } from '../../workshop/lessons/catalogue.ts'
import { ROOT } from '../../workshop/root.ts'
import { painter } from '../../workshop/terminal/colour.ts'
import { renderVerdict } from '../../workshop/verdict/render.ts'

// Tests that the compiler, which works for the work, has limits and ends together with the grader.

/** Types that keep the compiler busy for minutes. */
const BUSY = `
type Busy<N extends 0[], A = unknown, B = unknown> = N['length'] extends 24
  ? { v: A; w: B }
  : Busy<[...N, 0], [A, B, 1], [B, A, 2]> | Busy<[...N, 0], [A, B, 3], [B, A, 4]>
export const busy: Busy<[]> = 1
`
const L1 = '01-raw-chunks'

let sandbox: string
beforeEach(() => {
  // The sandbox is inside the workshop, so that the compiler finds the packages.
  mkdirSync(join(ROOT, '.workshop'), { recursive: true })
  sandbox = mkdtempSync(join(ROOT, '.workshop/types-'))
  cpSync(join(solutionsFolder, L1), join(sandbox, L1), { recursive: true })
})
afterEach(() => {
  vi.restoreAllMocks()
  rmSync(sandbox, { recursive: true, force: true })
})

test('a type error is found, with its place', async () => {
  expect(await typeErrors(sandbox, L1)).toEqual([])
  writeFileSync(join(sandbox, L1, 'more.ts'), '\nexport const x: string = 5\n')
  expect(await typeErrors(sandbox, L1)).toEqual([
    expect.stringMatching(/^01-raw-chunks\/more\.ts:2:14 Type 'number'/),
  ])
})

describe('types that keep the compiler busy', () => {
  beforeEach(() => writeFileSync(join(sandbox, L1, 'more.ts'), BUSY))
  afterEach(() => expect(compilers()).toEqual([]))

  test('are given up after a time', async () => {
    await expect(typeErrors(sandbox, L1, L1, { ms: 500 })).rejects.toThrow(
      'The types were not checked, because that took more than 0.5 seconds.',
    )
  })

  test.skipIf(process.platform === 'win32')(
    'are given up when they need a lot of memory',
    async () => {
      await expect(typeErrors(sandbox, L1, L1, { mb: 30 })).rejects.toThrow(
        'The types were not checked, because that took more than 30 MB of memory.',
      )
    },
  )

  test.skipIf(process.platform !== 'linux')('end when the grader is killed', async () => {
    const code = `
      import { typeErrors } from './workshop/grader/typecheck.ts'
      await typeErrors(${JSON.stringify(sandbox)}, '${L1}')`
    const grader = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
      cwd: ROOT,
      stdio: 'ignore',
    })
    await vi.waitUntil(() => compilers().length > 0, { timeout: 60_000 })
    grader.kill('SIGKILL')
    await once(grader, 'exit')
    await vi.waitUntil(() => compilers().length === 0, { timeout: 60_000 })
  })
})

test('a verdict says that the types were not checked, and the checks still count', async () => {
  const real = setTimeout
  // Shorten the compiler's time limit, which is the only timer of 20 seconds.
  vi.spyOn(globalThis, 'setTimeout').mockImplementation(((run: () => void, ms?: number) =>
    real(run, ms === 20_000 ? 0 : ms)) as typeof setTimeout)
  const work = mkdtempSync(join(ROOT, '.workshop/types-'))
  try {
    cpSync(join(sandbox, L1), join(work, L1), { recursive: true })
    writeFileSync(join(work, L1, 'more.ts'), BUSY)
    const verdict = await grade({ lesson: 1, work, only: '1.1a' })
    expect(verdict).toMatchObject({ outcome: 'pass', typeErrors: [] })
    const text = renderVerdict(verdict, { paint: painter(false), width: 100, workName: 'work' })
    expect(text).toMatch(
      /^! The types were not checked, because that took more than 20 seconds\.$/m,
    )
  } finally {
    rmSync(work, { recursive: true })
  }
})

/** Returns the compilers that check our sandbox. */
function compilers(): string[] {
  if (!existsSync('/proc')) return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
        return line.includes('lib/tsc') && line.includes(sandbox)
      } catch {
        return false
      }
    })
}
