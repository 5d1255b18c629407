import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { runChild } from './process/run-child.ts'
import { ROOT } from './root.ts'

export type Counts = { passed: number; failed: number; skipped: number }

type Print = (text: Buffer) => void

/** Runs `test/browser/*.spec.ts`, and prints each test as it ends. */
export function browserTests(print: Print): Promise<Counts> {
  return playwright(['test'], print)
}

/** Counts them as skipped, and prints which they are: there is no browser. */
export function skippedBrowserTests(print: Print): Promise<Counts> {
  return playwright(['test', '--list'], print)
}

async function playwright(args: string[], print: Print): Promise<Counts> {
  // Playwright clears this folder when it starts.
  const file = join(ROOT, '.workshop', 'browser-tests', `report-${process.pid}.json`)
  const cli = join('node_modules', '@playwright', 'test', 'cli.js')
  const env = { PLAYWRIGHT_JSON_OUTPUT_FILE: file }
  const isFine = await runChild(
    process.execPath,
    [cli, ...args, '--reporter=list,json'],
    env,
    print,
  )
  const { stats, errors } = read(file)
  rmSync(file, { force: true })
  // A spec that cannot be loaded has no tests that could fail: it is among the errors.
  const failed = stats.unexpected + errors.length
  return {
    passed: stats.expected,
    failed: failed === 0 && !isFine ? 1 : failed,
    // Those that are only listed are among them.
    skipped: stats.skipped,
  }
}

/** What is counted here of Playwright's report. */
type Report = {
  stats: { expected: number; unexpected: number; skipped: number }
  errors: unknown[]
}

function read(file: string): Report {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Report
  } catch {
    // It ended before it could write one.
    return { stats: { expected: 0, unexpected: 0, skipped: 0 }, errors: [] }
  }
}
