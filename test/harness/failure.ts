import { shorten } from '../../wire/visible.ts'
import type { Story } from '../../protocol/grading.ts'
import { lookForChanges } from './untouched.ts'

export type { Story } from '../../protocol/grading.ts'

/** The error that a check throws if its rule does not hold. */
export class Failure extends Error {
  readonly story: Story

  constructor(story: Story) {
    super(`${story.seen} ${story.expected}`)
    this.name = 'Failure'
    this.story = story
  }
}

/** Throws a Failure with the story if `holds` is false. */
export function must(holds: boolean, story: Story): asserts holds {
  lookForChanges()
  if (!holds) throw new Failure(story)
}

/** Describes any thrown value, such as `TypeError: x is not a function`. Cuts the middle out of a long description. */
export function describeError(error: unknown): string {
  return shorten(textOf(error), MAX_CHARACTERS)
}

const MAX_CHARACTERS = 200

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const message = error.message.replace(IMPORTED, (_, name: string, isCalled?: string) =>
    isCalled ? `${name}${isCalled}. Is it exported under that name?` : name,
  )
  return `${error.name}: ${message}`
}

/** Matches an imported name that Vitest has rewritten: `(0 , __vite_ssr_import_3__.useQuakes) is not a function`. */
const IMPORTED = /\(?(?:0 ?, ?)?__vi(?:te_ssr)?_import_\d+__\.([\w$]+)\)?( is not a function$)?/g
