import type { Section, Size } from './section.ts'

/** The names of the benchmarks. Each of them is a folder. */
export const BENCHMARKS = ['ndjson', 'parser', 'fan-out', 'react'] as const

export type Benchmark = (typeof BENCHMARKS)[number]

/** Runs one benchmark in this process. */
export async function runBenchmark(name: Benchmark, size: Size): Promise<Section> {
  // The folders are compiled with different settings, because `react` is for a browser. So import none of them by name.
  const { href } = new URL(`./${name}/index.ts`, import.meta.url)
  const { run } = (await import(href)) as { run(size: Size): Promise<Section> }
  return run(size)
}
