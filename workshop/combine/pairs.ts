import * as fc from 'fast-check'
import type { Mistake } from '../mistakes/mistakes.ts'

/** Two mistakes of different tasks, and the wrong program that contains both. */
export type Pair = { mistakes: [Mistake, Mistake]; both: Mistake }

/**
 * Returns all pairs of mistakes of different tasks, in a random order that depends only on the seed. Mistakes that are
 * whole files are left out, because nothing says which of their lines are the bug.
 */
export function shuffledPairs(mistakes: readonly Mistake[], seed: number): Pair[] {
  const edits = mistakes.filter((mistake) => mistake.edits.size > 0)
  const pairs = edits.flatMap((one, n) =>
    edits
      .slice(n + 1)
      .filter((other) => other.task !== one.task && isOnSameBase(one, other))
      .map((other): Pair => ({ mistakes: [one, other], both: combine(one, other) })),
  )
  const shuffled = fc.shuffledSubarray(pairs, { minLength: pairs.length })
  return fc.sample(shuffled, { seed, numRuns: 1 })[0]!
}

/** Returns a mistake that makes the edits of both. Its edits fail to apply if those of the two overlap. */
export function combine(one: Mistake, other: Mistake): Mistake {
  const edits = new Map(one.edits)
  for (const [file, hunks] of other.edits) edits.set(file, [...(edits.get(file) ?? []), ...hunks])
  const base = one.base ?? other.base
  return { ...one, name: `${one.name}+${other.name}`, edits, ...(base && { base }) }
}

function isOnSameBase(one: Mistake, other: Mistake): boolean {
  return !one.base || !other.base || one.base === other.base
}
