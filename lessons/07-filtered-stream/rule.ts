import type { Quake } from '#feed'

/** A rule of the filtered stream. `value` is its text. */
export type Rule = { value: string; matches(quake: Quake): boolean }

/** The error for a text that is not a rule. `column` is the position of the mistake. The first character is in column 1. */
export class RuleError extends Error {
  readonly column: number

  constructor(message: string, column: number) {
    super(message)
    this.name = 'RuleError'
    this.column = column
  }
}

/**
 * Parses a rule such as `magnitude >= 4 -type:explosion place:"south of the Fiji Islands"`.
 *
 * Terms are separated by spaces, and a quake has to match all of them. A minus sign before a term negates it. At least one
 * term must not be negated, because a rule such as `-network:ci` would match nearly everything.
 *
 * Takes linear time, even for a hostile text, because it never builds a regular expression from the text.
 *
 * @throws RuleError if the text is not a rule
 */
export function parseRule(text: string): Rule {
  if (text.length > MAX_LENGTH) {
    throw new RuleError(`a rule has at most ${MAX_LENGTH} characters`, MAX_LENGTH + 1)
  }
  let at = 0
  const terms: Term[] = []

  take(SPACES)
  while (at < text.length) {
    terms.push(parseTerm())
    const space = take(SPACES)
    if (space === '' && at < text.length) fail('expected a space before the next term')
  }
  if (terms.length === 0) fail('a rule has at least one term')
  if (terms.every(({ isNegated }) => isNegated)) {
    at = 0
    fail('a rule has at least one term that is not negated')
  }
  return {
    value: text,
    matches: (quake) => terms.every(({ isNegated, matches }) => matches(quake) !== isNegated),
  }

  function parseTerm(): Term {
    const isNegated = take(MINUS) !== ''
    const start = at
    const field = take(NAME).toLowerCase()
    const [numbers, words] = [NUMBERS.get(field), WORDS.get(field)]
    if (numbers) {
      take(SPACES)
      const compare = COMPARISONS.get(take(OPERATOR)) ?? fail(`expected an operator after ${field}`)
      take(SPACES)
      const limit = Number(take(NUMBER) || fail('expected a number'))
      return { isNegated, matches: (quake) => compare(numbers(quake), limit) }
    }
    if (words) {
      if (take(COLON) === '') fail(`expected a colon after ${field}`)
      const word = parseWord().toLowerCase()
      return { isNegated, matches: (quake) => words(quake, word) }
    }
    at = start
    return fail(`expected one of ${[...NUMBERS.keys(), ...WORDS.keys()].join(', ')}`)
  }

  function parseWord(): string {
    const start = at
    if (take(QUOTE) === '') return take(BARE_WORD) || fail('expected a word')
    const word = take(QUOTED) || fail('expected a word after the quotation mark')
    if (take(QUOTE) === '') {
      at = start
      fail('expected a closing quotation mark')
    }
    return word
  }

  /** Moves past the pattern and returns the text that matched it, which may be empty. */
  function take(pattern: RegExp): string {
    pattern.lastIndex = at
    const taken = pattern.exec(text)?.[0] ?? ''
    at += taken.length
    return taken
  }

  function fail(message: string): never {
    throw new RuleError(message, at + 1)
  }
}

type Term = { isNegated: boolean; matches(quake: Quake): boolean }

const MAX_LENGTH = 1024

const NUMBERS = new Map<string, (quake: Quake) => number>([
  ['magnitude', ({ magnitude }) => magnitude],
  ['depth', ({ depthKm }) => depthKm],
])

/** Each function returns whether the quake has this word. The word is in lower case. */
const WORDS = new Map<string, (quake: Quake, word: string) => boolean>([
  ['network', ({ network }, word) => network.toLowerCase() === word],
  ['type', ({ type }, word) => type.toLowerCase() === word],
  ['place', ({ place }, word) => place.toLowerCase().includes(word)],
])

const COMPARISONS = new Map<string, (value: number, limit: number) => boolean>([
  ['>=', (value, limit) => value >= limit],
  ['>', (value, limit) => value > limit],
  ['<=', (value, limit) => value <= limit],
  ['<', (value, limit) => value < limit],
  ['=', (value, limit) => value === limit],
])

// Sticky patterns, which match only at the current position and never backtrack.
const SPACES = / */y
const MINUS = /-?/y
const NAME = /[a-z]*/iy
const COLON = /:?/y
const QUOTE = /"?/y
const OPERATOR = /[<>]=?|=/y
const NUMBER = /-?\d+(?:\.\d+)?/y
const BARE_WORD = /[^\s"]*/y
const QUOTED = /[^"]*/y
