import { look } from '../parts/look.ts'
import { closeBrowser } from './browser-client.ts'
import { EVERY_MS, measure } from './measure.ts'
import type { Row } from './rows.ts'
import type { Result } from './table.ts'

/**
 * Measures each way, a few at a time: more would disturb each other.
 *
 * @param options.measured called with each result as it comes
 * @param options.everyMs how long from one event to the next: a busy machine needs more time
 * @returns the results, in the order of the ways
 */
export async function measureAll(
  chosen: Row[],
  {
    measured = () => {},
    everyMs = EVERY_MS,
  }: { measured?: (result: Result) => void; everyMs?: number } = {},
): Promise<Result[]> {
  // Before anything is measured: a program that says its version takes the time of all others.
  const parts = new Set(chosen.flatMap(({ part }) => part ?? []))
  const seen = new Map([...parts].map((part) => [part, look(part)]))
  const results = new Map<Row, Result>()
  const waiting = [...chosen]
  const work = async (): Promise<void> => {
    for (let row = waiting.shift(); row; row = waiting.shift()) {
      const result = await measure(row, { seen: row.part && seen.get(row.part), everyMs })
      results.set(row, result)
      measured(result)
    }
  }
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, work))
  await closeBrowser()
  return chosen.map((row) => results.get(row)!)
}

const SIDE_BY_SIDE = 4
