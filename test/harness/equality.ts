import { isDeepStrictEqual } from 'node:util'

/** Whether two JSON values mean the same: the order of keys does not matter, their types do. */
export function deepEqual(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(a, b)
}

/** The value of a JSON text; undefined when it is none. */
export function tryParseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
