import { currentCheck } from './current-check.ts'
import { describeError, Failure } from './failure.ts'

/** The errors of a check that its script could not catch. */
export type UncaughtErrors = {
  /** Returns a failure for the first uncaught error, such as an error from a timer or from a promise that nothing awaits. */
  failure(): Failure | undefined
  /** Returns a failure for Node's warning about listeners that are added but never removed. */
  warning(): Failure | undefined
  /** Whether an error may belong to another check that was running at the same time. */
  readonly areShared: boolean
  stop(): void
}

type Recorder = { check: object | undefined; record(what: Trouble, isShared: boolean): void }
type Trouble = { error: unknown } | { warning: ListenerWarning }
type ListenerWarning = Error & { emitter?: object; type?: string | symbol }

/** Records the calling check's uncaught errors from now on. */
export function watchUncaughtErrors(): UncaughtErrors {
  const troubles: Trouble[] = []
  let areShared = false
  const recorder: Recorder = {
    check: currentCheck(),
    record(trouble, isShared) {
      troubles.push(trouble)
      if (isShared) areShared = true
    },
  }
  recorders.add(recorder)
  return {
    failure() {
      const first = troubles.find((trouble) => 'error' in trouble)
      return first && failureOf(first.error)
    },
    warning() {
      const first = troubles.find((trouble) => 'warning' in trouble)
      return first && failureOfWarning(first.warning)
    },
    get areShared() {
      return areShared
    },
    stop: () => void recorders.delete(recorder),
  }
}

function failureOf(error: unknown): Failure {
  const failure = new Failure({
    seen: `${describeError(error)} was thrown, but not caught.`,
    expected:
      'Expected your code to catch the error, because an uncaught error ends the process, and with it every connection.',
    often: 'your code does not await a promise that rejects, or one of its listeners throws.',
  })
  return thrownAt(failure, error)
}

function failureOfWarning(warning: ListenerWarning): Failure {
  const { emitter, type = '' } = warning
  const name = emitter?.constructor?.name ?? 'object'
  const failure = new Failure({
    seen: `Node printed MaxListenersExceededWarning: one ${name} has more than ten listeners for '${String(type)}'.`,
    expected: 'Expected each listener to be removed when it is no longer needed.',
    often:
      name === 'Socket'
        ? 'your code adds a listener to the connection for each request, but one connection can carry many requests.'
        : 'your code adds a listener each time it waits, and never removes it. once() from node:events removes its own listener.',
  })
  return thrownAt(failure, warning)
}

/** Gives a failure the stack of the thrown error, because the error was caught far from the code that threw it. */
function thrownAt(failure: Failure, error: unknown): Failure {
  if (error instanceof Error && error.stack) failure.stack = error.stack
  return failure
}

/** Marks an error that a check throws on purpose, so that the error never counts as a mistake in the learner's code. */
export function forgiveUncaught<T extends Error>(error: T): T {
  forgiven.add(error)
  return error
}

const forgiven = new WeakSet<object>()
const recorders = new Set<Recorder>()

/** Passes an error to the check in which it was thrown or, if that check is unknown, to every running check. */
function recordTrouble(trouble: Trouble): void {
  if ('error' in trouble && trouble.error instanceof Error && forgiven.has(trouble.error)) return
  const check = currentCheck()
  const own = [...recorders].find((recorder) => check && recorder.check === check)
  if (own) own.record(trouble, false)
  else for (const { record } of recorders) record(trouble, recorders.size > 1)
}

process.on('uncaughtException', (error) => recordTrouble({ error }))
process.on('unhandledRejection', (error) => recordTrouble({ error }))
process.on('warning', (warning) => {
  if (warning.name === 'MaxListenersExceededWarning') recordTrouble({ warning })
})
