import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Feed, Quake } from './quake.ts'

/** A feed that replays a recording. */
export type Replay = Feed & {
  /** The number of readers that have the feed open. */
  readonly readers: number
  /**
   * The time when the replay started, in milliseconds. Each burst moves this time back. Undefined before the first
   * reader.
   */
  readonly startedAt: number | undefined
  /** Makes the next `count` earthquakes happen now, all at once. */
  burst(count: number): void
}

/**
 * Returns a feed that replays `quakes` (in order of `time`) as if they were happening now.
 *
 * The replay starts when its first reader opens it, and continues even without readers. A new reader begins at the
 * present moment. If a reader falls behind, it gets the quakes that it missed as fast as it asks for them.
 *
 * @param options.speed the factor by which the replay is faster than reality; `Infinity` does not wait at all
 * @param options.loop whether to start over at the end, with new IDs and times
 * @param options.now returns the time in milliseconds
 * @param options.since the time, in milliseconds, at which an earlier replay started, if this replay continues it. Each
 *   reader first gets all quakes since then, without waiting.
 */
export function replay(
  quakes: Quake[],
  {
    speed = 1,
    loop = false,
    now = Date.now,
    since,
  }: { speed?: number; loop?: boolean; now?: () => number; since?: number } = {},
): Replay {
  let startedAt = since
  const firstAt = Date.parse(quakes[0]?.time ?? '')
  const lapMs = Date.parse(quakes.at(-1)?.time ?? '') - firstAt + MEAN_GAP_MS
  let readers = 0
  /** One controller for each reader that is waiting for the next earthquake. */
  const waiting = new Set<AbortController>()

  async function* read(signal: AbortSignal): AsyncGenerator<Quake> {
    readers += 1
    startedAt ??= now()
    try {
      for (let n = firstNotYetDue(); !signal.aborted; n += 1) {
        const quake = quakeNumber(n)
        if (!quake) return
        await untilDue(n, signal)
        if (!signal.aborted) yield quake
      }
    } finally {
      readers -= 1
    }
  }

  /** Returns the n-th earthquake since the replay started, or undefined after the last earthquake. */
  function quakeNumber(n: number): Quake | undefined {
    const lap = Math.floor(n / quakes.length)
    const quake = quakes[n % quakes.length]
    if (!quake || (lap > 0 && !loop)) return undefined
    if (lap === 0) return quake
    const time = new Date(Date.parse(quake.time) + lap * lapMs).toISOString()
    return { ...quake, id: `${quake.id}-${lap + 1}`, time }
  }

  /** Returns the milliseconds until the n-th earthquake happens. The result is negative if it has already happened. */
  function dueIn(n: number): number {
    const quake = quakeNumber(n)
    if (!quake) return Infinity
    return startedAt! + (Date.parse(quake.time) - firstAt) / speed - now()
  }

  async function untilDue(n: number, signal: AbortSignal): Promise<void> {
    for (let ms = dueIn(n); ms > 0 && !signal.aborted; ms = dueIn(n)) {
      const hurry = new AbortController()
      const wake = (): void => hurry.abort()
      signal.addEventListener('abort', wake, { once: true })
      waiting.add(hurry)
      // Ignore the error, which only means that the reader was woken up early.
      await sleep(ms, undefined, { signal: hurry.signal }).catch(() => {})
      waiting.delete(hurry)
      signal.removeEventListener('abort', wake)
    }
  }

  function firstNotYetDue(): number {
    if (speed === Infinity || since !== undefined) return 0
    let n = 0
    while (dueIn(n) < 0) n += 1
    return n
  }

  return {
    open(signal) {
      // A generator finishes its pending next() before it obeys return(), so leaving the loop has to end the wait. (Do
      // not use AbortSignal.any(), because on Node 20 its result may be garbage-collected, and then the abort is lost.)
      const left = new AbortController()
      const leave = (): void => left.abort()
      if (signal.aborted) leave()
      signal.addEventListener('abort', leave, { once: true })
      const iteration = read(left.signal)
      return {
        [Symbol.asyncIterator]: () => ({
          next: () => iteration.next(),
          return() {
            leave()
            signal.removeEventListener('abort', leave)
            return iteration.return(undefined)
          },
        }),
      }
    },
    get readers() {
      return readers
    },
    get startedAt() {
      return startedAt
    },
    burst(count) {
      if (startedAt === undefined || speed === Infinity) return
      let last = firstNotYetDue()
      while (dueIn(last) <= 0) last += 1
      const ms = dueIn(last + count - 1)
      if (ms < Infinity) startedAt -= ms
      for (const hurry of waiting) hurry.abort()
    },
  }
}

/** Returns the recording that comes with the workshop: one week, 1,707 earthquakes, 12 networks. */
export function recordedQuakes(): Quake[] {
  const file = new URL('../data/quakes.ndjson', import.meta.url)
  return readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Quake)
}

/** The pause before the recording starts over. It equals the mean pause between two earthquakes of that week. */
const MEAN_GAP_MS = 332_000
