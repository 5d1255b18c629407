import type { SpaceTimeEvent } from '../../protocol/space-time.ts'
import type { CheckResult } from '../../protocol/verdict.ts'

/** What to show of a check's picture and of the solution's picture of the same check. */
export type ShownPicture = {
  /** The lanes, from left to right. */
  parties: readonly string[]
  /** What happened before the two pictures differ. Everything, if there is no reference. */
  before: readonly SpaceTimeEvent[]
  /** What happened then with the learner's work. */
  yours: readonly SpaceTimeEvent[]
  /** What happened instead with the solution. */
  reference: readonly SpaceTimeEvent[]
}

/**
 * Returns the events to show, or undefined if the steps are clearer. Of a long picture, these are the events where the
 * two begin to differ and where the learner's picture ends. An event without a party says how many events are left out.
 */
export function shownPicture({
  picture: yours,
  referencePicture: reference,
}: Pick<CheckResult, 'picture' | 'referencePicture'>): ShownPicture | undefined {
  if (!yours) return undefined
  const parts = partsOf(yours.events, reference?.events)
  // Then only the steps show how the two differ, for example in the data of an event.
  if (reference && parts.yours.length === 0) return undefined
  const parties = speaking(
    [...new Set([...yours.parties, ...(reference?.parties ?? [])])],
    [...parts.before, ...parts.yours, ...parts.reference],
  )
  return parties.length < FEWEST ? undefined : { ...parts, parties }
}

/** Returns the parties that have a part in the events. */
export function speaking(
  parties: readonly string[],
  events: readonly SpaceTimeEvent[],
): readonly string[] {
  return parties.filter((party) => events.some(({ at, to }) => at === party || to === party))
}

function partsOf(
  events: readonly SpaceTimeEvent[],
  reference: readonly SpaceTimeEvent[] | undefined,
): Omit<ShownPicture, 'parties'> {
  if (!reference) return { before: lastOf(events, MOST), yours: [], reference: [] }
  const [mine, its] = whereTheyPart(events, reference)
  const rest = events.slice(mine)
  return {
    before: lastOf(events.slice(0, mine), MOST_BEFORE),
    yours: [...rest.slice(0, FIRST), ...lastOf(rest.slice(FIRST), MOST_AFTER - FIRST)],
    reference: firstOf(reference.slice(its), Math.min(MOST_AFTER, rest.length + 2)),
  }
}

/** The number of parties from which on a picture is clearer than a list of steps. */
const FEWEST = 3

/** The number of events of a picture to show, before and after it differs from the reference. */
const MOST = 12
const MOST_BEFORE = 4
const MOST_AFTER = MOST - MOST_BEFORE
/** The number of events after the difference that are always shown. */
const FIRST = 3

function lastOf(events: readonly SpaceTimeEvent[], most: number): SpaceTimeEvent[] {
  const leftOut = events.length - most
  return leftOut <= 1 ? [...events] : [{ label: `… ${leftOut} before` }, ...events.slice(leftOut)]
}

function firstOf(events: readonly SpaceTimeEvent[], most: number): SpaceTimeEvent[] {
  const leftOut = events.length - most
  return leftOut <= 1 ? [...events] : [...events.slice(0, most), { label: `… ${leftOut} more` }]
}

/**
 * Returns how many events of each picture come before the first difference. A call that differs counts only if it is
 * close to a step that differs, because correct code may make other calls than the solution.
 */
function whereTheyPart(
  yours: readonly SpaceTimeEvent[],
  reference: readonly SpaceTimeEvent[],
): [yours: number, reference: number] {
  const events = alike(yours, reference)
  const steps = alike(yours.filter(isStep), reference.filter(isStep)) - NEAR
  if (yours.slice(0, events).filter(isStep).length >= steps) return [events, events]
  return [afterSteps(yours, steps), afterSteps(reference, steps)]
}

/** The number of steps within which a call is close to another step. */
const NEAR = 2

function isStep({ isCall }: SpaceTimeEvent): boolean {
  return !isCall
}

/** Returns the number of events that are the same at the beginning of both lists. */
function alike(one: readonly SpaceTimeEvent[], other: readonly SpaceTimeEvent[]): number {
  const differs = one.findIndex((event, n) => !isSame(event, other[n]))
  return differs === -1 ? one.length : differs
}

function isSame(one: SpaceTimeEvent, other: SpaceTimeEvent | undefined): boolean {
  const parts = ['at', 'to', 'label', 'lost', 'held'] as const
  return parts.every((part) => one[part] === other?.[part])
}

/** Returns the number of events up to and including the given number of steps. */
function afterSteps(events: readonly SpaceTimeEvent[], steps: number): number {
  const places = events.flatMap((event, n) => (isStep(event) ? [n + 1] : []))
  return places[steps - 1]!
}
