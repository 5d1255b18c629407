import { takeReference, type Problem } from '../lessons/args.ts'
import { SOAKED } from './soak.ts'

/** Which lessons to soak, and for how long. */
export type SoakArgs = { lessons: number[]; ms: number }

/** Parses `10 minutes` or `30 seconds`, and lessons such as `lesson5`, in any order. */
export function parseSoakArgs(args: readonly string[]): SoakArgs | Problem {
  const left = args.filter((arg) => arg !== '')
  const lessons: number[] = []
  let ms = 10 * MINUTE_MS
  while (left.length > 0) {
    const [word = '', unit = ''] = left
    const unitMs = UNITS[unit.replace(/s$/, '')]
    if (unitMs && /^[1-9]\d{0,3}$/.test(word)) {
      ms = Number(word) * unitMs
      left.splice(0, 2)
      continue
    }
    const reference = takeReference(left)
    if (!reference || reference.only) {
      return { problem: `Unknown word "${word}". For example: npm run soak lesson5 10 minutes` }
    }
    if (!SOAKED.includes(reference.number)) {
      return { problem: `Only these lessons have a server to soak: ${SOAKED.join(', ')}.` }
    }
    lessons.push(reference.number)
  }
  return { lessons: lessons.length > 0 ? lessons : SOAKED, ms }
}

const MINUTE_MS = 60_000
const UNITS: Record<string, number> = { minute: MINUTE_MS, second: 1000 }
