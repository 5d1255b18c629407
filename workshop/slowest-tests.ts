/** A test that ran, and its duration. */
export type TimedTest = { name: string; ms: number }

/** Lists the slowest tests, one per line, the slowest first. */
export function slowestTests(tests: readonly TimedTest[]): string {
  const slowest = tests.toSorted((a, b) => b.ms - a.ms).slice(0, MOST)
  return slowest.map(({ name, ms }) => `${inSeconds(ms).padStart(7)} s  ${name}`).join('\n')
}

function inSeconds(ms: number): string {
  return (ms / 1000).toFixed(1)
}

const MOST = 10
