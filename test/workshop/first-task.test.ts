import { expect, test } from 'vitest'
import { grade } from '../../workshop/grader/grade.ts'
import { solutionsFolder } from '../../workshop/lessons/catalogue.ts'
import { checksOf } from '../../workshop/lessons/checks.ts'
import { taskOf } from '../../workshop/lessons/task-of.ts'

test('the task in which the learner is comes first, and the verdict is the usual one', async () => {
  const graded: string[] = []
  const work = { lesson: 1, work: solutionsFolder, seed: 1, skipTypes: true }
  const verdict = await grade({
    ...work,
    firstTask: '1.5',
    onCheck: ({ id }) => graded.push(id),
  })
  const ids = checksOf(1).map(({ id }) => id)
  const ofTask = ids.filter((id) => taskOf(id) === '1.5')
  expect(graded).toEqual([...ofTask, ...ids.filter((id) => !ofTask.includes(id))])
  expect(verdict.checks.map(({ id }) => id)).toEqual(ids)
  expect(verdict.outcome).toBe('pass')
})
