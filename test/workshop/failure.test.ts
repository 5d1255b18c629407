import { expect, test } from 'vitest'
import { describeError } from '../harness/failure.ts'
// @ts-expect-error It exports no such thing: who writes useQuakes() may have forgotten to export it, too.
import { useQuakes } from '../harness/equality.ts'

test('what is imported and not exported is told by the name that was written', () => {
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
