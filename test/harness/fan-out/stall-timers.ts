import type { Tools } from '../check.ts'

/** The timers of this check that end after `ms`. */
export type StallTimers = {
  /** Makes the timers that have not been cleared fire now. */
  fire(): void
}

/** Controls the timers that the learner's files start with a delay of `ms`, so that the check does not have to wait for them. */
export function stallTimers(t: Tools, ms: number): StallTimers {
  const timers = t.controlTimers()
  return {
    fire() {
      t.transcript.step(`${ms} milliseconds pass`)
      timers.runPending(ms)
    },
  }
}
