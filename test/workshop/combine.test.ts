import { expect, test } from 'vitest'
import { parseCombineArgs } from '../../workshop/combine/combine-args.ts'
import { draw } from '../../workshop/combine/draw.ts'
import { gradePair } from '../../workshop/combine/grade-pair.ts'
import { combine, shuffledPairs, type Pair } from '../../workshop/combine/pairs.ts'
import { combineTable, isFinding } from '../../workshop/combine/report.ts'
import { sharesOf } from '../../workshop/combine/shares.ts'
import type { GraderPool } from '../../workshop/grader/grader-pool.ts'
import { grade } from '../../workshop/grader/grade.ts'
import { applyHunks } from '../../workshop/mistakes/edit.ts'
import { filesOf, mistakeCalled, mistakesOf } from '../../workshop/mistakes/mistakes.ts'

const SEED = 42

test('a seed always gives the same pairs, each of mistakes of two tasks', () => {
  const pairs = shuffledPairs(mistakesOf(1), SEED)
  expect(namesOf(shuffledPairs(mistakesOf(1), SEED))).toEqual(namesOf(pairs))
  expect(namesOf(shuffledPairs(mistakesOf(1), SEED + 1))).not.toEqual(namesOf(pairs))
  expect(new Set(namesOf(pairs)).size).toBe(pairs.length)
  expect(pairs.filter(({ mistakes: [one, other] }) => one.task === other.task)).toEqual([])
})

test('a program with two mistakes contains the edits of both', () => {
  const [one, other] = [
    mistakeCalled('lesson1/other-path'),
    mistakeCalled('lesson1/full-means-gone'),
  ]
  const both = filesOf(combine(one, other)).get('server.ts')
  const inTurn = applyHunks(filesOf(one).get('server.ts')!, other.edits.get('server.ts')!)
  expect(both).toBe(inTurn)
})

test('edits of the same lines cannot be combined', () => {
  const path = mistakeCalled('lesson1/other-path')
  expect(() => filesOf(combine(path, path))).toThrow('two hunks overlap')
})

test('a drawn pair is graded, and its first message is about one of its two mistakes', async () => {
  const { drawn, untyped, remove } = await draw(1, 1, SEED)
  expect(drawn).toHaveLength(1)
  expect(untyped).toBe(0)
  const graded = await gradePair(drawn[0]!, { pool: inItsOwnProcess, lesson: 1, seed: SEED })
  remove()
  expect(graded).toMatchObject({ finding: 'own check', hasPhrase: true })
  expect(isFinding(graded)).toBe(false)
})

test('a pair that passes is a finding', async () => {
  const [pair] = shuffledPairs(mistakesOf(1), SEED) as [Pair]
  const passing: GraderPool = {
    grade: async ({ lesson, seed = SEED }) => ({
      lesson,
      outcome: 'pass',
      checks: [],
      typeErrors: [],
      seed,
      printed: '',
    }),
    async end() {},
  }
  const graded = await gradePair({ pair, work: '' }, { pool: passing, lesson: 1, seed: SEED })
  expect(graded.finding).toBe('passes')
  expect(isFinding(graded)).toBe(true)
  const table = combineTable([{ lesson: 1, graded: [graded], overlapping: 2, untyped: 3 }])
  expect(table).toContain('| 1 | 1 | 0 | 0 | 0 | 0 | 1 | 0 | 2 | 3 |')
})

test('the pairs are divided among the lessons, with fewer for lesson 9', () => {
  const shares = sharesOf(300, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  expect([...shares.values()].reduce((sum, share) => sum + share)).toBe(300)
  expect(shares.get(9)).toBe(8)
  expect([...sharesOf(3, [9])]).toEqual([[9, 3]])
})

test.each([
  [['300', 'pairs'], { pairs: 300 }],
  [['lesson3', '20', 'pairs'], { pairs: 20, lessons: [3] }],
  [['20', 'pairs', '3', 'lesson', '5'], { pairs: 20, lessons: [3, 5] }],
  [['300'], { problem: expect.stringContaining('There is no lesson 300') }],
  [['3.2'], { problem: expect.stringContaining('Unknown word "3.2"') }],
  [['none'], { problem: expect.stringContaining('Unknown word "none"') }],
])('the words %j are understood', (words, expected) => {
  expect(parseCombineArgs(words)).toMatchObject(expected)
})

/** Grades in a process of its own, because a single program gains nothing from a pool. */
const inItsOwnProcess: GraderPool = { grade, async end() {} }

function namesOf(pairs: Pair[]): string[] {
  return pairs.map(({ both }) => both.name)
}
