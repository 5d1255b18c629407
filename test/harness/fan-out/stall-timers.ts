import type { Tools } from '../check.ts'
import { delayOf, watchTimers } from '../work-timers.ts'

/** The timers of this check that end after `ms`. */
export type StallTimers = {
  /** Makes the timers that have not been cleared fire now. */
  fire(): void
}

/** Watches the timers that the learner's files start with a delay of `ms`, so that the check does not have to wait for them. */
export function stallTimers(t: Tools, ms: number): StallTimers {
  const started: Timer[] = []
  t.atEnd(watchTimers({ made: (_id, timer) => void started.push(timer) }))
  return {
    fire() {
      t.transcript.step(`${ms} milliseconds pass`)
      const due = started.filter((timer) => delayOf(timer) === ms)
      for (const { _onTimeout: fire } of due) fire?.()
    },
  }
}

/** A timer with its callback, for which Node has no public API. The callback is gone when the timer has been cleared. */
type Timer = NodeJS.Timeout & { _onTimeout?: (() => void) | null }
