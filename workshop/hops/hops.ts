import process from 'node:process'
import { exitRequest } from '../process/exit-request.ts'
import { interruption } from '../process/interruption.ts'
import type { HopsArgs } from './args.ts'
import { compareAddresses, type CompareOptions } from './compare-addresses.ts'
import type { Comparison } from './comparison.ts'
import { comparisonText } from './comparison-text.ts'
import { duration } from './format.ts'
import { reportOn, type ReportOptions } from './report-address.ts'
import { reportText } from './report-text.ts'

/**
 * `npm run wire DIRECT PUBLIC` finds the hop that delays a stream, and `npm run wire report URL` reports on one address.
 * Ctrl-C shows the result so far.
 *
 * @returns the exit code: 1 if there was no stream to judge
 */
export async function findHop(args: HopsArgs): Promise<number> {
  const { signal, stopListening } = interruption()
  try {
    tell(args, `Watching for up to ${duration(args.watch.ms)}. Ctrl-C shows the result so far.\n`)
    return await (args.public
      ? showComparison({ ...args, public: args.public, signal })
      : showReport({ ...args, signal }))
  } finally {
    stopListening()
  }
}

async function showComparison(options: HopsArgs & CompareOptions): Promise<number> {
  const comparison = await compareAddresses(options)
  show(options, comparison, () =>
    comparisonText(comparison, { width: width(), most: options.watch.events }),
  )
  if (options.isPage) await showPage(comparison, options)
  return comparison.verdict ? 0 : 1
}

/** Serves the page until Ctrl-C. */
async function showPage(comparison: Comparison, { watch }: HopsArgs): Promise<void> {
  // Load the page lazily, because most comparisons do without it.
  const { servePage } = await import('./page.ts')
  const page = await servePage(comparison, { most: watch.events })
  console.error(`\nThe page: http://127.0.0.1:${page.port}/ · Ctrl-C ends it`)
  await exitRequest().requested
  await page.close()
}

async function showReport(options: HopsArgs & ReportOptions): Promise<number> {
  const report = await reportOn(options)
  show(options, report, () => reportText(report, { width: width() }))
  return report.answer && !report.problem ? 0 : 1
}

function show({ isJson }: HopsArgs, result: object, text: () => string): void {
  console.log(isJson ? JSON.stringify(result, rounded, 2) : text())
}

/** Rounds a number to a tenth, because the clock is not worth more digits. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 10) / 10 : value
}

function width(): number {
  return Math.min(Math.max(process.stdout.columns ?? 80, 72), 120)
}

/** Says on standard error what happens, so that the JSON on standard output stays alone. */
function tell({ isJson }: HopsArgs, text: string): void {
  if (!isJson) console.error(text)
}
