import { mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test as base } from '@playwright/test'
import { ROOT } from '../../workshop/root.ts'
import { copyOfWorkshop, emptyFolder, type Copy } from '../workshop/copy.ts'
import { start, type Program } from '../workshop/process.ts'

export { expect } from '@playwright/test'

/** A workshop that runs, and the address of its page, without a slash at the end. */
type Workshop = { url: string; program: Program }

/**
 * Tests in a browser, each with a `copy` of the workshop of its own, which it may change, and `workshop`, which
 * starts `npm run WORDS…` in it and waits for the page:
 *
 *     test('a save turns the checks', async ({ copy, workshop, page }) => {
 *       const { url } = await workshop('lesson', '1')
 *       await page.goto(url)
 */
export const test = base.extend<{
  /** False for what has nothing to do with grades: grading takes its time. */
  isGraded: boolean
  copy: Copy
  workshop: (...words: string[]) => Promise<Workshop>
}>({
  isGraded: [true, { option: true }],
  copy: async ({ isGraded }, use) => {
    const copy = copyOfWorkshop({ harness: isGraded, folder: (place ??= emptyFolder()) })
    // A lesson without checks is not graded.
    if (!isGraded) rmSync(copy.path('test'), { recursive: true })
    shareBuiltPage(copy)
    await use(copy)
    copy.remove()
  },
  workshop: async ({ copy }, use, ran) => {
    const programs: Program[] = []
    await use(async (...words) => {
      const program = start(copy, words, { PORT: '0', BROWSER: 'none' })
      programs.push(program)
      // Its line in the output says so: `http://127.0.0.1:3200  the lesson page`.
      const [, url] = await program.seen(/^(?=.*\bpage\b).*(http:\/\/127\.0\.0\.1:\d+).*\n/m)
      return { url: url!, program }
    })
    for (const program of programs) {
      if (ran.status !== ran.expectedStatus) console.log(`the workshop printed:\n${program.output}`)
      program.kill('SIGTERM')
      await program.ended
    }
  },
})

/** For one copy after the other: what has been compiled is known by its path, and need not be compiled again. */
let place: string | undefined

/** The page of all copies is the same: it is built once, beside our own. */
function shareBuiltPage(copy: Copy): void {
  const built = join(ROOT, '.workshop', 'page')
  mkdirSync(built, { recursive: true })
  mkdirSync(copy.path('.workshop'))
  symlinkSync(built, copy.path('.workshop', 'page'), 'junction')
}
