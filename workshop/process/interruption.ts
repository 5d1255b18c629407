import process from 'node:process'
import { EXIT_CODES, onEndSignal } from './signals.ts'

/** Aborts `signal` at a Ctrl-C and the like. A second one does not wait for what is being put away. */
export function interruption(): { signal: AbortSignal; stopListening(): void } {
  const controller = new AbortController()
  const { signal } = controller
  const stopListening = onEndSignal((name) => {
    if (signal.aborted) process.exit(EXIT_CODES[name])
    controller.abort()
  })
  return { signal, stopListening }
}
