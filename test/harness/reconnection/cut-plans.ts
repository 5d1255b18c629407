import type { Tools } from '../check.ts'
import { completeEvents, describeCut, describePosition } from './cut-position.ts'
import type { Cut, Attempt } from './cut.ts'
import { describeError, Failure, type Story } from '../failure.ts'
import { isNotWritten } from '../../../protocol/not-written.ts'
import { excerpt, SILENT } from '../transcript.ts'
import { waiting } from '../waiting.ts'
import { deepEqual } from '../equality.ts'

/** Somebody who is cut off, comes back, and has got everything at the end. */
export type InterruptedRun = {
  attempts: readonly Attempt[]
  /** The ids of the quakes so far, and the names of other events. */
  received: readonly string[]
  /** Settled when the last quake has come. */
  done: Promise<void>
  stop(): void
}

/** What has to come of each run. */
export type ExpectedRun = {
  /** Each once, in this order. */
  ids: readonly string[]
  /** They begin behind a gap, and there is no other. */
  afterGap?: boolean
  /** The likely cause, of runs with these signs. */
  often: string
  sign: Sign
}

/** The client came back with an id whose event it did not have, or without one that it had; or it got the wrong quakes. */
type Sign = 'early id' | 'forgotten id' | 'wrong quakes'

/** Plays every plan, some side by side. The first that loses something, or brings something twice, is the failure. */
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

/** Few, so that none waits long for its turn. */
const SIDE_BY_SIDE = 4

/** To show one of many: the first in which something was whole, and something not. */
function isInsideLine({ attempts: [attempt] }: InterruptedRun): boolean {
  return (
    completeEvents(attempt!).length > 0 && describePosition(attempt!).startsWith('inside the line')
  )
}

type Outcome = 'arrived' | 'stuck' | { error: unknown }

/** A long run takes its time. It waits in vain when nothing has come of it, and nobody has come back. */
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
    // What nobody has written yet is not wrong.
    if (isNotWritten(error)) throw error
    return { error }
  } finally {
    stop()
  }
}

/** Of a wait that fails without a word. */
const UNTOLD = { seen: '', expected: '' }

/** As the end of a sentence, and whether quakes are missing, doubled or out of order. */
type Problem = { what: string; isOfQuakes?: boolean }

/** Returns what is wrong with a run, or undefined. */
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

/** The first attempt that did not continue after the last event that was whole, or -1. */
function wrongCursor(attempts: readonly Attempt[]): number {
  return attempts.findIndex(({ cursor }, n) => cursor !== expectedCursor(attempts, n))
}

/** The id of the last event that had come whole before attempt `n`; before the first, whatever it began with. */
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
      : `The ${what} was cut ${describePlaces(places)}. ${describeReturn(last?.cursor, last !== undefined)}`
  return {
    seen: `${back}, ${wrong}.`,
    expected:
      'Expected each quake once, in order, because the client reconnects after its last complete event.',
  }
}

/** Two cuts, both; of many the first, because the steps tell the others. */
function describePlaces([first, ...others]: string[]): string {
  if (others.length === 0) return first!
  if (others.length === 1) return `${first}, and the next one ${others[0]}`
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
