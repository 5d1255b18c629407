import { describe, expect, test } from 'vitest'
import { decisive, scoreInWords, scoreOf, type Scored } from '../../protocol/score.ts'

const core = (state: string): Scored => ({ state })
const edgeCase = (state: string): Scored => ({ state, isEdgeCase: true })

describe('a score counts core checks and edge cases separately', () => {
  test.each([
    [
      '2/3 core · 1/2 edge cases',
      [core('passed'), core('passed'), core('failed'), edgeCase('passed'), edgeCase('not run')],
    ],
    ['1/1 core', [core('passed')]],
    ['0/1 edge case', [edgeCase('failed')]],
    ['', []],
  ])('%s', (words, checks) => {
    expect(scoreInWords(scoreOf(checks))).toBe(words)
  })
})

test('core checks decide, or edge cases if there are no others', () => {
  const [one, other] = [core('passed'), edgeCase('failed')]
  expect(decisive([one, other])).toEqual([one])
  expect(decisive([other])).toEqual([other])
})
