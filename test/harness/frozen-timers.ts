import { clearTimeout } from 'node:timers'
import { delayOf, watchTimers } from './work-timers.ts'

export type FrozenTimers = {
  /** The number of timers that were frozen. */
  readonly frozen: number
  stop(): void
}

/**
 * Freezes the timers that the learner's files start for this check. Anything that still happens cannot depend on a timer,
 * so the check does not have to measure time.
 */
export function freezeTimers(): FrozenTimers {
  let frozen = 0
  const stop = watchTimers({
    made(_id, timer) {
      if (isOneTurn(timer)) return
      frozen += 1
      // Stop the timer in the next microtask, because it starts only after this callback, and no timer fires before a microtask.
      queueMicrotask(() => clearTimeout(timer))
    },
  })
  return {
    get frozen() {
      return frozen
    },
    stop,
  }
}

/** Returns whether a timer only lets other work run first, as `setTimeout(act)` does. */
function isOneTurn(timer: NodeJS.Timeout): boolean {
  return delayOf(timer) <= 1
}
