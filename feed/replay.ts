import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Feed, Quake } from './quake.ts'

/** A feed that replays a recording, and says how many readers have it open. */
export type Replay = Feed & {
  readonly readers: number
  /** When it began, in milliseconds; earlier with each burst. Absent until it has. */
  readonly startedAt: number | undefined
  /** Lets the next `count` earthquakes happen now, all at once. */
  burst(count: number): void
}

/**
 * Replays `quakes` (in order of `time`) as if they happened now.
 *
 * The replay starts with its first reader and goes on whether or not anybody reads. A reader joins at the
 * present moment; one that falls behind gets what it missed as fast as it asks for it.
 *
 * @param options.speed how many times faster than they happened; `Infinity` does not wait at all
 * @param options.loop start again at the end, with fresh ids and times
 * @param options.now the time in milliseconds
 * @param options.since when another one like it began, in milliseconds: this one goes on with it, and each reader
 *   gets first, all at once, what has happened since then
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
  /** Of each reader that waits for the next earthquake. */
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

  /** The n-th earthquake since the replay started; undefined after the last. */
  function quakeNumber(n: number): Quake | undefined {
    const lap = Math.floor(n / quakes.length)
    const quake = quakes[n % quakes.length]
    if (!quake || (lap > 0 && !loop)) return undefined
    if (lap === 0) return quake
    const time = new Date(Date.parse(quake.time) + lap * lapMs).toISOString()
    return { ...quake, id: `${quake.id}-${lap + 1}`, time }
  }

  /** Milliseconds from now until the n-th earthquake happens; negative when it has happened. */
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
      // Waking ends the wait; it is not an error.
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
      // A generator finishes its pending next() before it looks at return(): leaving has to end the wait.
      // (Not AbortSignal.any(): on Node 20 nothing keeps what it returns alive, and the abort gets lost.)
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

/** The recording that comes with the workshop: one week, 1,707 earthquakes, 12 networks. */
export function recordedQuakes(): Quake[] {
  const file = new URL('../data/quakes.ndjson', import.meta.url)
  return readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Quake)
}

/** The pause before a loop starts again: as long as the mean pause between two earthquakes of the week. */
const MEAN_GAP_MS = 332_000
