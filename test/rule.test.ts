import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { recordedQuakes, type Quake } from '#feed'
import { parseRule, RuleError } from '../solutions/07-filtered-stream/rule.ts'

// The rule language of lesson 7. The workshop gives it to the learners, so these are tests of the workshop, and not checks.

const [real] = recordedQuakes() as [Quake]

test('a printed rule matches the quakes that its tree matches', () => {
  fc.assert(
    fc.property(rules(), fc.array(quakes(), { minLength: 1, maxLength: 8 }), (terms, some) => {
      fc.pre(terms.some(({ isNegated }) => !isNegated))
      const text = terms.map(({ text: term }) => term).join(' ')
      fc.pre(text.length <= 1024)
      const rule = parseRule(text)
      expect(rule.value).toBe(text)
      for (const quake of some) {
        const expected = terms.every((term) => term.holds(quake) !== term.isNegated)
        expect(rule.matches(quake)).toBe(expected)
      }
    }),
  )
})

describe('terms', () => {
  test.each<[rule: string, quake: Partial<Quake>, matches: boolean]>([
    ['magnitude >= 4', { magnitude: 4 }, true],
    ['magnitude>4', { magnitude: 4 }, false],
    ['magnitude   <=   4.0', { magnitude: 4 }, true],
    ['depth < -1.5', { depthKm: -2.15 }, true],
    ['depth=0', { depthKm: -0 }, true],
    ['network:CI', { network: 'ci' }, true],
    ['network:c', { network: 'ci' }, false],
    ['type:explosion', { type: 'Explosion' }, true],
    ['type:"quarry blast"', { type: 'quarry blast' }, true],
    ['place:california', { place: '5km W of Cobb, California' }, true],
    ['place:"South of the Fiji Islands"', { place: 'South of the Fiji Islands' }, true],
    ['place:near:.*', { place: 'near:.*' }, true],
    ['place:.*', { place: 'Hilo' }, false],
    ['network:ci -type:explosion', { network: 'ci', type: 'explosion' }, false],
    ['network:ci -type:explosion', { network: 'ci', type: 'earthquake' }, true],
    ['magnitude >= 4 network:ci', { magnitude: 4, network: 'us' }, false],
    ['  magnitude >= 4  ', { magnitude: 5 }, true],
    ['-magnitude >= 4 network:us', { magnitude: 3, network: 'us' }, true],
  ])('%s on %j: %j', (rule, values, matches) => {
    expect(parseRule(rule).matches({ ...real, ...values })).toBe(matches)
  })
})

describe('an error names the column', () => {
  test.each([
    ['', 1],
    ['   ', 4],
    ['-network:ci', 1],
    ['-network:ci -type:explosion', 1],
    ['mag >= 4', 1],
    ['network:ci foo:bar', 12],
    ['network:ci -foo:bar', 13],
    ['magnitude 4', 11],
    ['magnitude >> 4', 12],
    ['magnitude >= x', 14],
    ['magnitude >=', 13],
    ['magnitude >= 4x', 15],
    ['magnitude >= 4network:ci', 15],
    ['network ci', 8],
    ['network:', 9],
    ['network: ci', 9],
    ['place:"Fiji', 7],
    ['place:""', 8],
    ['place:"Fiji"Hilo', 13],
    ['network:ci OR network:us', 12],
    ['(network:ci)', 1],
    ['network:ci\ttype:x', 11],
  ])('%j: column %i', (text, column) => {
    expect(errorOf(text)).toMatchObject({ column, message: expect.stringMatching(/\w/) })
  })

  test('any text is a rule or an error with a column of the text', () => {
    fc.assert(
      fc.property(fragments(), (text) => {
        const error = errorOf(text)
        if (error === undefined) return
        expect(error).toBeInstanceOf(RuleError)
        expect(error.column).toBeGreaterThanOrEqual(1)
        expect(error.column).toBeLessThanOrEqual(text.length + 1)
      }),
    )
  })
})

test('the longest rule has 1,024 characters', () => {
  expect(parseRule(`place:${'a'.repeat(1018)}`).value).toHaveLength(1024)
  expect(errorOf(`place:${'a'.repeat(1019)}`)).toMatchObject({ column: 1025 })
})

// With a pattern that backtracks, one of these would take longer than the test may.
test.each([' ', '-', '"', 'a', '>', '1', '1.', 'place:"', 'magnitude >= 1 ', '-network:ci '])(
  '10 kB of %j are refused immediately',
  (part) => {
    const text = part.repeat(Math.ceil(10_240 / part.length))
    expect(errorOf(text)?.column).toBe(1025)
    const short = text.slice(0, 1024)
    for (let n = 0; n < 200; n += 1) errorOf(short)
  },
)

function errorOf(text: string): RuleError | undefined {
  try {
    parseRule(text)
    return undefined
  } catch (error) {
    return error as RuleError
  }
}

type Term = { text: string; isNegated: boolean; holds(quake: Quake): boolean }

function rules(): fc.Arbitrary<Term[]> {
  return fc.array(fc.oneof(numberTerm(), wordTerm()), { minLength: 1, maxLength: 6 })
}

function numberTerm(): fc.Arbitrary<Term> {
  return fc
    .record({
      isNegated: fc.boolean(),
      field: fc.constantFrom(['magnitude', 'magnitude'], ['depth', 'depthKm']),
      operator: fc.constantFrom('>=', '>', '<=', '<', '='),
      limit: tenths(),
      gaps: fc.array(fc.constantFrom('', ' ', '  '), { minLength: 2, maxLength: 2 }),
      isLoud: fc.boolean(),
    })
    .map(({ isNegated, field: [name, key], operator, limit, gaps, isLoud }) => ({
      isNegated,
      text: `${isNegated ? '-' : ''}${isLoud ? name!.toUpperCase() : name}${gaps[0]}${operator}${gaps[1]}${limit}`,
      holds(quake) {
        const sign = Math.sign(Number(quake[key as keyof Quake]) - limit)
        return { '>=': sign >= 0, '>': sign > 0, '<=': sign <= 0, '<': sign < 0, '=': sign === 0 }[
          operator
        ]!
      },
    }))
}

function wordTerm(): fc.Arbitrary<Term> {
  return fc
    .record({
      isNegated: fc.boolean(),
      field: fc.constantFrom('network', 'type', 'place'),
      word: fc.constantFrom(...WORDS),
      isLoud: fc.boolean(),
    })
    .map(({ isNegated, field, word, isLoud }) => {
      const printed = isLoud ? word.toUpperCase() : word
      return {
        isNegated,
        text: `${isNegated ? '-' : ''}${field}:${word.includes(' ') ? `"${printed}"` : printed}`,
        holds(quake) {
          const value = String(quake[field as keyof Quake]).toLowerCase()
          return field === 'place' ? value.indexOf(word) !== -1 : value === word
        },
      }
    })
}

const WORDS = [
  'ci',
  'us',
  'explosion',
  'quarry blast',
  'california',
  'fiji',
  '.*',
  "o'higgins)",
  'ísland',
]

function quakes(): fc.Arbitrary<Quake> {
  return fc
    .record({
      magnitude: tenths(),
      depthKm: tenths(),
      network: fc.constantFrom('ci', 'us', 'AK'),
      type: fc.constantFrom('earthquake', 'explosion', 'quarry blast'),
      place: fc.constantFrom(
        '5km W of Cobb, California',
        'South of the Fiji Islands',
        'Ísland',
        '',
      ),
    })
    .map((values) => ({ ...real, ...values }))
}

/** Returns few different numbers, so that limits and values are often equal. */
function tenths(): fc.Arbitrary<number> {
  return fc.integer({ min: -20, max: 60 }).map((tenth) => tenth / 10)
}

function fragments(): fc.Arbitrary<string> {
  const parts = [
    'magnitude',
    'depth',
    'network',
    'place',
    ':',
    '"',
    '-',
    '>=',
    '<',
    ' ',
    '4',
    '.',
    'ci',
    '\n',
    'é',
  ]
  return fc.array(fc.constantFrom(...parts), { maxLength: 20 }).map((some) => some.join(''))
}
