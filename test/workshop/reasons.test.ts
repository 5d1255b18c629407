import { describe, expect, test } from 'vitest'
import { lessons } from '../../workshop/lessons/catalogue.ts'
import { checksOf } from '../../workshop/lessons/checks.ts'
import { solutionFiles } from '../../workshop/lessons/stubs.ts'
import { taskOf } from '../../workshop/lessons/task-of.ts'
import { guardsOf } from '../../workshop/mistakes/guards.ts'
import { reasonsFor, whatItDoes } from '../../workshop/mistakes/reasons.ts'

const WHOLE_FILE = Array.from({ length: 1000 }, (_, n) => n + 1)

test.each(lessons())(
  'a change of the solution of lesson $number is explained for every task',
  ({ number, folder, tasks }) => {
    const checks = solutionFiles(folder).flatMap((name) => guardsOf(number, name)(WHOLE_FILE))
    const guarded = new Set(checks.map(({ id }) => taskOf(id)))
    expect(tasks.filter(({ id }) => !guarded.has(id))).toEqual([])
  },
)

test('lines that no mistake changes have no guards', () => {
  expect(guardsOf(1, 'server.ts')([])).toEqual([])
  expect(guardsOf(1, 'server.ts')([1])).toEqual([])
})

describe('a reason', () => {
  const task = {
    id: '1.2',
    title: 'One line for each quake',
    hints: [
      'Vague.',
      'Code:\n\n```ts\nres.write(`a.b`)\n```\n\nThis calls `res.write()`\nonce. You write the rest.',
    ],
  }
  const checks = checksOf(1).filter(({ id }) => id.startsWith('1.2'))

  test('is the rule of each check, if a few checks guard the lines', () => {
    const [first] = checks
    expect(reasonsFor([first!], { tasks: [task] })).toEqual([{ id: '1.2a', text: first!.rule }])
    expect(reasonsFor([], { tasks: [task] })).toEqual([])
  })

  test('is what the code of the task does, if many checks guard the lines', () => {
    const many = Array.from({ length: 9 }, () => checks[0]!)
    const reason = { id: '1.2', text: 'This calls `res.write()` once.' }
    expect(reasonsFor(many, { tasks: [task] })).toEqual([reason])
  })

  test('is the title of a task whose last hint says nothing about its code', () => {
    expect(whatItDoes({ ...task, hints: ['```ts\nres.write()\n```'] })).toBe(task.title)
    expect(whatItDoes({ ...task, hints: [] })).toBe(task.title)
  })

  test('is a sentence for every task', () => {
    const tasks = lessons().flatMap((lesson) => lesson.tasks)
    for (const each of tasks) expect.soft(whatItDoes(each), each.id).toMatch(/^[^]{25,160}\.$/)
  })
})
