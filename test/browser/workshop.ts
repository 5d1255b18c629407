import { cpSync, rmSync } from 'node:fs'
import { test as base } from '@playwright/test'
import type { Action } from '../../protocol/page.ts'
import { lessonNumbered } from '../../workshop/lessons/catalogue.ts'
import { secretOf, shareBuiltPage } from '../workshop/built-page.ts'
import { copyOfWorkshop, type Copy } from '../workshop/copy.ts'
import { start, type Program } from '../workshop/process.ts'

export { expect } from '@playwright/test'

/** A running workshop, and the address of its page without a trailing slash. */
type Workshop = { url: string; program: Program }

/** The workshop that the tests share one after another, and its copy of the repository. */
type SharedWorkshop = Workshop & { copy: Copy }

/**
 * Adds fixtures for tests in a browser. Most tests start a lesson in a workshop that is already running:
 *
 *     test('a save turns the checks', async ({ lesson, page }) => {
 *       const { url, copy } = await lesson(1, 'stubs')
 *       await page.goto(url)
 *
 * Other tests use their own `copy` of the workshop, which they may change, and `workshop()`, which runs `npm run WORDS…`
 * in the copy and waits for the page:
 *
 *     test('the exhibit runs', async ({ copy, workshop, page }) => {
 *       const { url } = await workshop('lesson', '3', 'exhibit')
 *       await page.goto(url)
 */
export const test = base.extend<
  {
    /** Set this to false for tests that need no grades, because grading is slow. */
    isGraded: boolean
    /** Set this to true for tests that measure frames. Other tests run at ten frames a second, because drawing is slow. */
    hasEveryFrame: boolean
    copy: Copy
    workshop: (...words: string[]) => Promise<Workshop>
    /**
     * Starts a lesson in a fresh state: no client is connected, and nothing has crossed the wire. `lessons/` contains the
     * solutions or the stubs, and changes that a test makes are undone.
     *
     * @param readme replaces the default README of the tests
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

/** Makes the page draw only ten frames per second. No test waits for a frame. Runs in the page. */
function drawSeldom(): void {
  window.requestAnimationFrame = (draw) => window.setTimeout(() => draw(performance.now()), 100)
  window.cancelAnimationFrame = (id) => window.clearTimeout(id)
}

function copyForBrowser(isGraded: boolean): Copy {
  const copy = copyOfWorkshop({ harness: isGraded })
  // Remove the checks, so that no lesson is graded.
  if (!isGraded) rmSync(copy.path('test'), { recursive: true })
  shareBuiltPage(copy)
  return copy
}

/** The initial content of `lessons/`, including the READMEs. */
const STUBS = 'lessons at first'

async function startShared(isGraded: boolean): Promise<SharedWorkshop> {
  const copy = copyForBrowser(isGraded)
  cpSync(copy.path('lessons'), copy.path(STUBS), { recursive: true })
  return { copy, ...(await run(copy, ['lesson', '1'])) }
}

/** Runs `npm run WORDS…` and waits for the page. */
async function run(copy: Copy, words: string[]): Promise<Workshop> {
  const program = start(copy, words, { PORT: '0', BROWSER: 'none' })
  // The output contains the address: `http://127.0.0.1:3200  the lesson page`.
  const [, url] = await program.seen(/^(?=.*\bpage\b).*(http:\/\/127\.0\.0\.1:\d+).*\n/m)
  return { url: url!, program }
}

/** Sends an action, as the page does. */
async function act({ url }: Workshop, action: Action): Promise<void> {
  const response = await fetch(`${url}/do`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Secret': await secretOf(url) },
    body: JSON.stringify(action),
  })
  if (!response.ok) throw new Error(await response.text())
}
