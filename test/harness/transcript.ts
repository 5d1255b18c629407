import { shorten, visible } from '../../wire/visible.ts'
import type { SpaceTimeEvent } from '../../protocol/space-time.ts'
import { newPicture, type Drawing } from './picture.ts'
import { noteProgress } from './signs-of-life.ts'

/** The numbered steps of one check, which are its actions and observations, and the picture of these steps. */
export type Transcript = Drawing & {
  readonly steps: readonly string[]
  /** @param drawn the step in the picture, if it belongs to a party; `already` if `draw()` has drawn it */
  step(text: string, drawn?: SpaceTimeEvent | 'already'): void
  /** Adds the steps and the picture of another transcript. */
  append(other: Transcript): void
  /** Says which part a passing check could not grade, and why. */
  note?: string
}

export function newTranscript(): Transcript {
  const steps: string[] = []
  const { addStep, ...drawing } = newPicture()
  return {
    ...drawing,
    steps,
    step(text, drawn) {
      noteProgress()
      steps.push(text)
      addStep(text, drawn)
    },
    append(other) {
      steps.push(...other.steps)
      const { parties, events } = other.picture() ?? { parties: [], events: [] }
      drawing.parties(...parties)
      for (const event of events) addStep(event.label, event)
    },
  }
}

/** A transcript that discards all steps, for clients that are not part of the check's story. */
export const SILENT: Transcript = {
  steps: [],
  step() {},
  append() {},
  parties() {},
  draw() {},
  picture: () => undefined,
}

/** Formats bytes or text for a message, with visible control characters and at most `width` characters. */
export function excerpt(value: Uint8Array | string, width = 60): string {
  return shorten(visible(ends(value, width * MAX_BYTES)), width)
}

/** Formats any value as JSON, with visible control characters and at most `width` characters. */
export function excerptJson(value: unknown, width?: number): string {
  return excerpt(JSON.stringify(value) ?? 'undefined', width)
}

/** Returns excerpts from two long texts. Both excerpts begin just before the first difference. */
export function differingExcerpts(one: string, other: string): [string, string] {
  let at = 0
  while (at < one.length && one[at] === other[at]) at += 1
  const from = at < 40 ? 0 : at - 16
  const rest = (text: string): string => `${from > 0 ? '… ' : ''}${excerpt(text.slice(from))}`
  return [rest(one), rest(other)]
}

/** Keeps only the two ends of a long value, because the middle is never shown and would be slow to format. */
function ends(value: Uint8Array | string, size: number): Uint8Array | string {
  if (value.length <= 2 * size) return value
  if (typeof value === 'string') return value.slice(0, size) + value.slice(-size)
  return Buffer.concat([value.subarray(0, size), value.subarray(-size)])
}

/** The maximum number of bytes per character in UTF-8. */
const MAX_BYTES = 4
