import type { Report } from '../../protocol/room.ts'
import { legible } from '../../wire/visible.ts'
import { truncate } from '../terminal/text.ts'

/**
 * Returns the report in a request's body, or undefined if the body is not a report. Anybody in the room can send anything, so
 * texts are shortened, and their control characters become visible.
 */
export function reportIn(body: unknown): Report | undefined {
  const fields: Record<string, unknown> = typeof body === 'object' ? { ...body } : {}
  const { id, n, lesson, task, passed, forMs, check, message } = fields
  const name = nameIn(fields.name)
  const isKnown =
    typeof id === 'string' &&
    /^[0-9a-f]{32}$/.test(id) &&
    name !== undefined &&
    isCount(n) &&
    isCount(lesson) &&
    isCount(passed) &&
    isCount(forMs) &&
    isTextOrAbsent(task) &&
    isTextOrAbsent(check) &&
    isTextOrAbsent(message)
  if (!isKnown) return undefined
  return {
    ...{ id, n, name, lesson, passed },
    forMs: Math.min(forMs, DAY_MS),
    ...(task !== undefined && { task }),
    ...(check !== undefined && { check }),
    ...(message !== undefined && { message: plain(message, MESSAGE_LENGTH) }),
  }
}

/** Returns a nickname on one short line, or undefined if nothing is left of it. */
export function nameIn(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined
  const name = plain(value, NAME_LENGTH)
  return /[\p{L}\p{N}]/u.test(name) ? name : undefined
}

/** Returns a text on one line. Piles of accents are flattened, because they would cover other lines. */
function plain(text: string, length: number): string {
  const line = text
    .slice(0, 4 * length)
    .replace(/\p{Cs}/gu, '\ufffd')
    .normalize('NFC')
    .replace(/\s+/g, ' ')
    .replace(/(\p{M}{2})\p{M}+/gu, '$1')
  return truncate(legible(line).trim(), length)
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

function isTextOrAbsent(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string'
}

const NAME_LENGTH = 24

/** The longest message that the board shows. What most checks say is shorter. */
export const MESSAGE_LENGTH = 400

const DAY_MS = 86_400_000
