import type { Report, Story } from '../../protocol/grading.ts'
import type { SpaceTime, SpaceTimeEvent } from '../../protocol/space-time.ts'
import { legible, shorten } from '../../wire/visible.ts'

/**
 * Returns the report that a check sent, or undefined if it is not a report. The learner's code runs in the same process
 * as the check, so the report may be anything, and may contain texts of the learner's code.
 */
export function reportIn(value: unknown): Report | undefined {
  if (!isObject(value) || !Array.isArray(value.steps)) return undefined
  const { note, story, notWritten } = value
  const picture = pictureIn(value.picture)
  return {
    steps: value.steps.slice(0, MOST_STEPS).map(textIn),
    ...(picture && { picture }),
    ...(note !== undefined && { note: textIn(note) }),
    ...(isObject(story) && { story: storyIn(story) }),
    ...(notWritten !== undefined && { notWritten: textIn(notWritten) }),
  }
}

function storyIn({ seen, expected, often, cause }: Record<string, unknown>): Story {
  return {
    seen: textIn(seen),
    expected: textIn(expected),
    ...(often !== undefined && { often: textIn(often) }),
    ...(cause !== undefined && { cause: textIn(cause) }),
  }
}

/** Returns the picture, or undefined if it is not a picture, because the steps say the same. */
function pictureIn(value: unknown): SpaceTime | undefined {
  if (!isObject(value)) return undefined
  if (!Array.isArray(value.parties) || !Array.isArray(value.events)) return undefined
  const parties = value.parties.slice(0, MOST_PARTIES).map(nameIn)
  const isParty = (name: unknown): boolean => name === undefined || parties.includes(nameIn(name))
  const events = value.events.slice(0, MOST_STEPS).map((event) => (isObject(event) ? event : {}))
  return events.every(({ at, to }) => isParty(at) && isParty(to))
    ? { parties, events: events.map(eventIn) }
    : undefined
}

function eventIn({ at, to, label, lost, held, isCall }: Record<string, unknown>): SpaceTimeEvent {
  return {
    ...(at !== undefined && { at: nameIn(at) }),
    // A message needs two lanes.
    ...(to !== undefined && nameIn(to) !== nameIn(at) && { to: nameIn(to) }),
    label: lineIn(label, LONGEST_LABEL),
    ...(lost === true && { lost }),
    ...(held === true && { held }),
    ...(isCall === true && { isCall }),
  }
}

/** Returns a name that fits above its lane. */
function nameIn(value: unknown): string {
  return lineIn(value, LONGEST_NAME)
}

function lineIn(value: unknown, longest: number): string {
  return shorten(textIn(value).replaceAll(/\s+/g, ' '), longest)
}

function textIn(value: unknown): string {
  return typeof value === 'string' ? legible(value.slice(0, LONGEST)) : '(not a text)'
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

// The checks of the lessons stay far below these limits.
const MOST_STEPS = 10_000
const MOST_PARTIES = 8
const LONGEST_NAME = 24
const LONGEST_LABEL = 200
const LONGEST = 100_000
