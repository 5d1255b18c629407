import { isDeepStrictEqual } from 'node:util'

/** Returns whether two JSON values are equal, regardless of the order of their keys. */
export function deepEqual(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(a, b)
}

/** Parses a JSON text. Returns undefined if it is invalid. */
export function tryParseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
