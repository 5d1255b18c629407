import { secrets } from './secrets.ts'

/**
 * Looks whether the methods of the language's own objects are still those of the language. They are not locked like
 * everything else (see lock.ts), because V8 is much slower as soon as one of them is locked. Does nothing if it has looked
 * in the last few milliseconds, because some checks judge a thousand times in a second.
 */
export function lookForChanges(): void {
  if (secrets && now() - lookedAt >= PAUSE_MS) look()
}

/** Returns whether the learner's code has changed a method of the language, as far as the harness has seen. */
export function languageHasChanged(): boolean {
  if (secrets) look()
  return haveChanged
}

function look(): void {
  haveChanged ||= originals.some(([object, key, value]) => object[key] !== value)
  lookedAt = now()
}

const PAUSE_MS = 5
const now = performance.now.bind(performance)
let lookedAt = 0

/**
 * Replaces a method of the language for a check of the harness, which is not a change by the learner's code.
 *
 * @returns a function that puts the method back
 */
export function replaceMethod(object: object, key: PropertyKey, replacement: unknown): () => void {
  const entry = originals.find(([each, name]) => each === object && name === key)!
  const [, , before] = entry
  const put = (value: unknown): void => {
    entry[0][key] = value
    entry[2] = value
  }
  put(replacement)
  return () => put(before)
}

let haveChanged = false

type Original = [object: Record<PropertyKey, unknown>, key: PropertyKey, value: unknown]

// This file is loaded before the learner's code.
const classes = [Array, Map, Object, Promise, RegExp, Set, String, Uint8Array]
const prototypes = [
  ...classes.map(({ prototype }) => prototype as object),
  ...[
    [].values(),
    new Map().values(),
    new Set().values(),
    ''[Symbol.iterator](),
    Uint8Array.prototype,
  ].map((each) => Object.getPrototypeOf(each) as object),
]
const originals: Original[] = prototypes.flatMap((object) =>
  Reflect.ownKeys(object)
    .map(
      (key) =>
        [object, key, Object.getOwnPropertyDescriptor(object, key)!.value] as unknown as Original,
    )
    .filter(([, , value]) => typeof value === 'function'),
)
