import { clearTimeout } from 'node:timers'
import { delayOf, watchTimers } from './work-timers.ts'

export type FrozenTimers = {
  /** How many timers were frozen. */
  readonly frozen: number
  stop(): void
}

/**
 * Freezes the timers that the learner's files start for this check. Anything that still happens has not waited for a
 * timer, so the check does not have to measure time.
 */
export function freezeTimers(): FrozenTimers {
  let frozen = 0
  const stop = watchTimers({
    made(_id, timer) {
      if (isOneTurn(timer)) return
      frozen += 1
      // The timer starts after this callback. By the next microtask it has started, and no timer fires before that.
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

/** Returns whether a timer only yields to other work, like `setTimeout(act)`. */
function isOneTurn(timer: NodeJS.Timeout): boolean {
  return delayOf(timer) <= 1
}
