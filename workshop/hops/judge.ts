import type { MeasuredVerdict } from '../../protocol/experiment.ts'
import { median } from './median.ts'

/** Everything that the judgement of one stream depends on. Times are in milliseconds on one clock. */
export type Evidence = {
  /** The heads of requests that were sent to both addresses at the same time. */
  heads: HeadEvidence[]
  /** The events, with the time when each arrived at the reference, and at the address to judge, if it has. */
  events: { written: number; arrived: number | undefined }[]
  /** The times at which any bytes arrived at the reference, because a comment can push an event along as well. */
  writes: number[]
  /** The times of the pieces that ended in the middle of an event at the address to judge. */
  splits: number[]
  /** The time when the response ended at the reference or at the address to judge, whichever was first. */
  ended: number | undefined
  /** The time when the watch ended. */
  until: number
  /** The milliseconds that the path itself may take. */
  pathMs: number
  /** By how many milliseconds the times at the reference may be wrong, because each client gets a stream of its own. */
  jitterMs: number
}

/** The arrivals of a head and of the first byte of the body, if they have arrived. */
export type HeadEvidence = {
  reference: { head: number; firstByte: number | undefined }
  judged: { head: number | undefined; firstByte: number | undefined }
}

/** A judgement with the counts on which it is based. */
export type Judgement = {
  verdict: MeasuredVerdict
  /** The number of late events, and of all events that had time to arrive. */
  late: number
  of: number
  /** The number of events that did not arrive at all, which also count as late. */
  missing: number
  /** The limit above which an event counts as late. */
  lateAboveMs: number
  /** The delays of the events that have arrived. */
  delays?: { least: number; median: number; most: number }
  /** What released the late events: a timer, the next event, or an event that filled a buffer. */
  releases: Record<Release, number>
}

type Release = 'timer' | 'next' | 'full' | 'end'

/**
 * Judges with the words of lesson 4. The experiment of lesson 4 knows when its own server writes, pauses and ends, so it
 * judges by order alone. Here the server is a stranger's and may be far away, so an event is late by the clock, and the
 * moment of its release says why. Returns undefined if there were no events to judge.
 */
export function judge(evidence: Evidence): Judgement | undefined {
  const { heads, until, ended, pathMs, jitterMs } = evidence
  const lateAboveMs = pathMs + jitterMs + TOLERANCE_MS
  // An event that was written a moment before the watch ended may still be on its way.
  const events = evidence.events.filter(
    ({ written, arrived }) => arrived !== undefined || until - written > lateAboveMs,
  )
  if (events.length === 0) return undefined
  const late = events.filter(({ written, arrived = Infinity }) => arrived - written > lateAboveMs)
  const releases = releasesOf(late)
  const delays = events.flatMap(({ written, arrived }) =>
    arrived === undefined ? [] : [arrived - written],
  )
  return {
    verdict: verdictOf(),
    late: late.length,
    of: events.length,
    missing: events.filter(({ arrived }) => arrived === undefined).length,
    lateAboveMs,
    ...(delays.length > 0 && {
      delays: { least: Math.min(...delays), median: median(delays), most: Math.max(...delays) },
    }),
    releases,
  }

  function verdictOf(): MeasuredVerdict {
    // A busy machine delays only some events, so more than half must be late.
    if (late.length <= events.length / 2)
      return isHeadHeld(heads, lateAboveMs) ? 'head waits' : 'passes'
    const { timer, next, full } = releases
    if (timer + next + full === 0) return 'holds'
    if (timer > next + full) return 'late'
    return next > full ? 'behind' : 'holds'
  }

  function releasesOf(delayed: Evidence['events']): Record<Release, number> {
    const counts: Record<Release, number> = { timer: 0, next: 0, full: 0, end: 0 }
    const times = delayed.flatMap(({ arrived }) => arrived ?? [])
    const slackMs = TOGETHER_MS + jitterMs
    for (const at of groupedTimes(times)) {
      const together = evidence.events.filter(
        ({ arrived }) => arrived !== undefined && Math.abs(arrived - at) < TOGETHER_MS,
      )
      const writes = groupedTimes(together.map(({ written }) => written))
      const last = Math.max(...together.map(({ written }) => written))
      const isJustBefore = (written: number): boolean =>
        at - written > -slackMs && at - written < travelMs() + slackMs
      const hasNext = evidence.writes.some((one) => one > last && isJustBefore(one))
      // A timer may go off just when an event is written. But a buffer is full in the middle of an event.
      const isSplit = evidence.splits.some((one) => Math.abs(one - at) < TOGETHER_MS)
      if (ended !== undefined && at > ended - TOGETHER_MS) counts.end += 1
      else if (hasNext && writes.length === 1) counts.next += 1
      else if ((hasNext || isJustBefore(last)) && isSplit) counts.full += 1
      else counts.timer += 1
    }
    return counts
  }

  /** Returns the milliseconds that the fastest event took, as far as the path explains them. */
  function travelMs(): number {
    const all = evidence.events.map(({ written, arrived = Infinity }) => arrived - written)
    return Math.max(0, Math.min(pathMs, ...all))
  }
}

/**
 * Returns whether the head waits for the body: when the head and the first byte were apart at the reference, they arrived
 * together. A hop that needs time for its first connection delays the head as well, but only once.
 */
export function isHeadHeld(heads: HeadEvidence[], lateAboveMs: number): boolean {
  const telling = heads.filter(({ reference }) => isApart(reference))
  const apart = telling.filter(({ judged }) => isApart(judged))
  // A busy machine can separate two parts of one arrival.
  if (telling.length === 0 || apart.length > telling.length / 5) return false
  const isLate = telling.some(
    ({ reference, judged }) => (judged.head ?? Infinity) - reference.head > lateAboveMs,
  )
  return isLate || telling.length > 2
}

/** Returns whether the head arrived before the first byte of the body. */
export function isApart({ head, firstByte = Infinity }: HeadEvidence['judged']): boolean {
  return head !== undefined && firstByte - head > TOGETHER_MS
}

/** Returns one time for each group of times that are close together. */
function groupedTimes(times: number[]): number[] {
  const sorted = [...times].sort((a, b) => a - b)
  return sorted.filter((at, n) => n === 0 || at - sorted[n - 1]! >= TOGETHER_MS)
}

/** The delay that a busy machine may cause. */
const TOLERANCE_MS = 25

/** Bytes that arrive within this time were released by the same cause. */
const TOGETHER_MS = 8
