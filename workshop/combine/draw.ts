import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { filledSandbox } from '../grader/sandbox.ts'
import { typeErrors } from '../grader/typecheck.ts'
import { lessonNumbered } from '../lessons/catalogue.ts'
import { layOut, mistakesOf } from '../mistakes/mistakes.ts'
import { shuffledPairs, type Pair } from './pairs.ts'

/** Pairs of one lesson to grade, and how many others were drawn before them and skipped. */
export type Draw = {
  /** Each pair, with a folder that is laid out like `lessons/`. */
  drawn: { pair: Pair; work: string }[]
  /** How many pairs change the same lines, or how many lines are missing because of the other mistake. */
  overlapping: number
  /** How many pairs have type errors. */
  untyped: number
  remove(): void
}

/** Draws up to `count` pairs whose edits can both be applied, and whose types are right. */
export async function draw(lesson: number, count: number, seed: number): Promise<Draw> {
  const scratch = mkdtempSync(join(tmpdir(), 'combine-'))
  const left = shuffledPairs(mistakesOf(lesson), seed)
  const drawn: Draw['drawn'] = []
  let [overlapping, untyped] = [0, 0]
  while (drawn.length < count && left.length > 0) {
    // Compile many programs together, because starting the compiler takes longer than reading them.
    const batch: Draw['drawn'] = []
    while (drawn.length + batch.length < count && left.length > 0) {
      const pair = left.shift()!
      const work = mkdtempSync(join(scratch, 'pair-'))
      if (isLaidOut(pair, work)) batch.push({ pair, work })
      else overlapping += 1
    }
    const wrong = await withTypeErrors(
      batch.map(({ work }) => work),
      lesson,
    )
    untyped += wrong.size
    drawn.push(...batch.filter(({ work }) => !wrong.has(work)))
  }
  return { drawn, overlapping, untyped, remove: () => rmSync(scratch, { recursive: true }) }
}

function isLaidOut({ both }: Pair, work: string): boolean {
  try {
    layOut(both, work)
    return true
  } catch {
    return false
  }
}

/** Returns the works that have type errors. */
async function withTypeErrors(works: string[], lesson: number): Promise<Set<string>> {
  const { folder } = lessonNumbered(lesson)!
  const all = await filledSandbox()
  try {
    for (const work of works) {
      cpSync(join(work, folder), join(all.folder, basename(work), folder), { recursive: true })
    }
    const errors = await typeErrors(all.folder, folder, '.', { ms: 200_000, mb: 4096 })
    const names = new Set(errors.map((error) => error.split('/')[0]!))
    return new Set(works.filter((work) => names.has(basename(work))))
  } finally {
    await all.remove()
  }
}
