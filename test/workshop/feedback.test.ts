import { expect, test } from 'vitest'
import { feedbackFor } from '../../workshop/class/feedback.ts'
import { gradeOf, gradeOfStubs, notGraded, type Grade } from '../../workshop/class/grade.ts'
import type { Person } from '../../workshop/class/people.ts'

const person: Person = { name: 'Ada', root: '/class/ada', folder: '/class/ada' }

/** Returns a grade in which all checks have passed, except those in `states`. */
function graded(lesson: number, states: Record<string, object> = {}): Grade {
  const stubs = gradeOfStubs(lesson, [])
  const checks = stubs.checks.map((check) => ({
    ...check,
    ...(states[check.id] ?? { state: 'passed' as const }),
  }))
  const isPassed = checks.every(({ state, isEdgeCase }) => isEdgeCase || state === 'passed')
  return { ...stubs, outcome: isPassed ? 'pass' : 'fail', checks }
}

test('the text says what passed, why the first check failed, and what to do', () => {
  const grades = [
    graded(1),
    graded(2, {
      '2.3b': {
        state: 'failed',
        seen: 'The heartbeat arrived as an event.',
        expected: 'Expected a comment.',
        cause: 'A common cause: a "data" field.',
        at: 'lessons/02-server-sent-events/server.ts:12:5',
      },
      '2.4a': { state: 'not written' },
    }),
    gradeOfStubs(3, []),
  ]
  expect(feedbackFor({ person, grades }).replaceAll(/\d+ of \d+/g, '… of …'))
    .toMatchInlineSnapshot(`
    "Hello Ada,

    Your work on the HTTP Streaming Workshop has been graded.

    Lesson 1, Raw chunks: passed. Your code passes … of … core checks, and 12
    of 12 edge cases.

    Lesson 2, Server-sent events: not passed yet. Your code passes … of … core
    checks, and … of … edge cases. Tasks that you have completed: 2.1, 2.2,
    2.5, 2.6, 2.7.

    The first check that fails is 2.3b: a heartbeat is not an event, changes no
    ID and splits no event.

      The heartbeat arrived as an event.
      Expected a comment.
      A common cause: a "data" field.
      at lessons/02-server-sent-events/server.ts:12:5

    Next step: look at task 2.3, A heartbeat nobody sees. The first command
    shows what your code does, and the second prints a hint.

      npm run lesson 2
      npm run hint 2.3

    If you think that a verdict is wrong, tell your instructor the number of the
    check.
    "
  `)
})

test('an error is shown with the path on the own machine of its author', () => {
  const problem = {
    what: 'Your files could not be loaded.',
    detail: `Transform failed with 1 error:

[PARSE_ERROR] Unexpected token
    ╭─[ lessons/01-raw-chunks/server.ts:30:7 ]
    │
 30 │ const = 3
    │       ┬  
    │       ╰── 
────╯`,
  }
  const verdict = {
    lesson: 1,
    outcome: 'error',
    checks: [],
    problem,
    typeErrors: [],
    seed: 1,
    printed: '',
  } as const
  const grade = gradeOf({ ...verdict, checks: [], typeErrors: [] }, ['x.ts is a link'])
  expect(grade).toMatchObject({
    problem: 'Your files could not be loaded. Unexpected token',
    at: 'lessons/01-raw-chunks/server.ts:30:7',
  })
  expect(feedbackFor({ person, grades: [grade] })).toMatchInlineSnapshot(`
    "Hello Ada,

    Your work on the HTTP Streaming Workshop has been graded.

    Lesson 1, Raw chunks: none of the checks could be graded.

      Your files could not be loaded. Unexpected token
      at lessons/01-raw-chunks/server.ts:30:7

    Next step: mend this, and grade your work.

      npm test -- lesson1

    These files were left out:

    - lesson 1: x.ts is a link
    "
  `)
})

test('the next step after passed lessons is the first lesson that is not begun', () => {
  const text = feedbackFor({ person, grades: [graded(1), graded(2), gradeOfStubs(3, [])] })
  expect(text).toMatch(/Next step: begin lesson 3, .*\.\n\n {2}npm run lesson 3\n$/)
})

test('work that is not begun, or could not be graded, gets a next step as well', () => {
  expect(feedbackFor({ person, grades: [gradeOfStubs(1, [])] })).toMatch(
    /no lesson of the HTTP Streaming Workshop is\nbegun\.\n\nNext step: begin with lesson 1\./,
  )
  expect(feedbackFor({ person: { ...person, problem: 'it is empty' }, grades: [] })).toMatch(
    /could not be graded: it is empty\.\n\nNext step: .*\n\n {2}npm run hand-in NAME\n$/s,
  )
  expect(feedbackFor({ person, grades: [notGraded(1, 'The disk is full.')] })).toContain(
    'not graded, which says nothing about your work. The\ndisk is full.',
  )
})
