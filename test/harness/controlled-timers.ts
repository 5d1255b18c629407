import { clearTimeout } from 'node:timers'
import { delayOf, watchTimers } from './work-timers.ts'

/** The timers that the learner's files start for this check from now on, which the check can fire at any time. */
export type ControlledTimers = {
  /**
   * Fires the pending timers now, each interval once. Returns false if no timers are pending.
   *
   * @param ms fires only the timers with this delay
   */
  runPending(ms?: number): boolean
  stop(): void
}

/** Controls the timers that the learner's files start for this check. They also fire by themselves when their time comes. */
export function controlTimers(): ControlledTimers {
  const started = new Set<Timer>()
  const stop = watchTimers({ made: (_id, timer) => void started.add(timer) })
  return {
    runPending(ms) {
      for (const timer of started) if (!isPending(timer)) started.delete(timer)
      const due = [...started].filter((timer) => ms === undefined || delayOf(timer) === ms)
      // Look at each timer again, because a timer may clear another one.
      for (const timer of due) if (isPending(timer)) fire(timer)
      return due.length > 0
    },
    stop,
  }
}

/** A timer with its state, for which Node has no public API. */
type Timer = NodeJS.Timeout & {
  _onTimeout?: ((...args: unknown[]) => void) | null
  _timerArgs?: unknown[]
  _repeat?: number | null
  _idleStart?: number
  _destroyed?: boolean
}

/** Returns whether a timer has neither been cleared nor fired for the last time. */
function isPending({ _destroyed: isDestroyed }: Timer): boolean {
  return !isDestroyed
}

function fire(timer: Timer): void {
  const { _idleStart: start, _onTimeout: act, _timerArgs: args = [], _repeat: isInterval } = timer
  Object.assign(timer, { _idleStart: undefined })
  act?.apply(timer, args)
  // The callback may have called refresh(), which sets a new start.
  const { _idleStart: restart } = timer
  if (restart !== undefined) return
  if (isInterval) Object.assign(timer, { _idleStart: start })
  else clearTimeout(timer)
}
