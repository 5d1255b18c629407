import type { Report, Story } from '../../protocol/grading.ts'
import { legible } from '../../wire/visible.ts'

/**
 * Returns the report that a check sent, or undefined if it is not a report. The learner's code runs in the same process
 * as the check, so the report may be anything, and may contain texts of the learner's code.
 */
export function reportIn(value: unknown): Report | undefined {
  if (!isObject(value) || !Array.isArray(value.steps)) return undefined
  const { note, story, notWritten } = value
  return {
    steps: value.steps.slice(0, MOST_STEPS).map(textIn),
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

function textIn(value: unknown): string {
  return typeof value === 'string' ? legible(value.slice(0, LONGEST)) : '(not a text)'
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

// The checks of the lessons stay far below these limits.
const MOST_STEPS = 10_000
const LONGEST = 100_000
