import process from 'node:process'
import { EXIT_CODES, onEndSignal } from './signals.ts'

/** Aborts `signal` on Ctrl-C and similar signals. A second Ctrl-C ends the process without waiting for any cleanup. */
export function interruption(): { signal: AbortSignal; stopListening(): void } {
  const controller = new AbortController()
  const { signal } = controller
  const stopListening = onEndSignal((name) => {
    if (signal.aborted) process.exit(EXIT_CODES[name])
    controller.abort()
  })
  return { signal, stopListening }
}
