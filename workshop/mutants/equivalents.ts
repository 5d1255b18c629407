import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../root.ts'
import type { Mutant } from './mutants.ts'

/** A change that leaves a program right, so that its mutants may survive. */
export type Equivalent = {
  /** The lesson that the change belongs to. Absent if it belongs to every lesson. */
  lesson?: number
  reason: string
  /** The code before the change, in which `…` stands for any text in a line. */
  before: string
  /** The code after the change. If absent, every change of this line is equivalent. */
  after?: string
}

/**
 * Reads the list of equivalent changes:
 *
 *     ## lesson 2
 *
 *     An empty chunk has no line end, so the state stays the same.
 *
 *     ```diff
 *     -if (text !== '') endedByCr = text.endsWith('\r')
 *     +if (true) endedByCr = text.endsWith('\r')
 *     ```
 *
 * A diff without a line that begins with `+` is about every change of its line.
 *
 * @throws Error with the line number if a line has none of these forms
 */
export function parseEquivalents(text: string): Equivalent[] {
  const found: Equivalent[] = []
  let lesson: number | undefined
  let reason = ''
  let isInDiff = false
  for (const [n, line] of text.split('\n').entries()) {
    const code = line.slice(1)
    const last = found.at(-1)
    if (line.startsWith('```')) isInDiff = line === '```diff'
    else if (isInDiff && line.startsWith('-')) {
      found.push({ reason, before: code, ...(lesson !== undefined && { lesson }) })
    } else if (isInDiff && line.startsWith('+') && last && last.after === undefined) {
      last.after = code
    } else if (isInDiff) throw new Error(`line ${n + 1}: expected "-" or "+", got "${line}"`)
    else if (line.startsWith('## ')) {
      const [, number] = /^## lesson (\d+)$/.exec(line) ?? []
      lesson = number === undefined ? undefined : Number(number)
    } else if (line !== '') reason = line
  }
  return found
}

/** Returns the equivalent changes that concern a lesson. */
export function equivalentsOf(lesson: number): Equivalent[] {
  const all = parseEquivalents(readFileSync(join(ROOT, 'test', 'equivalents.md'), 'utf8'))
  return all.filter((each) => each.lesson === undefined || each.lesson === lesson)
}

export function isEquivalent(mutant: Mutant, { before, after }: Equivalent): boolean {
  return matches(mutant.before, before) && (after === undefined || matches(mutant.after, after))
}

function matches(code: string, pattern: string): boolean {
  const parts = pattern.split('…').map((part) => part.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&'))
  return new RegExp(`^${parts.join('[^⏎]*')}$`).test(code)
}
