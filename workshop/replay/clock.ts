import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'

/** A clock for a replay. Times are in milliseconds. */
export type Clock = {
  now(): number
  /** Resolves after some time. Rejects when the signal aborts. */
  wait(ms: number, signal: AbortSignal): Promise<void>
}

export const realClock: Clock = {
  now: () => performance.now(),
  wait: (ms, signal) => sleep(ms, undefined, { signal }),
}

/** A clock that never waits. */
export const fastClock: Clock = {
  now: () => 0,
  wait: async (_ms, signal) => signal.throwIfAborted(),
}
