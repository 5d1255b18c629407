import { lessonNumbered, lessons, listed } from '../lessons/catalogue.ts'
import { takeReference, type Problem } from '../lessons/args.ts'

/** How many pairs to grade, and in which lessons. */
export type CombineArgs = { pairs: number; lessons: number[] }

/** Parses `300 pairs` and lessons such as `lesson3`, in any order. */
export function parseCombineArgs(args: readonly string[]): CombineArgs | Problem {
  const left = args.filter((arg) => arg !== '')
  const chosen: number[] = []
  let pairs = PAIRS
  while (left.length > 0) {
    if (left[1] === 'pairs' && /^[1-9]\d{0,4}$/.test(left[0]!)) {
      pairs = Number(left.splice(0, 2)[0])
      continue
    }
    const [word] = left
    const reference = takeReference(left)
    if (!reference || reference.only) {
      return { problem: `Unknown word "${word}". For example: npm run combine 20 pairs lesson3` }
    }
    if (!lessonNumbered(reference.number)) {
      return { problem: `There is no lesson ${reference.number}. Lessons: ${listed(lessons())}.` }
    }
    chosen.push(reference.number)
  }
  const all = lessons().map(({ number }) => number)
  return { pairs, lessons: chosen.length > 0 ? chosen : all }
}

const PAIRS = 300
