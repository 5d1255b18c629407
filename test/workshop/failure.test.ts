import { expect, test } from 'vitest'
import { describeError } from '../harness/failure.ts'
// @ts-expect-error The export does not exist, as if a learner had forgotten to export useQuakes().
import { useQuakes } from '../harness/equality.ts'

test('a missing export is reported under the name in the source code', () => {
  expect(errorOf(() => useQuakes('/events'))).toBe(
    'TypeError: useQuakes is not a function. Is it exported under that name?',
  )
})

function errorOf(run: () => unknown): string {
  try {
    return String(run())
  } catch (error) {
    return describeError(error)
  }
}
