import type { Tools } from '../check.ts'
import { completeEvents, describeCut, describePosition } from './cut-position.ts'
import type { Cut, Attempt } from './cut.ts'
import { describeError, Failure, type Story } from '../failure.ts'
import { isNotWritten } from '../../../protocol/not-written.ts'
import { excerpt, SILENT } from '../transcript.ts'
import { waiting } from '../waiting.ts'
import { deepEqual } from '../equality.ts'

/** A test run in which a client is cut off and reconnects, and must have received everything by the end. */
export type InterruptedRun = {
  attempts: readonly Attempt[]
  /** The IDs of the quakes that have arrived so far, and the names of other events. */
  received: readonly string[]
  /** Settles when the last quake has arrived. */
  done: Promise<void>
  stop(): void
}

/** The required result of each run. */
export type ExpectedRun = {
  /** The quakes that must arrive, each once and in this order. */
  ids: readonly string[]
  /** Whether there must be a gap before the first quake. Other gaps are never allowed. */
  afterGap?: boolean
  /** The likely cause if the run has the `sign`. */
  often: string
  sign: Sign
}

/** The sign of a likely cause: the client sent an ID too early, did not send an ID that it had, or got the wrong quakes. */
type Sign = 'early id' | 'forgotten id' | 'wrong quakes'

/** Runs every plan, a few at a time. Throws at the first run that loses a quake or gets a quake twice. */
export async function runCutPlans(
  t: Pick<Tools, 'transcript'>,
  plans: Cut[][],
  begin: (cuts: Cut[]) => InterruptedRun,
  wanted: ExpectedRun,
): Promise<void> {
  let sample: InterruptedRun | undefined
  for (let at = 0; at < plans.length; at += SIDE_BY_SIDE) {
    const batch = plans.slice(at, at + SIDE_BY_SIDE).map(begin)
    const outcomes = await Promise.all(batch.map(outcomeOf))
    for (const [n, run] of batch.entries()) {
      const wrong = problemOf(run, outcomes[n]!, wanted)
      if (!wrong) continue
      recordRun(t, run)
      const signs = signsOf(run, wrong)
      throw new Failure({
        ...storyOf(run, wrong.what),
        ...(signs.includes(wanted.sign) && { often: wanted.often }),
      })
    }
    sample ??= batch.find(isInsideLine)
  }
  if (sample) recordRun(t, sample)
  t.transcript.step('and so on, with cuts at the other places')
}

/** The number of concurrent runs. It is low, so that no run waits long for its turn. */
const SIDE_BY_SIDE = 4

/** Returns whether a run is a good example to show, because it was cut inside a line, after a complete event. */
function isInsideLine({ attempts: [attempt] }: InterruptedRun): boolean {
  return (
    completeEvents(attempt!).length > 0 && describePosition(attempt!).startsWith('inside the line')
  )
}

type Outcome = 'arrived' | 'stuck' | { error: unknown }

/** Waits for the end of a run, as long as the run makes progress, such as an event that arrives or a reconnect. */
async function outcomeOf({ attempts, received, done, stop }: InterruptedRun): Promise<Outcome> {
  const { withTimeout } = waiting(SILENT)
  const progress = (): number => attempts.length + received.length
  try {
    for (let before = -1; progress() > before;) {
      before = progress()
      const hasArrived = await withTimeout(done, UNTOLD).then(
        () => true,
        (error: unknown) => {
          if (error instanceof Failure) return false
          throw error
        },
      )
      if (hasArrived) return 'arrived'
    }
    return 'stuck'
  } catch (error) {
    // Rethrow the error of code that is not written yet, because that error does not make the run wrong.
    if (isNotWritten(error)) throw error
    return { error }
  } finally {
    stop()
  }
}

/** An empty story, for waits whose failure is reported elsewhere. */
const UNTOLD = { seen: '', expected: '' }

/** A problem, worded as the end of a sentence, and whether quakes are missing, repeated or out of order. */
type Problem = { what: string; isOfQuakes?: boolean }

/** Returns the problem of a run, or undefined if there is none. */
function problemOf(
  { attempts, received }: InterruptedRun,
  outcome: Outcome,
  { ids, afterGap = false }: ExpectedRun,
): Problem | undefined {
  const quakes = received.filter((id) => id !== 'gap')
  const gaps = received.flatMap((id, at) => (id === 'gap' ? [at] : []))
  const twice = quakes.find((id, at) => quakes.indexOf(id) !== at)
  if (twice) return { what: `and ${excerpt(twice)} arrived twice`, isOfQuakes: true }
  if (typeof outcome === 'object')
    return { what: `and the client threw ${describeError(outcome.error)}` }
  const lost = ids.filter((id) => !quakes.includes(id))
  if (lost.length > 0) return { what: `and ${lost.join(', ')} never arrived`, isOfQuakes: true }
  if (!deepEqual(quakes, ids))
    return {
      what: `and the quakes arrived as ${excerpt(quakes.join(', '), 200)}`,
      isOfQuakes: true,
    }
  if (afterGap && gaps[0] !== 0) return { what: 'and no gap was sent before the first quake' }
  if (gaps.some((at) => at >= received.indexOf(ids[0]!)))
    return { what: 'and a gap was sent although no quake is missing there' }
  const wrong = wrongCursor(attempts)
  if (wrong === -1) return undefined
  const due = expectedCursor(attempts, wrong)
  return {
    what: due === undefined ? 'but it had no event yet' : `but it had everything up to ${due}`,
  }
}

function signsOf({ attempts }: InterruptedRun, { isOfQuakes = false }: Problem): Sign[] {
  const wrong = attempts[wrongCursor(attempts)]
  if (wrong) return [wrong.cursor === undefined ? 'forgotten id' : 'early id']
  return isOfQuakes ? ['wrong quakes'] : []
}

/** Returns the index of the first attempt that did not continue after the last complete event, or -1 if there is none. */
function wrongCursor(attempts: readonly Attempt[]): number {
  return attempts.findIndex(({ cursor }, n) => cursor !== expectedCursor(attempts, n))
}

/** Returns the ID of the last complete event before attempt `n`, or the cursor with which the first attempt began. */
function expectedCursor(attempts: readonly Attempt[], n: number): string | undefined {
  const whole = attempts.slice(0, n).flatMap(completeEvents)
  return whole.findLast((id) => id !== 'gap') ?? attempts[0]!.cursor
}

function storyOf({ attempts }: InterruptedRun, wrong: string): Story {
  const cuts = attempts.filter(({ cut }) => cut)
  const places = cuts.map((attempt) => `${describePosition(attempt)}`)
  const what = cuts[0]?.cut?.of ?? 'response'
  const last = attempts.at(cuts.length)
  const back =
    cuts.length === 0
      ? 'Nothing was cut'
      : `The ${what} was cut ${describePlaces(places, what)}. ${describeReturn(last?.cursor, last !== undefined)}`
  return {
    seen: `${back}, ${wrong}.`,
    expected:
      'Expected each quake to arrive once, in order, because the client resumes after its last complete event.',
  }
}

/** Describes one or two cuts in full. If there are more, describes only the first, because the steps show the others. */
function describePlaces([first, ...others]: string[], of: Cut['of']): string {
  if (others.length === 0) return first!
  if (others.length === 1) return `${first}, and the next ${of} ${others[0]}`
  return `${first}, and the next ${others.length} were cut as well`
}

function describeReturn(cursor: string | undefined, hasCome: boolean): string {
  if (!hasCome) return 'The client did not reconnect'
  return cursor === undefined
    ? 'The client reconnected without Last-Event-ID'
    : `The client reconnected with Last-Event-ID: ${excerpt(cursor)}`
}

function recordRun(
  { transcript }: Pick<Tools, 'transcript'>,
  { attempts, received }: InterruptedRun,
): void {
  for (const attempt of attempts) {
    const { cursor, cut } = attempt
    transcript.step(
      `client: GET /events${cursor === undefined ? '' : `, Last-Event-ID: ${excerpt(cursor)}`}`,
    )
    if (cut) for (const step of describeCut(attempt)) transcript.step(step)
  }
  transcript.step(`the client got ${received.join(', ') || 'nothing'}`)
}
