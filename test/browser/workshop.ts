import { cpSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test as base } from '@playwright/test'
import type { Action } from '../../protocol/page.ts'
import { ROOT } from '../../workshop/root.ts'
import { copyOfWorkshop, emptyFolder, type Copy } from '../workshop/copy.ts'
import { start, type Program } from '../workshop/process.ts'

export { expect } from '@playwright/test'

/** A workshop that runs, and the address of its page, without a slash at the end. */
type Workshop = { url: string; program: Program }

/** A workshop that shows one lesson after another. */
type SharedWorkshop = Workshop & {
  copy: Copy
  /** Starts a lesson as if it were the first: nobody is connected, and nothing has crossed yet. */
  begin(lesson: number, files: 'stubs' | 'solutions'): Promise<void>
}

/**
 * Tests in a browser. What a lesson does without its grades is tested in a workshop that all tests have together:
 *
 *     test('a client is shown', async ({ lesson, page }) => {
 *       const { url } = await lesson(2)
 *       await page.goto(url)
 *
 * Others have a `copy` of the workshop of their own, which they may change, and `workshop`, which starts
 * `npm run WORDS…` in it and waits for the page:
 *
 *     test('a save turns the checks', async ({ copy, workshop, page }) => {
 *       const { url } = await workshop('lesson', '1')
 *       await page.goto(url)
 */
export const test = base.extend<
  {
    /** False for what has nothing to do with grades: grading takes its time. */
    isGraded: boolean
    copy: Copy
    workshop: (...words: string[]) => Promise<Workshop>
    /** Begins a lesson, with its solution unless it says `stubs`. What the test changes in `lessons/` is its own. */
    lesson: (number: number, files?: 'stubs') => Promise<Workshop & { copy: Copy }>
  },
  { shared: SharedWorkshop }
>({
  isGraded: [true, { option: true }],
  copy: async ({ isGraded }, use) => {
    const copy = copyForBrowser({ isGraded, folder: (place ??= emptyFolder()) })
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
  lesson: async ({ shared }, use, ran) => {
    await use(async (number, files) => {
      await shared.begin(number, files ?? 'solutions')
      return shared
    })
    if (ran.status !== ran.expectedStatus) {
      console.log(`the workshop that tests share printed:\n${shared.program.output}`)
    }
  },
  shared: [
    // oxlint-disable-next-line no-empty-pattern
    async ({}, use) => {
      const copy = copyForBrowser({ isGraded: false })
      const stubs = copy.path('lessons at the start')
      cpSync(copy.path('lessons'), stubs, { recursive: true })
      const workshop = await run(copy, ['lesson', '1'])
      await use({
        ...workshop,
        copy,
        async begin(lesson, files) {
          rmSync(copy.path('lessons'), { recursive: true })
          cpSync(stubs, copy.path('lessons'), { recursive: true })
          if (files === 'solutions') {
            cpSync(copy.path('solutions'), copy.path('lessons'), { recursive: true })
          }
          await act(workshop, { do: 'lesson', number: lesson })
        },
      })
      workshop.program.kill('SIGTERM')
      await workshop.program.ended
      copy.remove()
    },
    { scope: 'worker' },
  ],
})

/** For one copy after the other: what has been compiled is known by its path, and need not be compiled again. */
let place: string | undefined

function copyForBrowser({ isGraded, folder }: { isGraded: boolean; folder?: string }): Copy {
  const copy = copyOfWorkshop({ harness: isGraded, ...(folder && { folder }) })
  // A lesson without checks is not graded.
  if (!isGraded) rmSync(copy.path('test'), { recursive: true })
  shareBuiltPage(copy)
  return copy
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
