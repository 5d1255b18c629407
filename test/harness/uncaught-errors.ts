import { describeError, Failure } from './failure.ts'

/** Errors that the work threw where nobody could catch them: in a timer, in a promise nobody awaits. */
export type UncaughtErrors = {
  /** The first one since the check began, as the failure that it is. */
  failure(): Failure | undefined
  /** Whether some came while other checks were played, too. Then nobody knows whose they are. */
  readonly areShared: boolean
  stop(): void
}

const recorders = new Set<(error: unknown) => void>()

export function watchUncaughtErrors(): UncaughtErrors {
  const errors: unknown[] = []
  let areShared = false
  const record = (error: unknown): void => {
    errors.push(error)
    if (recorders.size > 1) areShared = true
  }
  recorders.add(record)
  return {
    failure: () => (errors.length > 0 ? failureOf(errors[0]) : undefined),
    get areShared() {
      return areShared
    },
    stop: () => void recorders.delete(record),
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

/** What a check throws on purpose is no mistake of the work, wherever it comes up. */
export function forgiveUncaught<T extends Error>(error: T): T {
  forgiven.add(error)
  return error
}

const forgiven = new WeakSet<object>()

function recordEverywhere(error: unknown): void {
  if (error instanceof Error && forgiven.has(error)) return
  for (const hear of recorders) hear(error)
}

process.on('uncaughtException', recordEverywhere)
process.on('unhandledRejection', recordEverywhere)
