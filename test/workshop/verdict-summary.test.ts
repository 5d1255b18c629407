import { expect, test } from 'vitest'
import {
  firstFailure,
  isStartingPoint,
  linesPrinted,
} from '../../workshop/verdict/verdict-summary.ts'
import type { CheckResult } from '../../protocol/verdict.ts'

test('in a half-written task, a failed check comes before one that is not written', () => {
  const checks = [check('6.3c', 'passed'), open('6.4a'), check('6.4b', 'passed'), check('6.4c')]
  expect(firstFailure(checks)?.id).toBe('6.4c')
})

test('a task that is not written comes before later tasks', () => {
  expect(firstFailure([check('6.1n', 'passed'), open('6.2a'), check('6.3c')])?.id).toBe('6.2a')
})

test('the first failure is returned, or undefined if there is none', () => {
  expect(firstFailure([check('1.1a', 'passed'), check('1.1b'), check('1.1c')])?.id).toBe('1.1b')
  expect(firstFailure([check('1.1a', 'passed'), check('1.1b', 'not run')])).toBeUndefined()
})

test('a core check is shown before an edge case that fails earlier', () => {
  const edgeCase = { ...check('1.1b'), isEdgeCase: true }
  expect(firstFailure([edgeCase, check('1.2a')])?.id).toBe('1.2a')
  expect(firstFailure([edgeCase, check('1.2a', 'passed')])?.id).toBe('1.1b')
})

test('at the starting point nothing that can be graded is written', () => {
  const lacking: CheckResult = { ...check('4.3a', 'not run'), lacks: 'nginx' }
  expect(isStartingPoint([open('4.1a'), lacking])).toBe(true)
  expect(isStartingPoint([open('4.1a'), check('4.1b')])).toBe(false)
  expect(isStartingPoint([lacking])).toBe(false)
  expect(isStartingPoint([])).toBe(false)
})

test("a printed stack keeps only the frames in the learner's files", () => {
  const printed = `the feed failed: Error: it is gone
    at read (lessons/01-raw-chunks/server.ts:12:5)
    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)
    at async Promise.all (index 17)
    at next (/home/me/workshop/node_modules/router/index.js:1:2)
    at check (/home/me/workshop/test/lesson1.test.ts:1:2)

at async Promise.all (index 17): a line that the work printed
`
  expect(linesPrinted(printed)).toEqual([
    'the feed failed: Error: it is gone',
    '    at read (lessons/01-raw-chunks/server.ts:12:5)',
    '',
    'at async Promise.all (index 17): a line that the work printed',
  ])
  expect(linesPrinted('\n')).toEqual([])
})

test('lines that the work prints repeatedly are combined', () => {
  expect(linesPrinted('a\na\n\n\nb\na\n')).toEqual(['a (2 times)', '', 'b', 'a'])
})

function check(id: string, state: CheckResult['state'] = 'failed'): CheckResult {
  return { id, rule: 'it holds', state, steps: [] }
}

function open(id: string): CheckResult {
  return { ...check(id), notWritten: 'lesson 6, task 6.4: write watchQuakes()' }
}
