import { parseCombineArgs } from '../combine/combine-args.ts'
import { draw } from '../combine/draw.ts'
import { gradePair } from '../combine/grade-pair.ts'
import { combineTable, describePair, isFinding, type LessonResult } from '../combine/report.ts'
import { sharesOf } from '../combine/shares.ts'
import { graderPool } from '../grader/grader-pool.ts'
import { seedAskedFor } from '../lessons/seed.ts'
import { screen } from '../terminal/screen.ts'
import { refuse } from './refuse.ts'

/**
 * `npm run combine 300 pairs lesson3`: draws pairs of mistakes, and grades programs that contain both. For contributors.
 *
 * @returns 0 if each program fails, and its first message is about one of its mistakes; 1 if not; 2 if an argument is unknown
 */
export async function combine(args: string[]): Promise<number> {
  const asked = parseCombineArgs(args)
  if ('problem' in asked) return refuse(asked.problem)
  const askedSeed = seedAskedFor()
  if (typeof askedSeed === 'object') return refuse(askedSeed.problem)
  const seed = askedSeed ?? Math.floor(Math.random() * 1e9)

  const out = screen(process.stdout)
  out.print(`SEED=${seed}`)
  const results: LessonResult[] = []
  for (const [lesson, count] of sharesOf(asked.pairs, asked.lessons)) {
    const pool = graderPool({ lesson, seed, size: POOL })
    const { drawn, remove, ...skipped } = await draw(lesson, count, seed)
    let done = 0
    try {
      const graded = await Promise.all(
        drawn.map(async (each) => {
          const pair = await gradePair(each, { pool, lesson, seed })
          out.stay(`lesson ${lesson}: ${(done += 1)} of ${drawn.length} pairs graded`)
          if (!pair.hasPhrase) out.print(describePair(pair))
          return pair
        }),
      )
      results.push({ lesson, graded, ...skipped })
    } finally {
      await pool.end()
      remove()
    }
  }
  out.close()
  out.print(`\n${combineTable(results)}`)
  return results.some(({ graded }) => graded.some(isFinding)) ? 1 : 0
}

/** How many processes grade at once. Most of the time, a failing check waits for something that does not happen. */
const POOL = 4
