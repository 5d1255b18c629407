import { expect, test } from 'vitest'
import { sideBySide } from '../../workshop/verdict/side-by-side.ts'

const same = Array.from({ length: 100 }, (_, n) => `step ${n}`)

test('short transcripts are shown in full', () => {
  const yours = [...same.slice(0, 5), 'mine']
  const reference = same.slice(0, 20)
  expect(sideBySide(yours, reference)).toEqual({ from: 0, yours, reference, more: 0 })
})

test('a long reference is cut a few steps after the end of yours', () => {
  const { from, reference, more } = sideBySide(['step 0', 'mine'], same)
  expect({ from, rows: reference.length, more }).toEqual({ from: 0, rows: 6, more: 94 })
})

test('only the last steps of a long common beginning are shown', () => {
  const yours = [...same.slice(0, 80), 'mine']
  expect(sideBySide(yours, same)).toEqual({
    from: 68,
    yours: yours.slice(68),
    reference: same.slice(68, 85),
    more: 15,
  })
})

test('yours is shown in full from the first difference on, because the check fails at its end', () => {
  const yours = ['mine', ...same.slice(1)]
  expect(sideBySide(yours, same).yours).toEqual(yours)
})

test('without a reference nothing is left out', () => {
  expect(sideBySide(same, [])).toEqual({ from: 0, yours: same, reference: [], more: 0 })
})
