import type { Quake } from '#feed'
import { createHistory, type Entry, type WritableHistory } from '#work/05-replay/history.ts'
import type { Tools } from '../check.ts'
import { describeQuake, quakes } from '../quakes.ts'
import { idsOf, listed } from './wording.ts'

/** Creates a history with the learner's code, and appends quakes to it. */
export function filledHistory(
  t: Tools,
  count: number,
  capacity?: number,
): { history: WritableHistory; happened: Quake[] } {
  t.transcript.step(`createHistory(${capacity === undefined ? '' : `{ capacity: ${capacity} }`})`)
  const history = createHistory(capacity === undefined ? undefined : { capacity })
  const happened: Quake[] = quakes(count)
  for (const quake of happened) append(t, history, quake)
  return { history, happened }
}

/** Appends a quake to the history, and records the call. */
export function append(t: Tools, history: WritableHistory, quake: Quake): void {
  t.transcript.step(`append(${describeQuake(quake)}), id "${quake.id}"`)
  history.append(quake)
}

type Answer = {
  entries: Entry[]
  ids: string[]
  isGap: boolean
  /** The entries and the gap in words: `a, b and a gap`. */
  told: string
}

/** Calls `after(id)`, and records its answer. */
export async function readAfter(
  t: Tools,
  history: WritableHistory,
  id: string | undefined,
): Promise<Answer> {
  const call = `after(${JSON.stringify(id)})`
  const { entries, isGap } = await t.withTimeout(history.after(id), {
    seen: `${call} did not resolve.`,
    expected: 'Expected the promise to resolve with the entries.',
  })
  const ids = idsOf(entries)
  const told = `${listed(ids)}${isGap ? ' and a gap' : ''}`
  t.transcript.step(`${call} returned ${told}`)
  return { entries, ids, isGap, told }
}
