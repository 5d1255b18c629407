import type { Tools } from './check.ts'
import { cameWhole, cutTold, placeOf } from './cut-place.ts'
import type { Cut, Visit } from './cut.ts'
import { describeError, Failure, type Story } from './failure.ts'
import { patience } from './patience.ts'
import { same } from './same.ts'

/** Somebody who is cut off, comes back, and has got everything at the end. */
export type Travel = {
  visits: readonly Visit[]
  /** The ids of the quakes so far, and the names of other events. */
  came: readonly string[]
  /** Settled when the last quake has come. */
  done: Promise<void>
  leave(): void
}

/** What has to come of each travel. */
export type Wanted = {
  /** Each once, in this order. */
  ids: readonly string[]
  /** They begin behind a gap, and there is no other. */
  behindGap?: boolean
  often: string
}

/** Plays every plan, some side by side. The first that loses something, or brings something twice, is the failure. */
export async function travels(
  t: Pick<Tools, 'transcript'>,
  plans: Cut[][],
  begin: (cuts: Cut[]) => Travel,
  wanted: Wanted,
): Promise<void> {
  let sample: Travel | undefined
  for (let at = 0; at < plans.length; at += SIDE_BY_SIDE) {
    const batch = plans.slice(at, at + SIDE_BY_SIDE).map(begin)
    const outcomes = await Promise.all(batch.map(outcomeOf))
    for (const [n, travel] of batch.entries()) {
      const wrong = problemOf(travel, outcomes[n]!, wanted)
      if (!wrong) continue
      tell(t, travel)
      throw new Failure({ ...storyOf(travel, wrong), often: wanted.often })
    }
    sample ??= batch.find(isInsideLine)
  }
  if (sample) tell(t, sample)
  t.transcript.step('and so on, cut behind every other byte')
}

/** Few, so that none waits long for its turn. */
const SIDE_BY_SIDE = 4

/** To show one of many: the first in which something was whole, and something not. */
function isInsideLine({ visits: [visit] }: Travel): boolean {
  return cameWhole(visit!).length > 0 && placeOf(visit!).startsWith('inside the line')
}

type Outcome = 'arrived' | 'waits in vain' | { error: unknown }

/** A long travel takes its time. It waits in vain when nothing has come of it, and nobody has come back. */
async function outcomeOf({ visits, came, done, leave }: Travel): Promise<Outcome> {
  const { soon } = patience({ steps: [], step() {} })
  const progress = (): number => visits.length + came.length
  try {
    for (let before = -1; progress() > before;) {
      before = progress()
      const hasArrived = await soon(done, NOBODYS).then(
        () => true,
        (error: unknown) => {
          if (error instanceof Failure) return false
          throw error
        },
      )
      if (hasArrived) return 'arrived'
    }
    return 'waits in vain'
  } catch (error) {
    // What nobody has written yet is not wrong.
    if (error instanceof Error && error.message.startsWith('lesson ')) throw error
    return { error }
  } finally {
    leave()
  }
}

/** Of a wait that fails without a word. */
const NOBODYS = { seen: '', expected: '' }

/** What is wrong with it, as the end of a sentence; undefined when nothing is. */
function problemOf(
  { visits, came }: Travel,
  outcome: Outcome,
  { ids, behindGap = false }: Wanted,
): string | undefined {
  const quakes = came.filter((id) => id !== 'gap')
  const gaps = came.flatMap((id, at) => (id === 'gap' ? [at] : []))
  const twice = quakes.find((id, at) => quakes.indexOf(id) !== at)
  if (twice) return `and ${twice} came twice`
  if (typeof outcome === 'object') return `and the client threw ${describeError(outcome.error)}`
  const lost = ids.filter((id) => !quakes.includes(id))
  if (lost.length > 0) return `and ${lost.join(', ')} never came`
  if (!same(quakes, ids)) return `and they came as ${quakes.join(', ')}`
  if (behindGap && gaps[0] !== 0) return 'and nobody told it of the gap before the first'
  if (gaps.some((at) => at >= came.indexOf(ids[0]!)))
    return 'and it was told of a gap where none is'
  const wrong = visits.findIndex(({ cursor }, n) => cursor !== cursorDue(visits, n))
  if (wrong === -1) return undefined
  const due = cursorDue(visits, wrong)
  return due === undefined ? 'but it had nothing yet' : `but it had everything up to ${due}`
}

/** The id of the last event that had come whole before visit `n`; before the first, whatever it began with. */
function cursorDue(visits: readonly Visit[], n: number): string | undefined {
  const whole = visits.slice(0, n).flatMap(cameWhole)
  return whole.findLast((id) => id !== 'gap') ?? visits[0]!.cursor
}

function storyOf({ visits }: Travel, wrong: string): Story {
  const cuts = visits.filter(({ cut }) => cut)
  const places = cuts.map((visit) => `${placeOf(visit)}`)
  const what = cuts[0]?.cut?.of ?? 'response'
  const last = visits.at(cuts.length)
  const back =
    cuts.length === 0
      ? 'Nothing was cut'
      : `The ${what} was cut ${places.join(', and the next one ')}. ${cameBack(last?.cursor, last !== undefined)}`
  return {
    seen: `${back}, ${wrong}.`,
    expected:
      'Expected each quake once, in order, and to go on behind the last event that was whole.',
  }
}

function cameBack(cursor: string | undefined, hasCome: boolean): string {
  if (!hasCome) return 'The client did not come back'
  return cursor === undefined
    ? 'The client came back without Last-Event-ID'
    : `The client came back with Last-Event-ID: ${cursor}`
}

function tell({ transcript }: Pick<Tools, 'transcript'>, { visits, came }: Travel): void {
  for (const visit of visits) {
    const { cursor, cut } = visit
    transcript.step(
      `client: GET /events${cursor === undefined ? '' : `, Last-Event-ID: ${cursor}`}`,
    )
    if (cut) for (const step of cutTold(visit)) transcript.step(step)
  }
  transcript.step(`client got ${came.join(', ') || 'nothing'}`)
}
