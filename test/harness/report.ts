import type { Report } from '../../protocol/grading.ts'
import type { ControlledFeed } from './controlled-feed.ts'
import { describeError, Failure, type Story } from './failure.ts'
import { isNotWritten } from '../../protocol/not-written.ts'

/** What is known of a check beside the error that ended it. */
type Evidence = {
  /** What handlers of the app threw, but for errors of the feed. */
  thrownByHandlers: readonly unknown[]
  feeds: readonly ControlledFeed[]
}

/** Tells of a check that failed. */
export function reportOf(error: unknown, steps: string[], evidence: Evidence): Report {
  const cause = evidence.thrownByHandlers[0] ?? error
  return {
    steps,
    story: storyOf(error, evidence),
    ...(isNotWritten(cause) && { notWritten: cause.message }),
  }
}

function storyOf(error: unknown, { thrownByHandlers: [thrown], feeds }: Evidence): Story {
  if (!(error instanceof Failure)) {
    return { seen: `Your code threw ${describeError(error)}`, expected: 'Expected it to go on.' }
  }
  // Whatever the check saw, it began with this.
  if (thrown) return { ...error.story, cause: `the handler threw ${located(thrown)}` }
  const cause = feeds.map(causeInFeed).find((told) => told !== undefined)
  return cause ? { ...error.story, cause } : error.story
}

/** Nothing of what happens in a feed comes from it when nobody reads it. */
function causeInFeed({ hasHappened, readers }: ControlledFeed): string | undefined {
  if (!hasHappened || readers.some(({ hasPulled }) => hasPulled)) return undefined
  return readers.length === 0
    ? 'your handler has not opened the feed.'
    : 'the feed was opened, and nobody asked it for a quake.'
}

/** An error, and where in the work it was thrown. */
function located(error: unknown): string {
  const frames = error instanceof Error ? (error.stack ?? '').split('\n') : []
  const frame = frames.find((line) => line.includes(WORK))
  const at = frame?.slice(frame.indexOf(WORK)).replace(/\)$/, '')
  return `${describeError(error)}${at ? ` at ${at}` : ''}`
}

/** Where the work is: a stack names its files with this path. */
const WORK = process.env.WORKSHOP_BOX ?? '/solutions/'
