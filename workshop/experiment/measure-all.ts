import { probe } from '../tools/external-tool.ts'
import { closeBrowser } from './browser-client.ts'
import { EVERY_MS, measure } from './measure.ts'
import type { Result, Row } from './rows.ts'

/**
 * Measures all setups, but only a few at a time, because more of them would disturb each other.
 *
 * @param options.measured called with each result as soon as it is known
 * @param options.everyMs the interval between two events; a busy machine needs a longer one
 * @returns the results, in the order of the rows
 */
export async function measureAll(
  chosen: Row[],
  {
    measured = () => {},
    everyMs = EVERY_MS,
  }: { measured?: (result: Result) => void; everyMs?: number } = {},
): Promise<Result[]> {
  // Ask for all versions before measuring, because starting these programs would disturb the measurements.
  const tools = new Set(chosen.flatMap(({ tool }) => tool ?? []))
  const seen = new Map([...tools].map((tool) => [tool, probe(tool)]))
  const results = new Map<Row, Result>()
  const waiting = [...chosen]
  const work = async (): Promise<void> => {
    for (let row = waiting.shift(); row; row = waiting.shift()) {
      const result = await measure(row, { seen: row.tool && seen.get(row.tool), everyMs })
      results.set(row, result)
      measured(result)
    }
  }
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, work))
  await closeBrowser()
  return chosen.map((row) => results.get(row)!)
}

const SIDE_BY_SIDE = 4

/**
 * Measures each setup. As long as a result is not an expected one, measures that setup again at a slower pace, because
 * a busy machine can keep up with a slower pace. At the slowest pace, any result counts.
 */
export async function measureWithPatience(
  chosen: Row[],
  isExpected: (result: Result) => boolean,
): Promise<Result[]> {
  const results = new Map<Row, Result>()
  let unexpected = chosen
  for (const everyMs of [EVERY_MS, EVERY_MS, 2 * EVERY_MS, 4 * EVERY_MS, 8 * EVERY_MS]) {
    if (unexpected.length === 0) break
    for (const result of await measureAll(unexpected, { everyMs })) results.set(result.row, result)
    unexpected = unexpected.filter((row) => !isExpected(results.get(row)!))
  }
  return chosen.map((row) => results.get(row)!)
}
