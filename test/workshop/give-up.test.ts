import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { grade, prepare } from '../../workshop/grader/grade.ts'
import { solutionsFolder } from '../../workshop/lessons/catalogue.ts'
import { storeFolder } from '../../workshop/lessons/store.ts'

// A learner saves while the save before is being graded.

test.each([0, 1, 10, 100, 1000])(
  'a grading is given up after %s turns of the event loop, and leaves nothing behind',
  async (turns) => {
    const controller = new AbortController()
    const graded = grade({ ...LESSON, signal: controller.signal })
    const rejected = expect(graded).rejects.toThrow(/abort/)
    for (let n = 0; n < turns; n += 1) await turn()
    controller.abort()
    await rejected
    expect(boxes()).toEqual([])
  },
)

test('a grading is given up at its first result, also when it was prepared', async () => {
  const controller = new AbortController()
  const { signal } = controller
  const prepared = await prepare(LESSON)
  const onCheck = (): void => controller.abort()
  await expect(grade({ ...LESSON, signal, prepared, onCheck })).rejects.toThrow(/abort/)
  expect(boxes()).toEqual([])
})

test('what was prepared and has ended since is made again', async () => {
  const prepared = await prepare(LESSON)
  await prepared.ready.discard()
  const { outcome } = await grade({ ...LESSON, prepared })
  expect(outcome).toBe('pass')
  expect(boxes()).toEqual([])
})

const LESSON = { lesson: 1, work: solutionsFolder, skipTypes: true }

function boxes(): string[] {
  return readdirSync(join(storeFolder, 'boxes')).filter((name) =>
    name.startsWith(`${process.pid}-`),
  )
}
