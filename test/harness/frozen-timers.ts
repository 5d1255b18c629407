import { clearTimeout } from 'node:timers'
import { delayOf, watchTimers } from './work-timers.ts'

export type FrozenTimers = {
  /** The number of timers that were frozen. */
  readonly frozen: number
  stop(): void
}

/**
 * For the duration of this check, freezes the timers that the learner's files start. Anything that still happens cannot
 * depend on a timer, so the check does not have to measure time.
 */
export function freezeTimers(): FrozenTimers {
  let frozen = 0
  const stop = watchTimers({
    made(_id, timer) {
      if (isOneTurn(timer)) return
      frozen += 1
      // Clear the timer in a microtask, because the timer starts only after this callback. A microtask runs before any
      // timer fires.
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

/** Returns whether a timer only lets other work run first, as `setTimeout(act)` without a delay does. */
function isOneTurn(timer: NodeJS.Timeout): boolean {
  return delayOf(timer) <= 1
}
