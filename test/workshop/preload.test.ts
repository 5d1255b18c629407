import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { grade } from '../../workshop/grader/grade.ts'
import { startGradingProcess, type GradingProcess } from '../../workshop/grader/grading-process.ts'
import { lessonNumbered, solutionsFolder } from '../../workshop/lessons/catalogue.ts'
import { storeFolder } from '../../workshop/store.ts'

// Preloading runs the stubs, so that the next grading is quicker. It must not affect that grading.

const lesson = lessonNumbered(1)!
const scratch = mkdtempSync(join(tmpdir(), 'preload-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

test('a preload does not change the verdict on the next work', async () => {
  const work = { lesson: 1, work: solutionsFolder, seed: 1, skipTypes: true }
  const verdict = await grade({ ...work, gradingProcess: await preloaded() })
  expect(verdict).toEqual(await grade(work))
  expect(verdict.outcome).toBe('pass')
  expect(sandboxes()).toEqual([])
})

test('a file that is missing in the work is not taken from the stubs', async () => {
  cpSync(solutionsFolder, scratch, { recursive: true })
  rmSync(join(scratch, lesson.folder, 'client.ts'))
  const verdict = await grade({ lesson: 1, work: scratch, gradingProcess: await preloaded() })
  expect(verdict.outcome).toBe('error')
  expect(verdict.problem?.what).toContain('client.ts')
})

test('a cancelled preload ends at once, and leaves nothing behind', async () => {
  const gradingProcess = await startGradingProcess({ lesson: 1 })
  const controller = new AbortController()
  const done = gradingProcess.preload(controller.signal)
  controller.abort()
  await done
  expect(gradingProcess.isAlive).toBe(false)
  await gradingProcess.end()
  expect(sandboxes()).toEqual([])
})

async function preloaded(): Promise<GradingProcess> {
  const gradingProcess = await startGradingProcess({ lesson: 1, seed: 1 })
  await gradingProcess.preload()
  return gradingProcess
}

function sandboxes(): string[] {
  return readdirSync(join(storeFolder, 'sandboxes')).filter((name) =>
    name.startsWith(`${process.pid}-`),
  )
}
