import type { Transcript } from '../transcript.ts'

/** The clock that a client gets in the lessons about reconnecting. */
type Clock = { now(): number; sleep(ms: number, signal: AbortSignal): Promise<void> }

/** A clock that stands still until the check advances it. */
export class ControlledClock implements Clock {
  /** The number of calls to `sleep()`. */
  sleepCount = 0
  /** The number of calls to `now()` and `sleep()`. A client that reacts to a byte makes such a call. */
  useCount = 0
  readonly #transcript: Transcript
  readonly #sleepers = new Set<{ due: number; wake(): void }>()
  #now = Date.UTC(2026, 10, 22)

  constructor(transcript: Transcript) {
    this.#transcript = transcript
  }

  // Use arrow functions, because the learner's code may destructure the clock.
  now = (): number => {
    this.useCount += 1
    return this.#now
  }

  sleep = (ms: number, signal: AbortSignal): Promise<void> => {
    this.sleepCount += 1
    this.useCount += 1
    return new Promise((resolve) => {
      const sleeper = {
        due: this.#now + ms,
        wake: () => {
          this.#sleepers.delete(sleeper)
          signal.removeEventListener('abort', sleeper.wake)
          resolve()
        },
      }
      this.#sleepers.add(sleeper)
      signal.addEventListener('abort', sleeper.wake)
      if (signal.aborted) sleeper.wake()
    })
  }

  /** Advances the clock by `ms` milliseconds, and wakes the sleepers that are due. */
  advance(ms: number): void {
    this.#transcript.step(`${ms.toLocaleString('en')} ms pass`)
    this.#now += ms
    const due = [...this.#sleepers].filter((sleeper) => sleeper.due <= this.#now)
    for (const { wake } of due.toSorted((a, b) => a.due - b.due)) wake()
  }

  /** The number of milliseconds until the next sleeper wakes. Undefined if there is no sleeper. */
  get nextDueMs(): number | undefined {
    if (this.#sleepers.size === 0) return undefined
    return Math.min(...[...this.#sleepers].map(({ due }) => due)) - this.#now
  }

  /** The number of sleepers. */
  get sleeperCount(): number {
    return this.#sleepers.size
  }
}

/** A clock for checks that do not test time. Short sleeps end immediately, but a watchdog's sleep never ends. */
export const instantClock: Clock = {
  now: Date.now,
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (ms < WATCHDOG_MS || signal.aborted) setImmediate(resolve)
      else signal.addEventListener('abort', () => resolve(), { once: true })
    }),
}

/** The stallMs for checks that do not test the watchdog, which is longer than any wait. */
export const WATCHDOG_MS = 1e9
