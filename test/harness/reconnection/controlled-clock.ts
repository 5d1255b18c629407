import type { Clock } from '#work/05-reconnection/client.ts'
import type { Transcript } from '../transcript.ts'

/** A clock that stands until the check moves it on. */
export type ControlledClock = Clock & {
  /** Lets so many milliseconds pass, and wakes whoever has slept long enough. */
  advance(ms: number): void
  /** In how many milliseconds the next sleeper wakes; undefined when nobody sleeps. */
  readonly nextDueMs: number | undefined
  /** How many sleep. */
  readonly sleeperCount: number
  /** How often somebody went to sleep. */
  readonly sleepCount: number
}

export function controlledClock(transcript: Transcript): ControlledClock {
  let now = Date.UTC(2026, 10, 22)
  let sleeps = 0
  const sleepers = new Set<{ due: number; wake(): void }>()
  return {
    now: () => now,
    sleep(ms, signal) {
      sleeps += 1
      return new Promise((resolve) => {
        const sleeper = {
          due: now + ms,
          wake() {
            sleepers.delete(sleeper)
            signal.removeEventListener('abort', sleeper.wake)
            resolve()
          },
        }
        sleepers.add(sleeper)
        signal.addEventListener('abort', sleeper.wake)
        if (signal.aborted) sleeper.wake()
      })
    },
    advance(ms) {
      transcript.step(`${ms.toLocaleString('en')} ms pass`)
      now += ms
      const due = [...sleepers].filter((sleeper) => sleeper.due <= now)
      for (const { wake } of due.toSorted((a, b) => a.due - b.due)) wake()
    },
    get nextDueMs() {
      if (sleepers.size === 0) return undefined
      return Math.min(...[...sleepers].map(({ due }) => due)) - now
    },
    get sleeperCount() {
      return sleepers.size
    },
    get sleepCount() {
      return sleeps
    },
  }
}

/** A clock for checks that have nothing to do with time: short sleeps are over at once, a watchdog's never. */
export const instantClock: Clock = {
  now: Date.now,
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (ms < WATCHDOG_MS || signal.aborted) setImmediate(resolve)
      else signal.addEventListener('abort', () => resolve(), { once: true })
    }),
}

/** What a watchdog sleeps, where it is not the matter: longer than any wait. */
export const WATCHDOG_MS = 1e9
