import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { grade } from '../../workshop/grader/grade.ts'
import { startGradingProcess } from '../../workshop/grader/grading-process.ts'
import { solutionsFolder } from '../../workshop/lessons/catalogue.ts'
import { storeFolder } from '../../workshop/store.ts'

// Grading is cancelled when a learner saves again while it is running.

test.each([0, 1, 10, 100, 1000])(
  'a grading can be cancelled after %s turns of the event loop, and leaves nothing behind',
  async (turns) => {
    const controller = new AbortController()
    const graded = grade({ ...LESSON, signal: controller.signal })
    const rejected = expect(graded).rejects.toThrow(/abort/)
    for (let n = 0; n < turns; n += 1) await turn()
    controller.abort()
    await rejected
    expect(sandboxes()).toEqual([])
  },
)

test('a grading in a preloaded process can be cancelled at its first result', async () => {
  const controller = new AbortController()
  const { signal } = controller
  const gradingProcess = await startGradingProcess({ lesson: 1 })
  const onCheck = (): void => controller.abort()
  await expect(grade({ ...LESSON, signal, gradingProcess, onCheck })).rejects.toThrow(/abort/)
  expect(sandboxes()).toEqual([])
})

test('a preloaded process that has ended is started again', async () => {
  const gradingProcess = await startGradingProcess({ lesson: 1 })
  await gradingProcess.end()
  const { outcome } = await grade({ ...LESSON, gradingProcess })
  expect(outcome).toBe('pass')
  expect(sandboxes()).toEqual([])
})

const LESSON = { lesson: 1, work: solutionsFolder, skipTypes: true }

function sandboxes(): string[] {
  return readdirSync(join(storeFolder, 'sandboxes')).filter((name) =>
    name.startsWith(`${process.pid}-`),
  )
}
