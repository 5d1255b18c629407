import { shorten, visible } from '../../wire/visible.ts'

/** The numbered story of one check: what was done, what was seen. */
export type Transcript = {
  readonly steps: readonly string[]
  step(text: string): void
  /** What could not be graded, and why, in a check that passes all the same. */
  note?: string
}

export function newTranscript(): Transcript {
  const steps: string[] = []
  return { steps, step: (text) => void steps.push(text) }
}

/** Of what goes on beside a check, and is no part of its story. */
export const SILENT: Transcript = { steps: [], step() {} }

/** Bytes or text for a transcript or a message: nothing invisible, at most `width` characters. */
export function excerpt(value: Uint8Array | string, width = 60): string {
  return shorten(visible(ends(value, width * MAX_BYTES)), width)
}

/** The same of a value as JSON, whatever it is. */
export function excerptJson(value: unknown, width?: number): string {
  return excerpt(JSON.stringify(value) ?? 'undefined', width)
}

/** Two long texts for a message, from a little before the place where they part. */
export function differingExcerpts(one: string, other: string): [string, string] {
  let at = 0
  while (at < one.length && one[at] === other[at]) at += 1
  const from = at < 40 ? 0 : at - 16
  const rest = (text: string): string => `${from > 0 ? '… ' : ''}${excerpt(text.slice(from))}`
  return [rest(one), rest(other)]
}

/** Of something long, the two ends: what is between is not shown, and would take its time. */
function ends(value: Uint8Array | string, size: number): Uint8Array | string {
  if (value.length <= 2 * size) return value
  if (typeof value === 'string') return value.slice(0, size) + value.slice(-size)
  return Buffer.concat([value.subarray(0, size), value.subarray(-size)])
}

/** A character takes up to four bytes in UTF-8. */
const MAX_BYTES = 4
