import { DAY } from './clock.ts'
import type { Plan } from './deck.ts'

/** Compares the clock with the plan of an agenda. */
export type Pacing = {
  /** The minutes by which the current slide is late, or early if negative. 0 while the slide is on time. */
  late: number
  /** The index of the slide that the plan would show now. */
  planned: number
}

/**
 * Says where an instructor is and should be.
 *
 * @param plans the times of all slides, in order
 * @param current the index of the current slide, which also decides which day it is
 * @param options.now the time of day in minutes
 * @param options.startsAt the time of day at which each day begins
 */
export function pacing(
  plans: Plan[],
  current: number,
  { now, startsAt }: { now: number; startsAt: number },
): Pacing {
  const { day, from, to } = plans[current]!
  const passed = sinceStart(now - startsAt)
  const first = plans.findIndex((plan) => plan.day === day)
  const planned = plans.findLastIndex((plan) => plan.day === day && plan.from <= passed)
  const late = passed < from ? passed - from : Math.max(0, passed - to)
  return { late: Math.trunc(late), planned: Math.max(first, planned) }
}

/** Returns a difference of two times of day, of which one may be after midnight. */
function sinceStart(minutes: number): number {
  const ofDay = ((minutes % DAY) + DAY) % DAY
  return ofDay > DAY - EARLIEST ? ofDay - DAY : ofDay
}

/** The number of minutes before the start for which the deck counts as early, and not as many hours late. */
const EARLIEST = 4 * 60
