import { isCalledByWork } from './work-timers.ts'

/** The timers that the learner's code starts from now on, which the check can fire at any time. */
export type ControlledTimers = {
  /** Fires all pending timers now, each interval once. Returns false if no timers are pending. */
  runPending(): boolean
  stop(): void
}

type Globals = Pick<
  typeof globalThis,
  'setTimeout' | 'clearTimeout' | 'setInterval' | 'clearInterval'
>

/**
 * Replaces the timer functions. Only one page may be open, because a timer does not say which page it belongs to.
 *
 * @param targets the objects from which the learner's code takes `setTimeout()` and the other timer functions
 */
export function controlTimers(targets: Globals[]): ControlledTimers {
  const before = targets.map(timerFunctions)
  const real = timerFunctions(globalThis)
  const waiting = new Map<number, () => void>()

  const start = (begin: Start, isOnce: boolean): Start => {
    return (act, ms, ...args) => {
      const run = (): void => {
        if (isOnce) stop(id)
        act(...args)
      }
      const timer = begin(run, ms)
      const id = Number(timer)
      if (isCalledByWork()) waiting.set(id, run)
      return timer
    }
  }
  /** Accepts what browsers accept: a timer, its number, or nothing. */
  const stop = (timer?: unknown): void => {
    waiting.delete(Number(timer))
    real.clearTimeout(timer as number)
  }
  const ours = {
    setTimeout: start(real.setTimeout as Start, true),
    setInterval: start(real.setInterval as Start, false),
    clearTimeout: stop,
    clearInterval: stop,
  }
  for (const place of targets) Object.assign(place, ours)
  return {
    runPending() {
      const ids = [...waiting.keys()]
      // Look each timer up again, because a timer may clear another one.
      for (const id of ids) waiting.get(id)?.()
      return ids.length > 0
    },
    stop() {
      for (const [n, place] of targets.entries()) Object.assign(place, before[n])
    },
  }
}

type Start = (act: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) => NodeJS.Timeout

function timerFunctions({
  setTimeout,
  clearTimeout,
  setInterval,
  clearInterval,
}: Globals): Globals {
  return { setTimeout, clearTimeout, setInterval, clearInterval }
}
