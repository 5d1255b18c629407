import { randomInt, randomUUID } from 'node:crypto'
import type { Canary, RunSecrets } from '../../protocol/grading.ts'
import { checksOf } from '../lessons/checks.ts'

/** Creates the secrets of a run. @param ids the checks that will run */
export function newSecrets(lesson: number, ids: readonly string[]): RunSecrets {
  const words = ids.map((id) => [id, { passed: randomUUID(), failed: randomUUID() }] as const)
  return { sign: randomUUID(), words: Object.fromEntries(words), canaries: canariesFor(lesson) }
}

/** Creates canaries that look like checks of the lesson, about half of which must fail. */
function canariesFor(lesson: number): Canary[] {
  const checks = checksOf(lesson)
  return Array.from({ length: CANARIES }, (_, n) => ({
    id: `${lesson}.${checks.length + n}${'abcdefgh'[randomInt(8)]}`,
    rule: checks[randomInt(checks.length)]!.rule,
    // Both kinds occur in every run.
    mustPass: n < 2 ? n === 0 : randomInt(2) === 0,
  }))
}

const CANARIES = 6
