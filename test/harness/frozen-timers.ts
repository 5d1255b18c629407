import { clearTimeout } from 'node:timers'
import { watchTimers } from './work-timers.ts'

export type FrozenTimers = {
  /** How many were started. */
  readonly frozen: number
  stop(): void
}

/**
 * Timers that the learner's files start for this check never go off: what comes all the same has not waited for
 * one. So nobody has to measure how long it took.
 */
export function freezeTimers(): FrozenTimers {
  let frozen = 0
  const stop = watchTimers({
    made(_id, timer) {
      if (isOneTurn(timer)) return
      frozen += 1
      // It has not started yet. It has in the next microtask, and no timer goes off before that.
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

/** `setTimeout(act)` is a way to let others go first, and waits for nothing. */
function isOneTurn(timer: NodeJS.Timeout & { _idleTimeout?: number }): boolean {
  // No other name for it: how long a timer takes is nobody's business but Node's.
  const { _idleTimeout: ms } = timer
  return ms !== undefined && ms <= 1
}
