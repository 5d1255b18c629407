import process from 'node:process'
import { readDeck } from '../../workshop/slides/deck.ts'

/**
 * Returns whether a learner has deleted or changed a file in lessons/ that slides quote: a README or an exhibit. In CI
 * this returns false, so that the tests fail.
 */
export function areQuotesOfLessonsLost(): boolean {
  const { problems } = readDeck()
  return !process.env.CI && problems.some((problem) => problem.includes(' lessons/'))
}
