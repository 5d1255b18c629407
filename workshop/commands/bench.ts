import { BENCHMARKS, type Benchmark } from '../../bench/benchmarks.ts'
import { refuse } from './refuse.ts'

/**
 * `npm run bench` measures the solutions beside the libraries that people would use in their place, and writes
 * `bench/RESULTS.md`. `npm run bench parser fan-out` runs only these benchmarks, and prints their results.
 */
export async function bench(args: string[]): Promise<number> {
  const names = args.filter((word) => word !== '')
  const unknown = names.find((name) => !BENCHMARKS.includes(name as Benchmark))
  if (unknown !== undefined) {
    return refuse(
      `There is no benchmark "${unknown}". The benchmarks are ${BENCHMARKS.join(', ')}. Without a name, npm run bench runs all of them.`,
    )
  }
  const { runBenchmarks } = await import('../../bench/run.ts')
  return runBenchmarks(names.length > 0 ? (names as Benchmark[]) : BENCHMARKS)
}
