import process from 'node:process'
import { EXIT_CODES, onEndSignal } from './signals.ts'

/** A request for a command to exit, made by a signal or a key. */
export type ExitRequest = {
  /** Resolves with the exit code. */
  readonly requested: Promise<number>
  request(code: number): void
}

/** Listens for a request to exit. The first signal is such a request; a second signal ends the process immediately. */
export function exitRequest(): ExitRequest {
  let request = (_code: number): void => {}
  const requested = new Promise<number>((resolve) => {
    request = resolve
  })
  let isRequested = false
  onEndSignal((signal) => {
    if (isRequested) process.exit(EXIT_CODES[signal])
    isRequested = true
    request(EXIT_CODES[signal])
  })
  return { requested, request }
}
