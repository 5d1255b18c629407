import { isDeepStrictEqual } from 'node:util'

/** Whether two JSON values mean the same: the order of keys does not matter, their types do. */
export function same(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(a, b)
}

/** The value of a JSON text; undefined when it is none. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
