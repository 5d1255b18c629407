import { describeError, Failure } from './failure.ts'

/** Errors that the work threw where nobody could catch them: in a timer, in a promise nobody awaits. */
export type Strays = {
  /** The first one since the check began, as the failure that it is. */
  failure(): Failure | undefined
  stop(): void
}

const listening = new Set<unknown[]>()

export function strayErrors(): Strays {
  const errors: unknown[] = []
  listening.add(errors)
  return {
    failure: () => (errors.length > 0 ? failureOf(errors[0]) : undefined),
    stop: () => void listening.delete(errors),
  }
}

function failureOf(error: unknown): Failure {
  const failure = new Failure({
    seen: `${describeError(error)} was thrown, and nobody caught it.`,
    expected: 'Expected it to be caught: it ends the whole process, with every client.',
    often: 'a promise that nobody awaits, or a listener that throws.',
  })
  // Where it was thrown, not where it was noticed.
  if (error instanceof Error && error.stack) failure.stack = error.stack
  return failure
}

function note(error: unknown): void {
  for (const errors of listening) errors.push(error)
}

process.on('uncaughtException', note)
process.on('unhandledRejection', note)
