import { randomInt } from 'node:crypto'
import fc from 'fast-check'
import { takeReference } from '../lessons/args.ts'
import { lessonNumbered, lessons, type Lesson } from '../lessons/catalogue.ts'
import { seedAskedFor } from '../lessons/seed.ts'
import { equivalentsOf, isEquivalent } from '../mutants/equivalents.ts'
import { judgeMutants } from '../mutants/judge-mutants.ts'
import { mutantsOf, type Mutant } from '../mutants/mutants.ts'
import { interruption } from '../process/interruption.ts'
import { screen, type Screen } from '../terminal/screen.ts'
import { refuse } from './refuse.ts'

/**
 * Tests the checks with changed solutions. For contributors: `npm run mutants 2`, or `npm run mutants 2 sample 50`, or
 * without arguments for every lesson.
 *
 * @returns 0 if the checks of each lesson kill enough mutants, 1 if not, 130 if the command was interrupted
 */
export async function mutants(args: string[]): Promise<number> {
  const left = [...args]
  const number = takeReference(left)?.number
  const asked = number === undefined ? lessons() : [lessonNumbered(number)]
  const [word, count, ...rest] = left
  const most = word === 'sample' && /^[1-9]\d*$/.test(count ?? '') ? Number(count) : undefined
  if (asked.includes(undefined) || (left.length > 0 && most === undefined) || rest.length > 0) {
    return refuse('Name a lesson, and a number after "sample": npm run mutants 2 sample 50')
  }
  const seed = seedAskedFor()
  if (typeof seed === 'object') return refuse(seed.problem)

  const out = screen(process.stdout)
  const { signal } = interruption()
  let areEnough = true
  for (const lesson of asked) {
    const all = await mutantsOf(lesson!)
    const chosen = most === undefined ? all : sampleOf(all, most, seed ?? randomInt(1e6), out)
    const score = await scoreOf(lesson!, chosen, out, signal)
    out.close()
    if (signal.aborted) return 130
    areEnough &&= score >= ENOUGH
  }
  return areEnough ? 0 : 1
}

/** The share of the mutants that the checks must kill. */
const ENOUGH = 0.95

function sampleOf(all: Mutant[], most: number, seed: number, out: Screen): Mutant[] {
  const length = Math.min(most, all.length)
  out.print(`A sample of ${length} of ${all.length} mutants. SEED=${seed} chooses it again.`)
  const subset = fc.shuffledSubarray(all, { minLength: length, maxLength: length })
  return fc.sample(subset, { seed, numRuns: 1 })[0]!
}

/** Judges mutants, and prints those that survive and the score. Returns the share that was killed, without equivalents. */
async function scoreOf(
  lesson: Lesson,
  chosen: Mutant[],
  out: Screen,
  signal: AbortSignal,
): Promise<number> {
  const equivalents = equivalentsOf(lesson.number)
  const counts = { killed: 0, invalid: 0, equivalent: 0, survived: 0 }
  let done = 0
  await judgeMutants(lesson, chosen, {
    signal,
    onJudged(mutant, fate) {
      const isKnown = fate === 'survived' && equivalents.some((each) => isEquivalent(mutant, each))
      counts[isKnown ? 'equivalent' : fate] += 1
      if (fate === 'survived' && !isKnown) out.print(told(mutant, lesson))
      done += 1
      out.stay(`lesson ${lesson.number}: ${done} of ${chosen.length} mutants judged`)
    },
  })
  const { killed, survived } = counts
  const score = killed / Math.max(1, killed + survived)
  const list = Object.entries(counts).map(([fate, count]) => `${count} ${fate}`)
  out.print(
    `lesson ${lesson.number}: ${done} mutants, ${list.join(', ')}: ${(score * 100).toFixed(1)} %`,
  )
  return score
}

function told({ file, line, before, after }: Mutant, { folder }: Lesson): string {
  return `survived: solutions/${folder}/${file}:${line}\n-${before}\n+${after}\n`
}
