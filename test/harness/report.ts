import type { Report } from '../../protocol/grading.ts'
import type { ControlledFeed } from './controlled-feed.ts'
import { describeError, Failure, type Story } from './failure.ts'
import { isNotWritten } from '../../protocol/not-written.ts'
import type { Transcript } from './transcript.ts'

/** Facts about a check in addition to the error that ended it. */
type Evidence = {
  /** Errors that the app's handlers threw, except for those from the feed. */
  thrownByHandlers: readonly unknown[]
  feeds: readonly ControlledFeed[]
}

/** The part of a report that does not depend on how the check ended. */
export type Happened = Pick<Report, 'steps' | 'picture'>

/** Returns what has happened so far. */
export function happenedIn({ steps, picture }: Transcript): Happened {
  const drawn = picture()
  return { steps: [...steps], ...(drawn && { picture: drawn }) }
}

/** Creates the report of a failed check. */
export function reportOf(error: unknown, happened: Happened, evidence: Evidence): Report {
  const cause = evidence.thrownByHandlers[0] ?? error
  return {
    ...happened,
    story: storyOf(error, evidence),
    ...(isNotWritten(cause) && { notWritten: cause.message }),
  }
}

function storyOf(error: unknown, { thrownByHandlers: [thrown], feeds }: Evidence): Story {
  if (!(error instanceof Failure)) {
    return {
      seen: `Your code threw ${describeError(error)}`,
      expected: 'Expected your code not to throw.',
    }
  }
  // The error that the handler threw is the cause of everything that the check saw.
  if (thrown) return { ...error.story, cause: `the handler threw ${located(thrown)}` }
  const cause = feeds.map(causeInFeed).find((told) => told !== undefined)
  return cause ? { ...error.story, cause } : error.story
}

/** Returns a cause if quakes have happened but the learner's code has never read the feed. */
function causeInFeed({ hasHappened, readers }: ControlledFeed): string | undefined {
  if (!hasHappened || readers.some(({ hasPulled }) => hasPulled)) return undefined
  return readers.length === 0
    ? 'your handler has not opened the feed.'
    : 'your handler opened the feed, but did not ask it for a quake.'
}

/** Describes an error, with the place in the learner's code where it was thrown. */
function located(error: unknown): string {
  const frames = error instanceof Error ? (error.stack ?? '').split('\n') : []
  const frame = frames.find((line) => line.includes(WORK))
  const at = frame?.slice(frame.indexOf(WORK)).replace(/\)$/, '')
  return `${describeError(error)}${at ? ` at ${at}` : ''}`
}

/** The path of the learner's code in stack traces. */
const WORK = process.env.WORKSHOP_SANDBOX ?? '/solutions/'
