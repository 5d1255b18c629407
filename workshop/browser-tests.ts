import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import type { JSONReport, JSONReportSuite } from '@playwright/test/reporter'
import { runChild } from './process/run-child.ts'
import type { Phase } from './phases.ts'
import { ROOT } from './root.ts'
import type { TimedTest } from './slowest-tests.ts'

/** The counts of a test run, with the duration of each test and the phases of the run. */
export type Results = {
  passed: number
  failed: number
  skipped: number
  timed: TimedTest[]
  phases: Phase[]
}

type Print = (text: Buffer) => void

/** Runs `test/browser/*.spec.ts` and prints each test as it finishes. */
export function browserTests(print: Print): Promise<Results> {
  return playwright(['test'], print)
}

/** Lists the browser tests and counts them as skipped, because there is no browser. */
export function skippedBrowserTests(print: Print): Promise<Results> {
  return playwright(['test', '--list'], print)
}

async function playwright(args: string[], print: Print): Promise<Results> {
  // Playwright clears this folder when it starts.
  const file = join(ROOT, '.workshop', 'browser-tests', `report-${process.pid}.json`)
  const cpuFile = join(ROOT, '.workshop', 'browser-tests', `cpu-${process.pid}.json`)
  const cli = join('node_modules', '@playwright', 'test', 'cli.js')
  const env = { PLAYWRIGHT_JSON_OUTPUT_FILE: file, CPU_OUTPUT_FILE: cpuFile }
  const isFine = await runChild(
    process.execPath,
    [cli, ...args, `--reporter=list,json,${CPU_REPORTER}`],
    env,
    print,
  )
  const { stats, errors, suites } = read<Report>(file) ?? EMPTY
  const seconds = read<number>(cpuFile)
  // A spec that cannot be loaded has no tests that could fail, so count its error as a failure.
  const failed = stats.unexpected + errors.length
  return {
    passed: stats.expected,
    failed: failed === 0 && !isFine ? 1 : failed,
    // If Playwright only lists a test, it counts the test as skipped.
    skipped: stats.skipped,
    timed: suites.flatMap(timedIn),
    phases: seconds === undefined ? [] : [{ name: 'tests in a browser', seconds }],
  }
}

function timedIn({ specs, suites = [] }: JSONReportSuite): TimedTest[] {
  const own = specs.flatMap(({ file, title, tests }) =>
    tests
      .flatMap(({ results }) => results)
      .filter(({ status }) => status !== 'skipped')
      .map(({ duration }) => ({ name: `test/browser/${file}: ${title}`, ms: duration })),
  )
  return [...own, ...suites.flatMap(timedIn)]
}

/** The part of Playwright's report that this file reads. */
type Report = Pick<JSONReport, 'errors' | 'suites'> & {
  stats: Pick<JSONReport['stats'], 'expected' | 'unexpected' | 'skipped'>
}

/** What there is if Playwright exited before it wrote a report. */
const EMPTY: Report = {
  stats: { expected: 0, unexpected: 0, skipped: 0 },
  errors: [],
  suites: [],
}

/** Reads and removes a file. Returns undefined if there is none, or if it contains no value. */
function read<T>(file: string): T | undefined {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as T | null) ?? undefined
  } catch {
    return undefined
  } finally {
    rmSync(file, { force: true })
  }
}

const CPU_REPORTER = join(ROOT, 'workshop', 'cpu-of-browser-tests.ts')
