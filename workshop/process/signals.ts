import process from 'node:process'

/** The signals that ask a process to end, and the exit codes that shells report for them. */
export const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

type EndSignal = keyof typeof EXIT_CODES

/**
 * Calls `heard` on each of these signals. While it listens, the signals do not end this process by themselves.
 *
 * @returns a function that stops listening
 */
export function onEndSignal(heard: (signal: EndSignal) => void): () => void {
  const signals = Object.keys(EXIT_CODES) as EndSignal[]
  for (const signal of signals) process.on(signal, heard)
  return () => {
    for (const signal of signals) process.off(signal, heard)
  }
}
