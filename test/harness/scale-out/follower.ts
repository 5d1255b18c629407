import type { Entry, WritableHistory } from '#work/09-scale-out/history.ts'
import { turns } from '../event-loop.ts'
import { describeError, Failure, must, type Story } from '../failure.ts'
import { describeQuake } from '../quakes.ts'
import { capitalised } from '../reconnection/wording.ts'
import type { Tools } from '../toolbox.ts'
import { drawLanes } from './lanes.ts'

/** Follows a history as the server does for one client. */
export type Follower = {
  readonly name: string
  /** The IDs of the entries that the client has got, and `gap` where it was told of a gap. */
  readonly got: readonly string[]
  /** Returns the next entry, or undefined for a gap. */
  next(story: Story): Promise<Entry | undefined>
}

/**
 * Reads the entries after a cursor, and reads again whenever the bell rings.
 *
 * @param cursor the last ID that the client has, or undefined for a new client
 */
export function follow(
  t: Tools,
  { history, name: process }: { history: WritableHistory; name: string },
  { name = 'the client', cursor: begin }: { name?: string; cursor?: string | undefined } = {},
): Follower {
  const from = begin === undefined ? 'without a cursor' : `with the cursor ${begin}`
  drawLanes(t.transcript)
  t.transcript.step(`${name} connects to ${process} ${from}`, {
    at: name,
    to: process,
    label: `connects ${from}`,
  })
  const got: string[] = []
  const arrived: (Entry | undefined)[] = []
  let cursor = begin
  let error: unknown
  let isStopped = false
  let wake = (): void => {}
  const unsubscribe = history.subscribe(() => wake())
  t.atEnd(() => {
    isStopped = true
    wake()
    if (typeof unsubscribe === 'function') unsubscribe()
  })

  async function read(): Promise<void> {
    while (!isStopped) {
      const news = new Promise<void>((resolve) => (wake = resolve))
      const { entries, isGap } = await history.after(cursor)
      if (isGap) {
        arrived.push(undefined)
        got.push('gap')
        cursor = undefined
      }
      for (const entry of entries) {
        arrived.push(entry)
        got.push(entry.id)
        cursor = entry.id
      }
      if (entries.length === 0) await news
      // A history that always has something new would leave no time for anything else.
      else await turns()
    }
  }
  read().catch((thrown: unknown) => (error = thrown))

  return {
    name,
    got,
    async next(story) {
      await t.waitFor(() => arrived.length > 0 || error !== undefined, story)
      must(arrived.length > 0, {
        seen: `after() rejected: ${describeError(error)}.`,
        expected: 'Expected after() to resolve, because the server cuts the stream if it rejects.',
      })
      const next = arrived.shift()
      const what = next ? next.id : 'a gap'
      t.transcript.step(`${name} got ${what}`, { at: process, to: name, label: what })
      return next
    },
  }
}

/** Checks that these entries arrive next, each once and in order. */
export async function mustGet(
  follower: Follower,
  entries: readonly Entry[],
  {
    often,
    oftenAtGap = often,
    oftenLost = often,
  }: { often?: string; oftenAtGap?: string; oftenLost?: string } = {},
): Promise<void> {
  const { name } = follower
  for (const [n, { id, quake }] of entries.entries()) {
    const next = await follower.next({
      seen: `The entry ${id} was in the stream, but it did not reach ${name}.`,
      expected: 'Expected each entry to arrive.',
      ...(oftenLost && { often: oftenLost }),
    })
    const expected = `Expected ${name} to get ${id} next, because each entry is sent once, in order.`
    must(next !== undefined, {
      seen: `${capitalised(name)} was told of a gap before ${id}, although no entry was missing.`,
      expected,
      ...(oftenAtGap && { often: oftenAtGap }),
    })
    if (next.id === id) {
      must(JSON.stringify(next.quake) === JSON.stringify(quake), {
        seen: `The entry ${id} arrived with another quake than ${describeQuake(quake)}.`,
        expected: 'Expected the quake that was added.',
      })
      continue
    }
    const isSecond = follower.got.indexOf(next.id) !== follower.got.lastIndexOf(next.id)
    const isLost = entries.slice(n + 1).some((later) => later.id === next.id)
    const cause = isLost ? oftenLost : often
    throw new Failure({
      seen: `${capitalised(name)} got ${next.id}${isSecond ? ' a second time' : isLost ? `, but ${id} never arrived` : ` instead of ${id}`}.`,
      expected,
      ...(cause && { often: cause }),
    })
  }
}

/** Checks that a gap arrives next. */
export async function mustTellGap(follower: Follower, when: string, often?: string): Promise<void> {
  const expected = `Expected ${follower.name} to be told of a gap, because entries may be missing.`
  const cause = often === undefined ? {} : { often }
  const next = await follower.next({
    seen: `${when}, but nothing reached ${follower.name}.`,
    expected,
    ...cause,
  })
  must(next === undefined, {
    seen: `${when}. ${capitalised(follower.name)} got ${next?.id} and no gap.`,
    expected,
    ...cause,
  })
}
