import { getEventListeners } from 'node:events'
import * as fc from 'fast-check'
import type { Quake } from '#feed'
import type { Item, Source } from '#work/08-many-sources/merge.ts'
import { check, edgeCase, must, type Tools } from './harness/check.ts'
import { deepEqual } from './harness/equality.ts'
import { turns } from './harness/event-loop.ts'
import {
  controlledSource,
  type ControlledSource,
  type Manner,
} from './harness/merge/controlled-source.ts'
import { describeItem, merged, notYielded, type Merged } from './harness/merge/merged.ts'
import { countPendingReactions } from './harness/merge/pending-reactions.ts'
import { describeQuake, quakes, seed } from './harness/quakes.ts'
import { counted, listed } from './harness/reconnection/wording.ts'

// 8.1 The merge

check('8.1a', 'each quake is yielded with the name of its source', async (t) => {
  const [source] = sourcesNamed(t, ['geofon'])
  const merge = merged(t, [source])
  for (const quake of quakes(3)) {
    source.release(quake)
    await takeQuake(merge, source, quake)
  }
  must(source.opened === 1, {
    seen: `The source was opened ${source.opened} times.`,
    expected: 'Expected each source to be opened once.',
  })
})

check('8.1b', 'a silent source delays no other source', async (t) => {
  const timers = t.recordTimerDelays()
  const sources = sourcesNamed(t, NETWORKS)
  const merge = merged(t, sources)
  const takeNext = async (source: ControlledSource): Promise<void> => {
    const [quake] = quakes(1)
    source.release(quake)
    await takeQuake(merge, source, quake, () =>
      source.pulls === 0
        ? 'your merge waits for one source before it asks the next. Ask every source first, then wait for the first answer.'
        : 'your merge calls next() again while the previous call is pending, so the quake arrives in a promise that the merge has forgotten.',
    )
  }
  // Begin at the end, so that each source delivers while those before it in the list are silent.
  for (const source of sources.toReversed()) await takeNext(source)
  for (let more = 0; more < 20; more += 1) await takeNext(sources[0])
  must(timers.ms.length === 0, {
    seen: `While it waited for quakes, your merge started ${counted(timers.ms.length, 'timer')}, the first with ${timers.ms[0]} ms.`,
    expected: 'Expected no timer. A source that answers can wake the merge at once.',
    often: 'your merge polls: it looks for news, sleeps and looks again.',
  })
})

check('8.1c', 'the quakes of each source are yielded once and in order', async (t) => {
  for (const plan of fc.sample(releases, { seed, numRuns: 12 })) {
    const sources = sourcesNamed(t, ['us', 'ci', 'ak'])
    const merge = merged(t, sources)
    const released = sources.map((): Quake[] => [])
    for (const { of, count, takes } of plan) {
      const happened = released[of]!
      const burst = quakesAfter(happened.length, count)
      happened.push(...burst)
      sources[of]!.release(...burst)
      const left = released.flat().length - merge.items.length
      for (let taken = 0; taken < Math.min(takes, left); taken += 1) await takeAny(merge, released)
    }
    while (merge.items.length < released.flat().length) await takeAny(merge, released)
    for (const [n, { name }] of sources.entries()) {
      const ids = idsFrom(merge.items, name)
      const wanted = released[n]!.map(({ id }) => id)
      must(deepEqual(ids, wanted), {
        seen: `Source "${name}" released ${listed(wanted)}, and the merge yielded ${listed(ids)} of it.`,
        expected: 'Expected every quake of the source, once and in the order of the source.',
        often:
          'your merge asks a source again before the previous next() has settled, or it ignores the promises that lost a race.',
      })
    }
    merge.abort()
  }
})

check('8.1d', 'sources that are ready take turns', async (t) => {
  const sources = sourcesNamed(t, NETWORKS)
  const merge = merged(t, sources)
  for (const [n, source] of sources.entries()) source.release(...quakesOfDay(n + 1, 20))
  for (let taken = 1; taken <= 40; taken += 1) {
    await merge.take(notYielded('Every source had released 20 quakes'))
    // Let every source get ready again.
    await turns()
    const counts = sources.map(({ name }) => idsFrom(merge.items, name).length)
    must(Math.max(...counts) - Math.min(...counts) <= 1, {
      seen: `Four sources were ready all the time. Of the first ${counted(taken, 'item')}, they delivered ${counts.join(', ')}.`,
      expected:
        'Expected no source to be more than one item ahead of another source that is ready. Otherwise a busy source starves the others.',
      often:
        'your merge calls Promise.race() with the sources in the same order each time, and the first promise that has settled wins.',
    })
  }
})

check('8.1e', 'a source is asked for one quake at a time, and only on demand', async (t) => {
  const sources = sourcesNamed(t, ['us', 'ci', 'ak'])
  const [silent, ...ready] = sources
  const merge = merged(t, sources)
  for (const source of ready) source.release(...quakes(20))
  for (let round = 0; round < 10; round += 1) {
    await merge.take(notYielded('Two sources had released 20 quakes'))
    // Everything that does not wait for the loop has happened after some turns.
    await turns(5)
    for (const source of sources) {
      const taken = idsFrom(merge.items, source.name).length
      must(source.pulls <= taken + 1, {
        seen: `The loop took ${counted(taken, 'quake')} of "${source.name}" and then waited, but your merge called next() of that source ${counted(source.pulls, 'time')}.`,
        expected: `Expected at most ${counted(taken + 1, 'call')}: one for each quake that the loop has taken, and one for the next quake. Otherwise a slow loop does not slow the source down, and the quakes pile up in memory.`,
        often:
          source === silent
            ? 'your merge calls next() of every source in each round, even if the previous call is still pending.'
            : 'your merge reads each source in a loop of its own, without waiting until its quake has been taken.',
      })
    }
  }
})

check('8.1f', 'a silent source costs no memory while the others deliver', async (t) => {
  const sources = sourcesNamed(t, ['us', 'ci'])
  const [, busy] = sources
  const merge = merged(t, sources)
  const count = 400
  busy.release(...quakes(count))
  const reactions = countPendingReactions()
  t.atEnd(reactions.stop)
  for (let taken = 0; taken < count; taken += 1) {
    await merge.take(notYielded(`Source "ci" had released ${count} quakes`))
  }
  const most = await reactions.most()
  must(most < count / 4, {
    seen: `Source "us" was silent while "ci" delivered ${count} quakes. Afterwards, ${most} reactions were waiting for one promise that had never settled.`,
    expected:
      'Expected a few reactions, however many quakes are delivered. Every reaction stays in memory until its promise settles, and a silent source may never settle it.',
    often:
      'your merge calls Promise.race() for each item. Each call adds a reaction to every promise that it gets, even to a promise that was in an earlier race.',
  })
})

edgeCase('8.1g', 'two sources may have the same name', async (t) => {
  const sources = sourcesNamed(t, ['us', 'us'])
  const merge = merged(t, sources)
  for (const quake of quakes(4)) {
    for (const source of sources) {
      source.release(quake)
      await takeQuake(merge, source, quake, 'your merge keeps its sources in a map by their names.')
    }
  }
})

// 8.2 The end of a source, and the end of the merge

check('8.2a', 'a source that ends leaves the others running', async (t) => {
  const sources = sourcesNamed(t, ['us', 'ci', 'ak'])
  const merge = merged(t, sources)
  for (const [n, source] of sources.entries()) {
    for (const running of sources.slice(n)) {
      const [quake] = quakes(1)
      running.release(quake)
      await takeQuake(merge, running, quake, 'your merge ends together with the first source.')
    }
    source.end()
  }
  await merge.ends('All three sources had ended')
})

check('8.2b', 'a source that fails yields its error, and the others continue', async (t) => {
  const sources = sourcesNamed(t, ['us', 'ci', 'ak'])
  const [failing, waiting, other] = sources
  const merge = merged(t, sources)
  const [quake, next] = quakes(2)
  const error = failure()
  other.release(quake)
  await takeQuake(merge, other, quake)
  waiting.release(quake)
  await someTurns()
  failing.fail(error)
  await someTurns()
  // The quake and the error may be yielded in either order.
  const one = await merge.take(notYielded('Source "ci" had released a quake, and "us" had failed'))
  if ('error' in one) {
    mustBeError(one, failing, error)
    await takeQuake(
      merge,
      waiting,
      quake,
      'your merge ends when one source fails, or forgets the items that were waiting.',
    )
  } else {
    mustBeQuake(one, waiting, quake)
    await takeError(merge, failing, error)
  }
  for (const running of [waiting, other, waiting, other]) {
    running.release(next)
    await takeQuake(merge, running, next, 'your merge ends when one source fails.')
  }
})

check('8.2c', 'a source that has failed counts as ended', async (t) => {
  const error = failure()
  // A generator would end after its error. This source fails whenever it is asked.
  const failing = sourceOf('us', { next: () => Promise.reject(error) })
  const [other] = sourcesNamed(t, ['ci'])
  const merge = merged(t, [failing, other])
  await takeError(merge, failing, error)
  const [quake] = quakes(1)
  other.release(quake)
  const item = await merge.take(notYielded(`Source "ci" released ${describeQuake(quake)}`))
  must('quake' in item, {
    seen: `Source "us" had failed, and its error had been yielded. Then source "ci" released a quake, and the merge yielded ${describeItem(item)}.`,
    expected: 'Expected a source not to be asked again after it has failed.',
  })
  const last = failure()
  other.fail(last)
  await takeError(merge, other, last)
  await merge.ends('Both sources had failed', {
    often: 'your merge counts the sources that end, but not those that fail.',
  })
})

check('8.2d', 'an abort ends the merge while every source is silent', async (t) => {
  const sources = sourcesNamed(t, NETWORKS)
  const merge = merged(t, sources)
  merge.ask()
  await someTurns()
  merge.abort()
  await merge.ends('Every source was silent and the signal aborted', {
    often:
      'your merge checks the signal only between two items. The wait for the next item must end, too.',
  })
})

check('8.2e', 'an abort closes every source', async (t) => {
  const { merge, sources } = await inEveryState(t)
  merge.abort()
  await merge.ends('The signal aborted', { mayYield: 1 })
  await mustCloseAll(t, sources, 'The signal aborted')
})

check('8.2f', 'leaving the loop closes every source', async (t) => {
  const { merge, sources } = await inEveryState(t)
  await merge.leave(
    'your merge awaits return() of a source. A generator does not obey return() before its pending next() has settled, so abort first.',
  )
  await mustCloseAll(t, sources, 'The loop was left with "break"')
})

edgeCase('8.2g', 'the merge leaves no listener on the signal', async (t) => {
  const endings: Record<string, (merge: Merged, source: ControlledSource) => Promise<void>> = {
    'every source had ended': async (merge, source) => {
      source.end()
      await merge.ends('The source had ended')
    },
    'the loop had been left': (merge) => merge.leave(),
    'the signal had aborted': async (merge) => {
      merge.abort()
      await merge.ends('The signal aborted')
    },
  }
  for (const [when, end] of Object.entries(endings)) {
    const [source] = sourcesNamed(t, ['us'])
    const merge = merged(t, [source])
    for (const quake of quakes(5)) {
      source.release(quake)
      await takeQuake(merge, source, quake)
    }
    await end(merge, source)
    const listeners = getEventListeners(merge.signal, 'abort').length
    must(listeners === 0, {
      seen: `After ${when}, ${counted(listeners, 'listener')} ${listeners === 1 ? 'was' : 'were'} left on the signal.`,
      expected:
        'Expected no listener to be left, because the signal may live as long as the process.',
      often:
        'your merge does not call removeEventListener(). { once: true } removes a listener only when the signal aborts.',
    })
  }
})

edgeCase('8.2h', 'an error that open() throws is a failure of that source', async (t) => {
  const error = failure()
  const broken = {
    name: 'us',
    open(): never {
      throw error
    },
  }
  const [other] = sourcesNamed(t, ['ci'])
  const merge = merged(t, [broken, other])
  await takeError(merge, broken, error)
  const [quake] = quakes(1)
  other.release(quake)
  await takeQuake(merge, other, quake)
  other.end()
  await merge.ends('One source could not be opened, and the other had ended')
})

edgeCase('8.2i', 'a source may fail with any value', async (t) => {
  for (const error of [undefined, null, 0, '']) {
    const [failing, other] = sourcesNamed(t, ['us', 'ci'])
    const merge = merged(t, [failing, other])
    failing.fail(error)
    await takeError(merge, failing, error)
    other.end()
    await merge.ends('One source had failed, and the other had ended')
  }
})

edgeCase('8.2j', 'errors during the clean-up are neither yielded nor uncaught', async (t) => {
  const endings = {
    abort: async (merge: Merged) => {
      merge.abort()
      await merge.ends('The signal aborted, and every source threw an AbortError', {
        often:
          'your merge treats the error of an aborted source as a failure. It is the end that your code asked for.',
      })
    },
    leave: (merge: Merged) => merge.leave(),
  }
  for (const end of Object.values(endings)) {
    const sources = sourcesNamed(t, ['us', 'ci', 'ak'], { throwsOnAbort: true })
    const [ready] = sources
    const grumpy = sourceOf('nc', {
      next: () => new Promise<never>(() => {}),
      return: () => Promise.reject(failure()),
    })
    const merge = merged(t, [...sources, grumpy])
    const [quake] = quakes(1)
    ready.release(quake)
    await takeQuake(merge, ready, quake)
    await end(merge)
    await someTurns()
  }
})

edgeCase('8.2k', 'a source that ignores its signal does not delay the end', async (t) => {
  const often =
    'your merge waits until every source has ended, or it awaits return() of a source. The return() of a generator waits for the pending next().'
  const mustReturn = (source: ControlledSource): void =>
    must(source.isReturned, {
      seen: 'The merge had ended, but return() of a source that ignores its signal was not called.',
      expected:
        'Expected return() to be called on every source, because some sources do not know the signal.',
    })
  const [deaf] = sourcesNamed(t, ['us'], { ignoresSignal: true })
  const aborted = merged(t, [deaf])
  aborted.ask()
  await someTurns()
  aborted.abort()
  await aborted.ends('The only source was silent, and the signal aborted', { often })
  mustReturn(deaf)

  const [other] = sourcesNamed(t, ['us'], { ignoresSignal: true })
  const [ready] = sourcesNamed(t, ['ci'])
  const left = merged(t, [other, ready])
  const [quake] = quakes(1)
  ready.release(quake)
  await takeQuake(left, ready, quake)
  await left.leave(often)
  mustReturn(other)
  await mustCloseAll(t, [ready], 'The loop was left, and another source ignored the signal')
})

edgeCase('8.2l', 'a merge without sources, or with an aborted signal, ends at once', async (t) => {
  await merged(t, []).ends('There were no sources')
  const sources = sourcesNamed(t, ['us', 'ci'])
  const aborted = new AbortController()
  aborted.abort()
  const merge = merged(t, sources, aborted)
  await merge.ends('The signal had aborted before mergeSources() was called', {
    often: 'your merge only listens for "abort", and an aborted signal fires no more events.',
  })
  await mustCloseAll(t, sources, 'The signal had aborted before mergeSources() was called')
})

/** The names of a few networks. Node warns if more than ten listeners listen to one signal. */
const NETWORKS = ['us', 'ci', 'nc', 'ak'] as const

const SWALLOWED = 'your code does not catch the error, or it checks whether the error is truthy.'

/** Plans for releases: which of three sources releases how many quakes, and how many items are taken then. */
const releases = fc.array(
  fc.record({
    of: fc.integer({ min: 0, max: 2 }),
    count: fc.integer({ min: 1, max: 4 }),
    takes: fc.integer({ min: 0, max: 6 }),
  }),
  { minLength: 8, maxLength: 20 },
)

/** Returns one controlled source for each name. */
function sourcesNamed<const Names extends readonly string[]>(
  t: Tools,
  names: Names,
  manner?: Manner,
): { -readonly [N in keyof Names]: ControlledSource } {
  return names.map((name) => controlledSource(t.transcript, name, manner)) as never
}

/** Returns a source with the given iterator. */
function sourceOf(name: string, iterator: AsyncIterator<Quake>): Source {
  return { name, open: () => ({ [Symbol.asyncIterator]: () => iterator }) }
}

function quakesAfter(count: number, more: number): Quake[] {
  return quakes(count + more).slice(count)
}

function idsFrom(items: readonly Item[], name: string): string[] {
  return items.flatMap((item) => (item.source === name && 'quake' in item ? [item.quake.id] : []))
}

async function takeAny(merge: Merged, released: Quake[][]): Promise<void> {
  await merge.take(() =>
    notYielded(
      `The sources had released ${released.flat().length} quakes, and the loop had taken ${merge.items.length} items`,
      'your merge loses a quake when two sources answer at the same time.',
    ),
  )
}

/** Takes an item, and requires that it is the quake of the source. */
async function takeQuake(
  merge: Merged,
  { name }: { name: string },
  quake: Quake,
  often?: string | (() => string),
): Promise<void> {
  const item = await merge.take(() =>
    notYielded(
      `Source "${name}" released ${describeQuake(quake)}`,
      typeof often === 'function' ? often() : often,
    ),
  )
  mustBeQuake(item, { name }, quake)
}

function mustBeQuake(item: Item, { name }: { name: string }, quake: Quake): void {
  must(deepEqual(item, { source: name, quake }), {
    seen: `Source "${name}" released ${describeQuake(quake)}, and the merge yielded ${describeItem(item)}.`,
    expected: `Expected { source: "${name}", quake: … }, with the quake unchanged.`,
  })
}

/** Takes an item, and requires that it is the error of the source. */
async function takeError(merge: Merged, { name }: { name: string }, error: unknown): Promise<void> {
  const item = await merge.take(notYielded(`Source "${name}" failed`, SWALLOWED))
  mustBeError(item, { name }, error)
}

function mustBeError(item: Item, { name }: { name: string }, error: unknown): void {
  must(item.source === name && 'error' in item && Object.is(item.error, error), {
    seen: `Source "${name}" failed, and the merge yielded ${describeItem(item)}.`,
    expected: `Expected { source: "${name}", error: … }, with the error that the source threw.`,
  })
}

function failure(): Error {
  return new Error('the network is unreachable')
}

/** Returns quakes that are all older than those of the next day. */
function quakesOfDay(day: number, count: number): Quake[] {
  return quakes(count).map((quake, n) => ({
    ...quake,
    time: `2018-02-0${day}T00:00:${10 + n}.000Z`,
  }))
}

/** Starts a merge with one source that has delivered, one whose item waits for its turn, and one that is silent. */
async function inEveryState(t: Tools): Promise<{ merge: Merged; sources: ControlledSource[] }> {
  const sources = sourcesNamed(t, ['us', 'ci', 'ak'])
  const [delivers, waits] = sources
  const merge = merged(t, sources)
  const [first, second] = quakes(2)
  delivers.release(first)
  await takeQuake(merge, delivers, first)
  waits.release(second)
  await someTurns()
  return { merge, sources }
}

async function mustCloseAll(
  t: Tools,
  sources: readonly ControlledSource[],
  when: string,
): Promise<void> {
  const open = (): string =>
    sources.flatMap(({ isOpen, name }) => (isOpen ? [`"${name}"`] : [])).join(', ')
  await t.waitFor(() => open() === '', {
    seen: () => `${when}, but ${open()} stayed open. ${describeClosing(sources)}`,
    expected:
      'Expected every source to be closed. An open source keeps its connection, and continues to fetch.',
    often:
      'your merge closes a source only when the source yields again. Abort a signal that every source gets, and then call return() on every source.',
  })
}

/** Describes what the merge has done to the sources that are open. */
function describeClosing(sources: readonly ControlledSource[]): string {
  const [open] = sources.filter(({ isOpen }) => isOpen)
  if (!open) return ''
  return `The signal of "${open.name}" had ${open.isAborted ? '' : 'not '}aborted, and its return() had ${open.isReturned ? '' : 'not '}been called.`
}

/** Waits for everything that follows from the last step without waiting for anything else. */
function someTurns(): Promise<void> {
  return turns(10)
}
