import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { grade, prepare, type Prepared } from '../../workshop/grader/grade.ts'
import { rehearse } from '../../workshop/grader/rehearse.ts'
import { lessonNumbered, solutionsFolder } from '../../workshop/lessons/catalogue.ts'
import { storeFolder } from '../../workshop/lessons/store.ts'

// A rehearsal is played with stubs. What it leaves behind is a process that is warm, and no trace of them.

const lesson = lessonNumbered(1)!
const scratch = mkdtempSync(join(tmpdir(), 'rehearse-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

test('what comes after a rehearsal is graded as ever', async () => {
  const work = { lesson: 1, work: solutionsFolder, seed: 1, skipTypes: true }
  const verdict = await grade({ ...work, prepared: await rehearsed() })
  expect(verdict).toEqual(await grade(work))
  expect(verdict.outcome).toBe('pass')
  expect(boxes()).toEqual([])
})

test('a file that the work has lost is not found among the stubs', async () => {
  cpSync(solutionsFolder, scratch, { recursive: true })
  rmSync(join(scratch, lesson.folder, 'client.ts'))
  const verdict = await grade({ lesson: 1, work: scratch, prepared: await rehearsed() })
  expect(verdict.outcome).toBe('error')
  expect(verdict.problem?.what).toContain('client.ts')
})

test('a rehearsal is given up at once, and leaves nothing behind', async () => {
  const prepared = await prepare({ lesson: 1 })
  const controller = new AbortController()
  const done = prepared.ready.rehearse(controller.signal)
  controller.abort()
  await done
  expect(prepared.ready.isAlive).toBe(false)
  await prepared.discard()
  expect(boxes()).toEqual([])
})

async function rehearsed(): Promise<Prepared> {
  const prepared = await prepare({ lesson: 1, seed: 1 })
  await rehearse(prepared, lesson, new AbortController().signal)
  return prepared
}

function boxes(): string[] {
  return readdirSync(join(storeFolder, 'boxes')).filter((name) =>
    name.startsWith(`${process.pid}-`),
  )
}
