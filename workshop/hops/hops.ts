import process from 'node:process'
import { interruption } from '../process/interruption.ts'
import type { HopsArgs } from './args.ts'
import { compareAddresses } from './compare-addresses.ts'
import { comparisonText } from './comparison-text.ts'

/**
 * `npm run wire DIRECT PUBLIC` finds the hop that delays a stream, and `npm run wire report URL` reports on one address.
 * Ctrl-C shows the result so far.
 *
 * @returns the exit code: 1 if there was no stream to judge
 */
export async function findHop(args: HopsArgs): Promise<number> {
  const { signal, stopListening } = interruption()
  const width = Math.min(Math.max(process.stdout.columns ?? 80, 72), 120)
  try {
    const { public: away } = args
    if (!away) return 2
    tell(
      args,
      `Watching both addresses for up to ${args.watch.ms / 1000} s. Ctrl-C ends the watch.\n`,
    )
    const comparison = await compareAddresses({ ...args, public: away, signal })
    console.log(
      args.isJson
        ? JSON.stringify(comparison, undefined, 2)
        : comparisonText(comparison, { width, most: args.watch.events }),
    )
    return comparison.verdict ? 0 : 1
  } finally {
    stopListening()
  }
}

/** Says on standard error what happens, so that the JSON on standard output stays alone. */
function tell({ isJson }: HopsArgs, text: string): void {
  if (!isJson) console.error(text)
}
