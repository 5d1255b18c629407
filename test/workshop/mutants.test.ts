import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { lessons, solutionsFolder } from '../../workshop/lessons/catalogue.ts'
import { makeStub, stubsOf } from '../../workshop/lessons/stubs.ts'
import {
  equivalentsOf,
  isEquivalent,
  parseEquivalents,
} from '../../workshop/mutants/equivalents.ts'
import { mutantsOf } from '../../workshop/mutants/mutants.ts'

describe.each(lessons())('lesson $number', (lesson) => {
  const stubs = new Map(stubsOf(lesson).map(({ name, text }) => [name, text]))

  test('each mutant changes the solution, but not the code that learners receive', async () => {
    const mutants = await mutantsOf(lesson)
    expect(mutants.length).toBeGreaterThan(0)
    for (const { file, text, task, before, after } of mutants) {
      const solution = readFileSync(join(solutionsFolder, lesson.folder, file), 'utf8')
      expect(text, before).not.toBe(solution)
      expect(after).not.toBe(before)
      expect(makeStub(text, lesson.number), before).toBe(stubs.get(file))
      expect(lesson.tasks.map(({ id }) => id)).toContain(task)
    }
  })

  test('each equivalent of the lesson is a change that a mutant makes', async () => {
    const mutants = await mutantsOf(lesson)
    const stale = equivalentsOf(lesson.number).filter(
      (each) => each.lesson !== undefined && !mutants.some((mutant) => isEquivalent(mutant, each)),
    )
    expect(stale).toEqual([])
  })
})

test('a diff without an added line is about every change of its line', () => {
  const [log, text] = parseEquivalents(
    'Why.\n\n```diff\n-…log(…)\n-if (a) {\n+if (true) {\n```\n## lesson 2\n',
  )
  expect(log).toEqual({ reason: 'Why.', before: '…log(…)' })
  expect(text).toEqual({ reason: 'Why.', before: 'if (a) {', after: 'if (true) {' })
  const mutant = { file: '', line: 1, task: '', before: 'if (b) log(1)', after: '', text: '' }
  expect(isEquivalent(mutant, log!)).toBe(true)
  expect(isEquivalent({ ...mutant, before: 'try { ⏎ log(1)' }, log!)).toBe(false)
  expect(isEquivalent({ ...mutant, before: 'if (a) {', after: 'if (false) {' }, text!)).toBe(false)
})
