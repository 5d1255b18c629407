import { expect, test } from 'vitest'
import { renderVerdict } from '../../workshop/verdict/render.ts'
import type { CheckResult, Verdict } from '../../protocol/verdict.ts'
import { painter } from '../../workshop/terminal/colour.ts'

const SEEN = 'client saw signs of life while the feed was silent'
const QUAKE = 'feed released quake 1: "M 4.5 · Vrancea, România", which is a long way from here'

test('where the two part the row is whole, and the others are cut', () => {
  const text = render([failed('1.2a', [QUAKE, '… nothing for 2 s'], [QUAKE, SEEN, QUAKE])])
  expect(text).toContain(
    [
      '    yours                                            reference',
      '     1  feed released quake 1: "M 4.5 · Vrancea, …    1  feed released quake 1: "M 4.5 · Vrancea, …',
      '     2  … nothing for 2 s                             2  client saw signs of life while the feed',
      '                                                         was silent',
      '                                                      3  feed released quake 1: "M 4.5 · Vrancea, …',
    ].join('\n'),
  )
})

test('in a narrow terminal one stands below the other, cut and whole likewise', () => {
  const text = render([failed('1.2a', [QUAKE, 'nothing'], [QUAKE, QUAKE])], 60)
  expect(text).toContain(
    [
      '    reference',
      '     1  feed released quake 1: "M 4.5 · Vrancea, România", …',
      '     2  feed released quake 1: "M 4.5 · Vrancea, România",',
      '        which is a long way from here',
    ].join('\n'),
  )
})

test('a word that is longer than a row is broken, and what is longer than six rows is cut', () => {
  const wire = [...'abcdefghijkl'].map((letter) => letter.repeat(40)).join('')
  const rows = render([failed('1.2a', ['nothing'], [wire])]).split('\n')
  const first = rows.findIndex((line) => line.includes('aaa'))
  const shown = rows.slice(first, first + 6).map((line) => line.slice(53))
  expect(shown.map((line) => line.length)).toEqual([46, 46, 46, 46, 46, 46])
  expect(shown.at(-1)).toMatch(/…$/)
  expect(rows[first + 6]).toBe('')
})

test('behind the failure that is told stands how to see the next', () => {
  const notWritten = { ...failed('1.3a'), notWritten: 'lesson 1, task 1.3: write createApp()' }
  const text = render([failed('1.2a'), notWritten, failed('1.4a'), failed('1.4b')])
  expect(text).toContain('2 more failed, the next of them: npm test -- lesson1.4a')
  expect(render([failed('1.2a'), notWritten, failed('1.4b')])).toContain(
    '1 more failed: npm test -- lesson1.4b',
  )
  expect(render([failed('1.2a'), notWritten])).not.toContain('more failed')
})

function failed(id: string, steps: string[] = [], reference: string[] = []): CheckResult {
  const story = { seen: 'It was seen.', expected: 'Expected something else.' }
  return { id, rule: 'it holds', state: 'failed', story, steps, reference }
}

function render(checks: CheckResult[], width = 100): string {
  const verdict: Verdict = {
    lesson: 1,
    outcome: 'fail',
    checks,
    typeErrors: [],
    seed: 1,
    printed: '',
  }
  return renderVerdict(verdict, { paint: painter(false), width, workName: 'lessons' })
}
