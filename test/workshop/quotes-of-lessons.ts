import process from 'node:process'
import { readDeck } from '../../workshop/slides/deck.ts'

/**
 * Whether a learner has lost or changed what slides quote of lessons/: a README, or an exhibit that it invites them to
 * change. In CI that is a failure.
 */
export function areQuotesOfLessonsLost(): boolean {
  const { problems } = readDeck()
  return !process.env.CI && problems.some((problem) => problem.includes(' lessons/'))
}
