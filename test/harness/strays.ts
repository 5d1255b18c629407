import { describeError, Failure } from './failure.ts'

/** Errors that the work threw where nobody could catch them: in a timer, in a promise nobody awaits. */
export type Strays = {
  /** The first one since the check began, as the failure that it is. */
  failure(): Failure | undefined
  /** Whether some came while other checks were played, too. Then nobody knows whose they are. */
  readonly areShared: boolean
  stop(): void
}

const listening = new Set<(error: unknown) => void>()

export function strayErrors(): Strays {
  const errors: unknown[] = []
  let areShared = false
  const hear = (error: unknown): void => {
    errors.push(error)
    if (listening.size > 1) areShared = true
  }
  listening.add(hear)
  return {
    failure: () => (errors.length > 0 ? failureOf(errors[0]) : undefined),
    get areShared() {
      return areShared
    },
    stop: () => void listening.delete(hear),
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
  for (const hear of listening) hear(error)
}

process.on('uncaughtException', note)
process.on('unhandledRejection', note)
