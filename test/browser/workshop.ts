import { cpSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test as base } from '@playwright/test'
import type { Action } from '../../protocol/page.ts'
import { lessonNumbered } from '../../workshop/lessons/catalogue.ts'
import { ROOT } from '../../workshop/root.ts'
import { copyOfWorkshop, type Copy } from '../workshop/copy.ts'
import { start, type Program } from '../workshop/process.ts'

export { expect } from '@playwright/test'

/** A workshop that runs, and the address of its page, without a slash at the end. */
type Workshop = { url: string; program: Program }

/** A workshop that all tests use, one after another, and its own copy. */
type SharedWorkshop = Workshop & { copy: Copy }

/**
 * Tests in a browser. Most of them run a lesson in a workshop that is running already:
 *
 *     test('a save turns the checks', async ({ lesson, page }) => {
 *       const { url, copy } = await lesson(1, 'stubs')
 *       await page.goto(url)
 *
 * Others have a `copy` of the workshop of their own, which they may change, and `workshop`, which starts
 * `npm run WORDS…` in it and waits for the page:
 *
 *     test('the exhibit runs', async ({ copy, workshop, page }) => {
 *       const { url } = await workshop('lesson', '3', 'exhibit')
 *       await page.goto(url)
 */
export const test = base.extend<
  {
    /** False for what has nothing to do with grades: grading takes its time. */
    isGraded: boolean
    /** True for what measures frames. Otherwise ten a second are enough: drawing each takes the time of everything else. */
    hasEveryFrame: boolean
    copy: Copy
    workshop: (...words: string[]) => Promise<Workshop>
    /**
     * Begins a lesson as if it were the first: nobody is connected, and nothing has crossed yet. In `lessons/` are the
     * solutions, or the stubs; what the test does to them is undone.
     *
     * @param readme instead of one of the tests' own
     */
    lesson: (
      number: number,
      files: 'stubs' | 'solutions',
      readme?: string,
    ) => Promise<SharedWorkshop>
  },
  { shared: (isGraded: boolean) => Promise<SharedWorkshop> }
>({
  isGraded: [true, { option: true }],
  hasEveryFrame: [false, { option: true }],
  context: async ({ context, hasEveryFrame }, use) => {
    if (!hasEveryFrame) await context.addInitScript(drawSeldom)
    await use(context)
  },
  copy: async ({ isGraded }, use) => {
    const copy = copyForBrowser(isGraded)
    await use(copy)
    copy.remove()
  },
  workshop: async ({ copy }, use, ran) => {
    const programs: Program[] = []
    await use(async (...words) => {
      const workshop = await run(copy, words)
      programs.push(workshop.program)
      return workshop
    })
    for (const program of programs) {
      if (ran.status !== ran.expectedStatus) console.log(`the workshop printed:\n${program.output}`)
      program.kill('SIGTERM')
      await program.ended
    }
  },
  lesson: async ({ shared, isGraded }, use, ran) => {
    const workshop = await shared(isGraded)
    const { copy, program } = workshop
    const printedBefore = program.output.length
    await use(async (number, files, readme) => {
      rmSync(copy.path('lessons'), { recursive: true })
      for (const name of files === 'stubs' ? [STUBS] : [STUBS, 'solutions']) {
        cpSync(copy.path(name), copy.path('lessons'), { recursive: true })
      }
      if (readme !== undefined) {
        copy.write(`lessons/${lessonNumbered(number)!.folder}/README.md`, readme)
      }
      await act(workshop, { do: 'lesson', number })
      return workshop
    })
    if (ran.status !== ran.expectedStatus) {
      console.log(`the workshop printed:\n${program.output.slice(printedBefore)}`)
    }
  },
  shared: [
    // oxlint-disable-next-line no-empty-pattern
    async ({}, use) => {
      const started = new Map<boolean, Promise<SharedWorkshop>>()
      await use((isGraded) => {
        const workshop = started.get(isGraded) ?? startShared(isGraded)
        started.set(isGraded, workshop)
        return workshop
      })
      for (const { copy, program } of await Promise.all(started.values())) {
        program.kill('SIGTERM')
        await program.ended
        copy.remove()
      }
    },
    { scope: 'worker' },
  ],
})

/** In the page: as on a display that shows ten pictures a second. */
function drawSeldom(): void {
  window.requestAnimationFrame = (draw) => window.setTimeout(() => draw(performance.now()), 100)
  window.cancelAnimationFrame = (id) => window.clearTimeout(id)
}

function copyForBrowser(isGraded: boolean): Copy {
  const copy = copyOfWorkshop({ harness: isGraded })
  // A lesson without checks is not graded.
  if (!isGraded) rmSync(copy.path('test'), { recursive: true })
  shareBuiltPage(copy)
  return copy
}

/** What is in `lessons/` at first, with the READMEs. */
const STUBS = 'lessons at first'

async function startShared(isGraded: boolean): Promise<SharedWorkshop> {
  const copy = copyForBrowser(isGraded)
  cpSync(copy.path('lessons'), copy.path(STUBS), { recursive: true })
  return { copy, ...(await run(copy, ['lesson', '1'])) }
}

/** The page of all copies is the same: it is built once, beside our own. */
function shareBuiltPage(copy: Copy): void {
  const built = join(ROOT, '.workshop', 'page')
  mkdirSync(built, { recursive: true })
  mkdirSync(copy.path('.workshop'))
  symlinkSync(built, copy.path('.workshop', 'page'), 'junction')
}

/** Starts `npm run WORDS…` and waits for the page. */
async function run(copy: Copy, words: string[]): Promise<Workshop> {
  const program = start(copy, words, { PORT: '0', BROWSER: 'none' })
  // Its line in the output says so: `http://127.0.0.1:3200  the lesson page`.
  const [, url] = await program.seen(/^(?=.*\bpage\b).*(http:\/\/127\.0\.0\.1:\d+).*\n/m)
  return { url: url!, program }
}

/** Does what the page can do. */
async function act({ url }: Workshop, action: Action): Promise<void> {
  const response = await fetch(`${url}/do`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(action),
  })
  if (!response.ok) throw new Error(await response.text())
}
