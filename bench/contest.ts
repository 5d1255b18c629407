import assert from 'node:assert/strict'
import process from 'node:process'
import { measure } from 'mitata'
import { goalText, median, ratioText, type Size } from './section.ts'

/** One of several programs that do the same work. */
export type Side = {
  name: string
  /** How fast our side should be compared to this side: 1 means as fast. */
  goal?: number
  /** Does the work once, and calls `take` with each result. */
  run(take: (result: unknown) => void): Promise<void>
  /** Converts a result to a form in which all sides agree. */
  normalize?(result: never): unknown
}

export const CONTEST_HEAD = ['Input', 'Beside', 'Ours', 'Theirs', 'Speed', 'Goal']

/**
 * Checks that every side gives the same results, and then measures the CPU time of all sides in turns.
 *
 * @returns one row per rival, for a table with `CONTEST_HEAD`
 */
export async function contest(
  input: string,
  ours: Side,
  rivals: readonly Side[],
  size: Size,
): Promise<string[][]> {
  const expected = await resultsOf(ours)
  for (const rival of rivals) assert.deepEqual(await resultsOf(rival), expected, rival.name)

  const { rounds, minCpuMs } = SIZES[size]
  const times = new Map<Side, number[]>()
  for (let round = 0; round < rounds; round += 1) {
    for (const side of [ours, ...rivals]) {
      times.set(side, [...(times.get(side) ?? []), await cpuMs(side, minCpuMs)])
    }
  }
  return rivals.map((rival) => {
    const [mine, theirs] = [times.get(ours)!, times.get(rival)!]
    const ratios = theirs.map((ms, round) => ms / mine[round]!)
    const [shownMine, shownTheirs] = [mine, theirs].map((each) => `${median(each).toFixed(2)} ms`)
    const { name, goal } = rival
    return [input, name, shownMine!, shownTheirs!, ratioText(ratios), goalText(goal, ratios)]
  })
}

const SIZES = { full: { rounds: 5, minCpuMs: 250 }, tiny: { rounds: 1, minCpuMs: 0 } }

async function resultsOf({ run, normalize = (result) => result }: Side): Promise<unknown[]> {
  const results: unknown[] = []
  await run((result) => results.push(normalize(result as never)))
  assert.notEqual(results.length, 0)
  return results
}

/** Returns the median CPU time of one run, in milliseconds. It includes the garbage collector's threads. */
async function cpuMs({ run }: Side, minCpuMs: number): Promise<number> {
  let last: unknown
  const take = (result: unknown): void => {
    last = result
  }
  const { p50 } = await measure(() => run(take), {
    now: cpuNanoseconds,
    min_cpu_time: minCpuMs * 1e6,
    min_samples: 3,
    // Measure each run alone, however short it is.
    batch_threshold: 0,
  })
  assert.notEqual(last, undefined)
  return p50 / 1e6
}

function cpuNanoseconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) * 1000
}
