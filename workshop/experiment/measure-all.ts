import { measure } from './measure.ts'
import type { Row } from './rows.ts'
import type { Result } from './table.ts'

/**
 * Measures each way, a few at a time: more would disturb each other.
 *
 * @param measured called with each result as it comes
 * @returns the results, in the order of the ways
 */
export async function measureAll(
  chosen: Row[],
  measured: (result: Result) => void = () => {},
): Promise<Result[]> {
  const results = new Map<Row, Result>()
  const waiting = [...chosen]
  const work = async (): Promise<void> => {
    for (let row = waiting.shift(); row; row = waiting.shift()) {
      const result = await measure(row)
      results.set(row, result)
      measured(result)
    }
  }
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, work))
  return chosen.map((row) => results.get(row)!)
}

const SIDE_BY_SIDE = 4
