import { getEventListeners } from 'node:events'
import * as fc from 'fast-check'
import type { Quake } from '#feed'
import type { Item, Source } from '#work/08-many-sources/merge.ts'
import { check, edgeCase, must, type Tools } from './harness/check.ts'
import { deepEqual, tryParseJson } from './harness/equality.ts'
import { EventClient } from './harness/event-client.ts'
import { turns } from './harness/event-loop.ts'
import type { StreamEvent } from './harness/event-stream-parser.ts'
import { fanOut, pathFor, type FanOut } from './harness/fan-out/fan-out.ts'
import { stallTimers } from './harness/fan-out/stall-timers.ts'
import {
  describeGot,
  mustBeNamed,
  subjectOf,
  type Happened,
  type Viewer,
} from './harness/fan-out/viewer.ts'
import { gate } from './harness/gate.ts'
import { disconnect } from './harness/login.ts'
import { isEventStream } from './harness/methods.ts'
import {
  controlledSource,
  type ControlledSource,
  type Manner,
} from './harness/merge/controlled-source.ts'
import { describeItem, merged, notYielded, type Merged } from './harness/merge/merged.ts'
import { countPendingReactions } from './harness/merge/pending-reactions.ts'
import { describeQuake, largeQuakes, quakes, seed } from './harness/quakes.ts'
import { counted, listed } from './harness/reconnection/wording.ts'
import { excerpt, SILENT } from './harness/transcript.ts'

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
    seen: `While your merge waited for quakes, it started ${counted(timers.ms.length, 'timer')}, the first with ${timers.ms[0]} ms.`,
    expected: 'Expected no timer. A source that answers can wake the merge at once.',
    often: 'your merge polls: it checks for quakes, sleeps, and checks again.',
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
        seen: `Source "${name}" released ${listed(wanted)}, and the merge yielded ${listed(ids)} from that source.`,
        expected: 'Expected every quake of the source, once and in the order of the source.',
        often:
          'your merge asks a source again before the previous next() has settled, or it ignores the promises that lost a race.',
      })
    }
    merge.abort()
  }
})

check('8.1d', 'sources that always have a quake ready take turns', async (t) => {
  const sources = sourcesNamed(t, NETWORKS)
  const merge = merged(t, sources)
  // The first source has the newest quakes, so that sorting by time does not look like a preference for the first source.
  for (const [n, source] of sources.toReversed().entries())
    source.release(...quakesOfDay(n + 1, 20))
  for (let taken = 1; taken <= 40; taken += 1) {
    await merge.take(notYielded('Every source had released 20 quakes'))
    // Let every source get ready again.
    await turns()
    const counts = sources.map(({ name }) => idsFrom(merge.items, name).length)
    must(Math.max(...counts) - Math.min(...counts) <= 1, {
      seen: `Four sources always had a quake ready. Of the first ${counted(taken, 'item')}, the merge yielded ${counts.join(', ')} from ${NETWORKS.join(', ')}.`,
      expected:
        'Expected no source to be more than one item ahead of another source that is ready. Otherwise a busy source starves the others.',
      ...(counts[0] === Math.max(...counts) && {
        often:
          'your merge prefers the first source in its list, as Promise.race() prefers the first promise that has settled.',
      }),
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
        seen: `The loop took ${counted(taken, 'quake')} from "${source.name}" and then paused, but your merge called next() of that source ${counted(source.pulls, 'time')}.`,
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
      'your merge checks the signal only between two items. The abort must also end the wait for the next item.',
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
          'your merge treats the error of an aborted source as a failure, although your code has aborted that source.',
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

// 8.3 The fan-out

check('8.3a', 'a stream begins with the policy, and an unknown policy gets 400', async (t) => {
  const { server } = await fanOut(t, { limit: 7 })
  for (const given of [undefined, ...POLICIES]) {
    const client = t.connect(server)
    const path = pathFor(given)
    const head = await client.get(path, NO_HEAD)
    must(head.status === 200 && isEventStream(head), {
      seen: `GET ${path} was answered with status ${head.status} and Content-Type "${head.headers.get('content-type') ?? ''}".`,
      expected: 'Expected status 200 and the type text/event-stream.',
    })
    const expected = { when_slow: given ?? 'drop-oldest', limit: 7 }
    const event = await client.events.next({
      seen: `GET ${path} got no event.`,
      expected: 'Expected the stream to begin with an event named "policy".',
    })
    must(event.type === 'policy' && deepEqual(tryParseJson(event.data), expected), {
      seen: `The first event of GET ${path} was ${describeGot(event)}.`,
      expected: `Expected an event named "policy" with the data ${JSON.stringify(expected)}.`,
    })
  }
  for (const given of ['fastest', 'Latest', '']) {
    const client = t.connect(server)
    const path = pathFor(given)
    const { status } = await client.get(path, NO_HEAD)
    must(status === 400, {
      seen: `GET ${path} was answered with status ${status}.`,
      expected:
        'Expected status 400, because a client that asks for an unknown policy would wait for a behaviour that it never gets.',
    })
  }
})

check('8.3b', 'the items of all sources are numbered and sent as they happen', async (t) => {
  const { sources, view } = await fanOut(t, { encode: undefined })
  const client = await view('client')
  for (const [n, quake] of quakes(6).entries()) {
    const source = sources[n % sources.length]!
    source.release(quake)
    await client.gets(
      { id: n + 1, source: source.name, quake },
      `Source "${source.name}" delivered item ${n + 1}`,
    )
  }
})

check('8.3c', 'the sources are opened once, and each item is encoded once', async (t) => {
  // Node warns about more than ten listeners, and one listener per client on the shutdown signal is right.
  const CLIENTS = 5
  const fan = await fanOut(t)
  const viewers = []
  for (let n = 1; n <= CLIENTS; n += 1) viewers.push(await fan.view(`client ${n}`))
  await fan.happen(3, { readers: viewers })
  const opened = fan.sources.map((source) => source.opened)
  must(
    opened.every((count) => count === 1),
    {
      seen: `${CLIENTS} clients connected, and the three sources were opened ${opened.join(', ')} times.`,
      expected: 'Expected each source to be opened once, because all clients share the merge.',
      often: 'your handler merges the sources for each client.',
    },
  )
  must(fan.encoded === 3, {
    seen: `3 items happened while ${CLIENTS} clients were connected, and encode() was called ${fan.encoded} times.`,
    expected:
      'Expected encode() to be called 3 times. The frame is the same for every client, so a thousand clients would otherwise cost a thousand times the work.',
    often:
      'your server calls encode() where it writes to a client. Encode each item before you send it.',
  })
})

check(
  '8.3d',
  'a client without a cursor gets new items, and one with a cursor resumes',
  async (t) => {
    const { view, happen } = await fanOut(t)
    const all = await happen(4)
    const fresh = await view('client A')
    const resumed = await view('client B', { lastEventId: '2' })
    const complete = await view('client C', { lastEventId: '4' })
    const often =
      'your server ignores Last-Event-ID, or it sends an item twice while the client changes from the kept items to the new ones.'
    for (const item of all.slice(2)) {
      await resumed.gets(item, 'Client B connected with Last-Event-ID: 2 after item 4', often)
    }
    const [fifth] = await happen(1)
    for (const one of [fresh, resumed, complete]) await one.gets(fifth!, 'Item 5 happened', often)
  },
)

check(
  '8.3e',
  'the failure of a source is sent as an event, and the other sources continue',
  async (t) => {
    const { sources, view } = await fanOut(t, { encode: undefined })
    const client = await view('client')
    sources[0].fail(new Error('the network is unreachable'))
    const often = 'your server stops reading the merge when an item has an error.'
    const event = await client.next({
      seen: 'Source "us" failed, but no event arrived.',
      expected: 'Expected an event named "source-failed", with the name of the source.',
      often: () => (client.response.writableEnded ? often : undefined),
    })
    must(event.type === 'source-failed' && event.data.includes('us') && event.lastEventId === '1', {
      seen: `Source "us" failed, and the client got ${describeGot(event)}.`,
      expected:
        'Expected an event named "source-failed" with the ID "1" and the name of the source in its data.',
    })
    const [quake] = quakes(1)
    sources[1].release(quake)
    const told = 'Source "us" failed, and then source "ci" delivered item 2'
    await client.gets({ id: 2, source: 'ci', quake }, told, often)
  },
)

check('8.3f', 'a client that disconnects leaves nothing behind', async (t) => {
  const timers = t.trackTimers()
  const shutdown = new AbortController()
  const { server, view, happen } = await fanOut(t, { shutdown: shutdown.signal })
  const listeners = (): number => getEventListeners(shutdown.signal, 'abort').length
  const mayListen = listeners()
  let mayStay: number | undefined
  for (const how of ['while it was idle', 'while it was idle', 'after it had stopped reading']) {
    const client = await view('client A')
    if (how.includes('stopped')) {
      const reader = await view('client B')
      client.hold()
      await happen(1, { readers: [reader] })
      await disconnect(t, server, reader.client, 1)
    }
    await disconnect(t, server, client.client)
    await someTurns()
    // One timer for all clients may stay.
    mayStay ??= timers.alive()
    await t.waitFor(() => timers.alive() <= mayStay!, {
      seen: () =>
        `A client disconnected ${how}, and ${describeTimers(timers)} ${timers.alive() === 1 ? 'was' : 'were'} left.`,
      expected: 'Expected no timer of that client to be left.',
      often: how.includes('stopped')
        ? 'your handler does not clear the timer that limits the wait for "drain" when the response emits "close".'
        : 'your handler does not clear the heartbeat when the response emits "close".',
    })
    await t.waitFor(() => listeners() <= mayListen, {
      seen: () =>
        `A client disconnected ${how}, and ${counted(listeners() - mayListen, 'listener')} of that client ${listeners() - mayListen === 1 ? 'was' : 'were'} left on the shutdown signal.`,
      expected:
        'Expected no listener of that client to be left, because a listener keeps its response in memory.',
      often: 'your handler does not remove its listener when the response emits "close".',
    })
  }
  const next = await view('client')
  await happen(1, { readers: [next] })
})

edgeCase('8.3g', 'a client that joins during a broadcast misses nothing', async (t) => {
  const login = gate()
  const { server, view, happen } = await fanOut(t, { before: login.handler })
  const a = await view('client A')
  const leaver = await view('client B')
  const d = await view('client D')
  await happen(2, { readers: [a, leaver, d] })
  login.shut()
  const joiner = t.connect(server, 'client C')
  joiner.request(pathFor(), { lastEventId: '2' })
  await t.waitFor(() => login.waiting > 0, NO_HEAD)
  a.onWrite('"q3"', () => {
    t.transcript.step(
      'while item 3 is being written to client A, client C joins and client B leaves',
    )
    leaver.response.destroy()
    login.open()
  })
  const often =
    'your server changes its list of clients while it goes through the list, or it stores an item only after it has sent it.'
  const all = await happen(2)
  for (const item of all) {
    for (const one of [a, d]) await one.gets(item, `Item ${item.id} happened`, often)
  }
  const events = new EventClient(joiner, SILENT)
  for (const wanted of ['policy', '3', '4']) {
    const story = {
      expected: 'Expected the event named "policy", item 3 and item 4, each once.',
      often,
    }
    const seen = 'Client C joined with Last-Event-ID: 2 while item 3 was being sent to others'
    const event = await events.next({ ...story, seen: `${seen}, but did not get ${wanted}.` })
    must(event.type === wanted || event.lastEventId === wanted, {
      ...story,
      seen: `${seen}, and got ${describeGot(event)} instead of ${wanted}.`,
    })
  }
})

edgeCase('8.3h', 'a client whose write throws harms no other client', async (t) => {
  const { view, happen } = await fanOut(t)
  const broken = await view('client A')
  const others = [await view('client B'), await view('client C')]
  broken.onWrite('"q1"', () => {
    t.transcript.step('the write to client A throws')
    throw new Error('this client is broken')
  })
  const often = 'the error of one client ends the loop that serves all clients.'
  for (const item of await happen(2)) {
    for (const one of others) await one.gets(item, 'The write to client A threw', often)
  }
})

edgeCase(
  '8.3i',
  'heartbeats are sent while the stream is idle, but not to a full response',
  async (t) => {
    const { view, happen } = await fanOut(t, { heartbeatMs: 2 })
    const slow = await view('slow client')
    const idle = await view('idle client')
    const beats = {
      seen: 'The stream was idle, but no heartbeat arrived.',
      expected: 'Expected a heartbeat every few milliseconds.',
    }
    slow.hold()
    await happen(1, { readers: [idle] })
    await idle.client.events.heartbeats(5, beats)
    must(slow.writesWhileFull === 0, {
      seen: 'The slow client had stopped reading, and your server wrote heartbeats to its full response.',
      expected:
        'Expected no heartbeat for a client that does not read, because it would only fill memory.',
      often: 'your heartbeat does not check res.writableNeedDrain.',
    })
  },
)

edgeCase(
  '8.3j',
  'an ID that this server has not sent leads to a gap of unknown size',
  async (t) => {
    const { view, happen } = await fanOut(t, { limit: 3 })
    const kept = await happen(2)
    for (const lastEventId of ['480', '3', 'us7000', '-1', '1.5']) {
      const client = await view('client', { lastEventId })
      const when = `The server had sent 2 items, and a client connected with Last-Event-ID: ${lastEventId}`
      const data = await mustBeNamed(client, 'gap', {
        seen: when,
        expected: 'Expected an event named "gap", because the ID is from before a restart.',
        often: 'your server has no rule for an ID that it has not sent, so it waits for new items.',
      })
      must(deepEqual(data, { dropped: null }), {
        seen: `${when}, and the gap had the data ${JSON.stringify(data)}.`,
        expected: 'Expected {"dropped":null}, because the server cannot know how much is missing.',
      })
      for (const item of kept) await client.gets(item, when)
      client.client.close()
    }
  },
)

edgeCase('8.3k', 'a shutdown, or the end of all sources, ends every stream', async (t) => {
  const shutdown = new AbortController()
  const { server, sources, view, happen } = await fanOut(t, { shutdown: shutdown.signal })
  const client = await view('client')
  await happen(2, { readers: [client] })
  t.transcript.step('the shutdown begins')
  shutdown.abort()
  await t.waitFor(() => sources.every(({ isOpen }) => !isOpen), {
    seen: 'The shutdown began, but a source stayed open.',
    expected: 'Expected every source to be closed. Pass the signal to mergeSources().',
  })
  await mustEnd(t, server, client, 'The shutdown began')

  const other = await fanOut(t)
  const last = await other.view('client')
  t.transcript.step('every source ends')
  for (const source of other.sources) source.end()
  await mustEnd(t, other.server, last, 'Every source ended')
})

// 8.4 A slow client

check('8.4a', 'a slow client delays no other client', async (t) => {
  const { view, happen } = await fanOut(t, { limit: LIMIT })
  const slow = await view('slow client')
  const quick = await view('quick client')
  slow.hold()
  await happen(4 * LIMIT, { readers: [quick] })
})

check('8.4b', 'nothing is written to a full response', async (t) => {
  const { view, happen } = await fanOut(t, { limit: LIMIT })
  const slow = await view('slow client')
  slow.hold()
  await happen(4 * LIMIT)
  mustNotWriteToFull(slow, 4 * LIMIT)
})

check('8.4c', 'a client gets all waiting items if they are within the limit', async (t) => {
  const { view, happen } = await fanOut(t, { limit: LIMIT })
  const slow = [await view('slow client 1'), await view('slow client 2')]
  for (const one of slow) one.hold()
  // The first item is on its way, so only the others are waiting. They are small, so one "drain" is enough for all of them.
  const all = await happen(1)
  all.push(...(await happen(LIMIT, { areSmall: true })))
  for (const one of slow) {
    one.letGo()
    for (const item of all) {
      await one.gets(
        item,
        `The limit is ${LIMIT}, and ${LIMIT} items were waiting when ${one.name} resumed reading`,
        {
          ifNone: 'your server sends only one item at each "drain".',
          ifOther: 'your limit is off by one, or it counts the items of all clients together.',
        },
      )
    }
  }
})

check('8.4d', 'the gap is sent where items are missing, with their exact number', async (t) => {
  const { told, dropped, before, all } = await readAfterHold(t)
  must(dropped === all.length - before.length - LIMIT, {
    seen: `${told} The client got ${counted(before.length, 'item')}, and then a gap with {"dropped":${JSON.stringify(dropped)}}.`,
    expected: `Expected {"dropped":${all.length - before.length - LIMIT}}, because ${LIMIT} of the other ${all.length - before.length} items are still kept.`,
    ...causeOfNumber(dropped, all.length - before.length),
  })
})

check('8.4e', 'after the gap, a client gets the newest items, as many as the limit', async (t) => {
  const { told, slow, all, happen } = await readAfterHold(t)
  for (const item of all.slice(-LIMIT)) {
    await slow.gets(
      item,
      `${told} The client got the gap`,
      'your server drops the newest items instead of the oldest, or it keeps more or fewer items than the limit.',
    )
  }
  const [next] = await happen(1)
  await slow.gets(next!, 'The slow client had caught up, and another item happened')
})

edgeCase(
  '8.4f',
  'each gap counts only the items that have been dropped since the previous gap',
  async (t) => {
    const { view, happen } = await fanOut(t, { limit: LIMIT })
    const slow = await view('slow client')
    for (const count of [3 * LIMIT, 2 * LIMIT]) {
      slow.hold()
      const all = await happen(count)
      slow.letGo()
      const { before, dropped } = await readUntilGap(
        slow,
        `${count} items happened while it did not read`,
      )
      must(dropped === count - before.length - LIMIT, {
        seen: `The slow client stopped reading again, ${count} items happened, and it got ${counted(before.length, 'item')} and a gap with {"dropped":${JSON.stringify(dropped)}}.`,
        expected: `Expected {"dropped":${count - before.length - LIMIT}}.`,
        often: 'your server does not reset its count of dropped items after it has sent a gap.',
      })
      for (const item of all.slice(-LIMIT)) await slow.gets(item, 'The slow client got a gap')
    }
  },
)

edgeCase('8.4g', 'a client that reconnects too late gets the gap first', async (t) => {
  await resumeTooLate(t)
})

edgeCase('8.4h', 'a burst costs no item if the client keeps reading', async (t) => {
  const { sources, view } = await fanOut(t)
  const client = await view('client')
  const count: number = 3000
  const burst = quakes(count).map((quake, n) => ({ ...quake, id: `q${n + 1}` }))
  for (const [n, source] of sources.entries())
    source.release(...burst.filter((_, at) => at % sources.length === n))
  t.transcript.step(`the sources delivered ${count} items at once`)
  for (let id = 1; id <= count; id += 1) {
    const when = `The limit is 1000, and ${count} items happened at once while the client was reading. After ${id - 1} items`
    const event = await client.next({
      seen: `${when}, it got no further event.`,
      expected: `Expected the client to get all ${count} items.`,
    })
    must(event.type === 'message', {
      seen: `${when}, it got ${describeGot(event)}.`,
      expected: `Expected the client to get all ${count} items.`,
      often:
        'your loop reads the merge without leaving a turn to the sockets, so "drain" cannot happen. Await nextTurn() after each item.',
    })
  }
})

// 8.5 The latest of each source

check('8.5a', 'latest sends the newest waiting item of each source, and no gap', async (t) => {
  const { view, happen } = await fanOut(t, { limit: LIMIT })
  const slow = await view('slow client', { whenSlow: 'latest' })
  slow.hold()
  const all = await happen(4 * LIMIT)
  mustNotWriteToFull(slow, 4 * LIMIT)
  slow.letGo()
  const got = await readNewest(slow, all)
  // The items that were on their way when the client stopped reading.
  const before = got.findIndex(({ n }, at) => n !== at + 1)
  const rest = numbersOf(got).slice(before)
  must(before < LIMIT && rest.length === newestOf(all).length, {
    seen: `${all.length} items of three sources happened while the slow client did not read. Then it got ${describeItems(got)}.`,
    expected: `Expected the item that was on its way, and then only ${listed(newestOf(all).map(String))}, the newest item of each source.`,
    often: 'your server keeps every waiting item, whatever its source.',
  })
  const [next] = await happen(1)
  await slow.gets(
    next!,
    'The slow client had the newest item of each source, and another item happened',
  )
})

check('8.5b', 'latest keeps the newest item of a source that is often silent', async (t) => {
  const { view, happen } = await fanOut(t, { limit: LIMIT })
  const slow = await view('slow client', { whenSlow: 'latest' })
  slow.hold()
  const all = await happen(1, { from: 1 })
  all.push(...(await happen(1, { from: 0 })))
  all.push(...(await happen(4 * LIMIT, { from: 1 })))
  slow.letGo()
  await readNewest(
    slow,
    all,
    'your server looks for the newest items among the last items that it keeps for everyone.',
  )
})

check('8.5c', 'with latest, every ID is safe to resume from', async (t) => {
  const { view, happen } = await fanOut(t, { limit: LIMIT })
  const slow = await view('slow client', { whenSlow: 'latest' })
  slow.hold()
  // The order in which the sources appear first is not the order of their newest items.
  const all: Happened[] = []
  for (const from of [1, 0, 1, 2, 1, 2, 1, 1, 1]) all.push(...(await happen(1, { from })))
  slow.letGo()
  const got = await readNewest(slow, all)
  const ids = got.map(({ id }) => id)
  must(
    ids.every((id, at) => at === 0 || id > ids[at - 1]!),
    {
      seen: `The slow client got events with the IDs ${listed(ids.map(String))}, in this order.`,
      expected:
        'Expected the IDs to increase. A client that is cut off resumes after its last ID, so it never gets an item with a lower ID.',
      often:
        'your map keeps the place of a key that is set again. Delete the key before you set it.',
    },
  )
  for (const [at, last] of ids.entries()) {
    const has = got.slice(0, at + 1).map(({ n }) => n)
    const needs = all.filter(({ id }) => newestOf(all).includes(id) && !has.includes(id))
    if (needs.length === 0) continue
    const again = await view('client', { whenSlow: 'latest', lastEventId: String(last) })
    t.transcript.step(`the client has the items ${listed(has.map(String))}`)
    await readNewest(
      again,
      needs,
      'your server sends an item with an ID that is too high, or it does not look for the newest item of each source when a client resumes.',
    )
    again.client.close()
  }
})

edgeCase('8.5d', 'with latest, a client that keeps up gets every item', async (t) => {
  const { view, happen } = await fanOut(t, { limit: LIMIT })
  const slow = await view('slow client', { whenSlow: 'latest' })
  const quick = await view('quick client', { whenSlow: 'latest' })
  slow.hold()
  const all = await happen(2 * LIMIT, { readers: [quick], from: 0 })
  slow.letGo()
  await readNewest(slow, all)
  await happen(2 * LIMIT, { readers: [slow, quick] })
})

// 8.6 Disconnecting, and a drain that never happens

check(
  '8.6a',
  'a client with exactly as many waiting items as the limit stays connected',
  async (t) => {
    const { view, happen } = await fanOut(t, { limit: LIMIT })
    const slow = await view('slow client', { whenSlow: 'disconnect' })
    slow.hold()
    const all = await happen(1 + LIMIT)
    slow.letGo()
    all.push(...(await happen(1)))
    for (const item of all) {
      await slow.gets(
        item,
        `The limit is ${LIMIT}, and ${LIMIT} items were waiting for the slow client`,
      )
    }
  },
)

check('8.6b', 'disconnect ends the stream with an event named "too-slow"', async (t) => {
  const timers = t.trackTimers()
  const { view, happen } = await fanOut(t, { limit: LIMIT })
  const slow = await view('slow client', { whenSlow: 'disconnect' })
  slow.hold()
  const all = await happen(4 * LIMIT)
  slow.letGo()
  const when = `${all.length} items happened while the slow client did not read`
  const { before, event } = await readUntilNamed(slow, when, 'too-slow')
  const { behind } = (tryParseJson(event.data) ?? {}) as { behind?: number }
  const most = all.length - before.length
  must(typeof behind === 'number' && behind > LIMIT && behind <= most, {
    seen: `${when}. The client got ${counted(before.length, 'item')}, and then "too-slow" with the data ${excerpt(event.data)}.`,
    expected: `Expected the number of items that were waiting: more than the limit of ${LIMIT}, and at most ${most}.`,
  })
  const how = await slow.client.ended({
    seen: 'The slow client got "too-slow", but its stream stayed open.',
    expected: 'Expected the response to end after that event.',
  })
  must(how === 'complete' && !slow.hasMore, {
    seen: `The slow client got "too-slow", and then ${how === 'cut' ? 'the connection was cut' : 'another event'}.`,
    expected: 'Expected "too-slow" to be the last event, and the response to end normally.',
  })
  await t.waitFor(() => timers.alive() === 0, {
    seen: () =>
      `The stream of the slow client ended, and ${describeTimers(timers)} ${timers.alive() === 1 ? 'was' : 'were'} left.`,
    expected: 'Expected no timer of that client to be left.',
  })
})

check('8.6c', 'a client that never reads again is cut off after stallMs', async (t) => {
  for (const whenSlow of ['drop-oldest', 'latest']) {
    const timers = t.trackTimers()
    const stallMs = 300
    const { server, sources, view, happen } = await fanOut(t, { limit: LIMIT, stallMs })
    const slow = await view('slow client', { whenSlow })
    slow.hold()
    await happen(2)
    const [quake] = quakes(1)
    const isReleased = (): boolean => {
      // The sources do not pause while the client does not read.
      sources[0].release(quake)
      return server.connections === 0 && timers.alive() === 0
    }
    await t.waitFor(isReleased, {
      seen: () =>
        `A client with the policy "${whenSlow}" stopped reading, and items continued to happen. Long after stallMs, ${counted(server.connections, 'connection')} and ${describeTimers(timers)} were left.`,
      expected:
        'Expected the connection to be cut and everything of the client to be released. The connection of a sleeping laptop stays open, so "close" may never happen.',
      often: () => {
        if (server.connections === 0)
          return 'your handler does not clear a timer when the response emits "close", or it starts one afterwards.'
        return timers.delays().includes(stallMs)
          ? 'your server starts the wait again with each item.'
          : 'your server waits for "drain" without a limit.'
      },
    })
  }
})

edgeCase('8.6d', 'a client that does not read "too-slow" is cut off', async (t) => {
  const { server, sources, view, happen } = await fanOut(t, { limit: LIMIT, stallMs: 100 })
  const slow = await view('slow client', { whenSlow: 'disconnect' })
  slow.hold()
  const [quake] = largeQuakes(1)
  for (const source of sources) source.release(...Array.from({ length: LIMIT }, () => quake!))
  t.transcript.step(`the sources delivered ${3 * LIMIT} items at once`)
  const often = 'your server calls res.end() and waits until the client has read the rest.'
  const expected =
    'Expected the connection to be cut, because the response of a client that does not read never finishes.'
  await t.waitFor(() => server.connections === 0, {
    seen: 'More items than the limit were waiting for the slow client, and its connection was left long after stallMs.',
    expected,
    often,
  })

  const again = await view('slow client', { whenSlow: 'disconnect' })
  again.hold()
  await happen(4 * LIMIT)
  // A server that sends "too-slow" only at the next "drain" starts a wait of its own for it.
  again.onWrite('too-slow', again.hold)
  again.letGo()
  await t.waitFor(() => server.connections === 0, {
    seen: 'The slow client resumed reading, and stopped again when "too-slow" was sent. Its connection was left long after stallMs.',
    expected,
    often,
  })
})

edgeCase('8.6e', 'a client that reads again in time stays connected', async (t) => {
  const stallMs = 12_345
  const timers = stallTimers(t, stallMs)
  const { view, happen } = await fanOut(t, { limit: LIMIT, stallMs })
  const slow = await view('slow client')
  const when = 'The slow client stopped reading, but resumed in time'
  const often =
    'your handler does not clear the timer at "drain", so it cuts a client that reads again.'
  for (let round = 0; round < 3; round += 1) {
    slow.hold()
    const all = await happen(2)
    slow.letGo()
    for (const item of all) await slow.gets(item, when, often)
    await someTurns()
    timers.fire()
    const [next] = await happen(1)
    await slow.gets(next!, `${when}. Then stallMs passed, and item ${next!.id} happened`, often)
  }
})

edgeCase('8.6f', 'disconnecting one client skips no other client', async (t) => {
  const { view, happen } = await fanOut(t, { limit: LIMIT })
  const before = await view('client A')
  const slow = [
    await view('slow client 1', { whenSlow: 'disconnect' }),
    await view('slow client 2', { whenSlow: 'disconnect' }),
  ]
  const after = await view('client B')
  for (const one of slow) one.hold()
  await happen(4 * LIMIT, { readers: [before, after] })
})

edgeCase('8.6g', 'nothing is written after "too-slow"', async (t) => {
  const { view, happen } = await fanOut(t, { limit: LIMIT, heartbeatMs: 2 })
  const slow = await view('slow client', { whenSlow: 'disconnect' })
  const idle = await view('idle client')
  slow.hold()
  await happen(4 * LIMIT, { readers: [idle] })
  await idle.client.events.heartbeats(5, {
    seen: 'The stream was idle, but no heartbeat arrived.',
    expected: 'Expected a heartbeat every few milliseconds.',
  })
  must(slow.writesWhileFull <= 1, {
    seen: `The slow client was disconnected while its response was full, and your server wrote to that response ${slow.writesWhileFull} times.`,
    expected: 'Expected at most one write: the event named "too-slow".',
    often: 'your heartbeat continues until "close", which a stalled client delays.',
  })
})

check('8.6h', 'a client that was disconnected can resume after its last ID', async (t) => {
  await resumeTooLate(t, 'disconnect')
})

edgeCase('8.6i', 'a shutdown does not wait for a stalled client', async (t) => {
  const timers = t.trackTimers()
  const shutdown = new AbortController()
  const { server, view, happen } = await fanOut(t, { shutdown: shutdown.signal })
  const slow = await view('slow client')
  slow.hold()
  await happen(2)
  t.transcript.step('the shutdown begins')
  shutdown.abort()
  await t.waitFor(() => server.connections === 0 && timers.alive() === 0, {
    seen: () =>
      `The shutdown began, and ${counted(server.connections, 'connection')} and ${describeTimers(timers)} were left.`,
    expected: 'Expected nothing to be left, because server.close() waits for every connection.',
    often: () =>
      server.connections > 0
        ? 'your handler waits until a stalled client reads.'
        : 'your handler does not clear a timer when the response emits "close", or it starts one afterwards.',
  })
})

const NO_HEAD = {
  seen: 'The request got no response head.',
  expected: 'Expected the response head to be sent at once.',
}

/** The values of `when_slow`. */
const POLICIES = ['drop-oldest', 'latest', 'disconnect'] as const

/** A limit of items that is small enough for a check to exceed it several times. */
const LIMIT = 4

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
      `The loop had taken ${merge.items.length} of the ${released.flat().length} quakes that the sources had released`,
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
    often: () => {
      const source = sources.find(({ isOpen }) => isOpen)
      if (!source?.isAborted)
        return 'your merge does not abort the signal that it passed to open(). A generator does not obey return() before its pending next() has settled, so abort first.'
      return source.isReturned
        ? undefined
        : 'your merge aborts the signal, but does not call return() on every source. A generator that is paused at a "yield" does not notice the abort.'
    },
  })
}

/** Waits until the stream has ended normally and its connection has closed. */
async function mustEnd(
  t: Tools,
  server: FanOut['server'],
  { client }: Viewer,
  when: string,
): Promise<void> {
  const how = await client.ended({
    seen: `${when}, but the stream stayed open.`,
    expected: 'Expected the stream to end, so that the client can reconnect to another server.',
  })
  must(how === 'complete', {
    seen: `${when}, and the connection was cut.`,
    expected: 'Expected the response to end normally.',
  })
  await t.waitFor(() => server.connections === 0, {
    seen: `${when} and the stream ended, but the connection stayed open.`,
    expected: 'Expected the connection to be closed, because server.close() waits for it.',
    often:
      'your handler ends the response, but HTTP keeps the connection alive for the next request. Close the socket when the response has been sent.',
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

function mustNotWriteToFull({ writesWhileFull }: Viewer, count: number): void {
  must(writesWhileFull === 0, {
    seen: `A client stopped reading, ${count} items happened, and your server wrote ${counted(writesWhileFull, 'time')} to the response that was already full.`,
    expected:
      'Expected your server to stop when res.write() returns false, and to continue after "drain". Everything that is written to a full response stays in memory.',
    often: 'your server ignores what res.write() returns.',
  })
}

/** Describes the timers that are left: `2 timers (15000 ms, 30000 ms)`. */
function describeTimers(timers: { delays(): number[] }): string {
  const delays = timers.delays().map((ms) => `${ms} ms`)
  return `${counted(delays.length, 'timer')}${delays.length > 0 ? ` (${listed(delays)})` : ''}`
}

/** Returns the likely cause of a wrong number in a gap, if `lost` and the limit show one. */
function causeOfNumber(dropped: unknown, waited: number): { often?: string } {
  if (dropped === waited)
    return { often: 'your server drops every waiting item as soon as the limit is exceeded.' }
  if (dropped === waited - LIMIT + 1)
    return { often: 'your server counts the item after the gap as dropped.' }
  return {}
}

/** Reconnects two clients: one that needs items which are no longer kept, and one that needs exactly those that are kept. */
async function resumeTooLate(t: Tools, whenSlow?: string): Promise<void> {
  const { view, happen } = await fanOut(t, { limit: LIMIT })
  const all = await happen(LIMIT + 5)
  const policy = whenSlow === undefined ? {} : { whenSlow }
  const late = await view('client A', { ...policy, lastEventId: '2' })
  const when = `${all.length} items happened, and client A connected with Last-Event-ID: 2`
  const data = await mustBeNamed(late, 'gap', {
    seen: when,
    expected: 'Expected an event named "gap", because items after item 2 are no longer kept.',
    often:
      whenSlow === undefined
        ? 'your server checks for a gap only when a connected client falls behind.'
        : 'your server disconnects a client that has missed items when it connects. That client would reconnect forever.',
  })
  must(deepEqual(data, { dropped: 3 }), {
    seen: `${when}, and got a gap with the data ${JSON.stringify(data)}.`,
    expected: `Expected {"dropped":3}, because the server keeps the last ${LIMIT} items.`,
  })
  for (const item of all.slice(-LIMIT)) await late.gets(item, when)
  const inTime = await view('client B', { ...policy, lastEventId: '5' })
  for (const item of all.slice(-LIMIT)) {
    await inTime.gets(
      item,
      'Client B connected with Last-Event-ID: 5, and every item after it is kept',
    )
  }
}

/** Lets four times the limit of items happen while a client does not read, and reads up to the gap. */
async function readAfterHold(
  t: Tools,
): Promise<
  FanOut & { told: string; slow: Viewer; all: Happened[]; before: number[]; dropped: unknown }
> {
  const fan = await fanOut(t, { limit: LIMIT })
  const slow = await fan.view('slow client')
  slow.hold()
  const all = await fan.happen(4 * LIMIT)
  slow.letGo()
  const told = `The limit is ${LIMIT}, and ${all.length} items happened while the slow client did not read.`
  return { ...fan, told, slow, all, ...(await readUntilGap(slow, told)) }
}

async function readUntilGap(
  slow: Viewer,
  when: string,
): Promise<{ before: number[]; dropped: unknown }> {
  const { before, event } = await readUntilNamed(slow, when, 'gap')
  const { dropped } = (tryParseJson(event.data) ?? {}) as { dropped?: unknown }
  return { before, dropped }
}

/** Reads the items that were on their way, up to an event with this name. */
async function readUntilNamed(
  slow: Viewer,
  when: string,
  name: string,
): Promise<{ before: number[]; event: StreamEvent }> {
  const before: number[] = []
  let last: number | undefined
  for (;;) {
    const expected = `Expected an event named "${name}" after the item that was on its way.`
    const soFar = `${when.replace(/\.$/, '')}. Then the client got ${counted(before.length, 'item')}`
    const event = await slow.next({
      seen: `${soFar}, and no further event.`,
      expected,
      often: () =>
        slow.response.destroyed
          ? `your server cuts the connection without sending "${name}".`
          : undefined,
    })
    const id = Number(event.lastEventId)
    if (event.type === name) {
      must(event.lastEventId === String(last ?? ''), {
        seen: `${when.replace(/\.$/, '')}. The event named "${name}" had the ID "${event.lastEventId}".`,
        expected: `Expected "${name}" without an ID, because an ID says that the client has every item up to it.`,
      })
      return { before, event }
    }
    const isNext = last === undefined || id === last + 1
    must(event.type === 'message' && isNext && before.length < LIMIT, {
      seen: `${soFar}, and then ${describeGot(event)}.`,
      expected,
      ...(event.type === 'message' && {
        often: isNext
          ? 'your server keeps every item until the client reads.'
          : `your server drops items without sending "${name}" in their place.`,
      }),
      ...(event.type === 'gap' && {
        often: 'your server handles "disconnect" like "drop-oldest".',
      }),
    })
    last = id
    before.push(id)
  }
}

/** An event of an item: its ID, and the number of the item that its data holds. */
type Got = { id: number; n: number }

/** Reads until the newest item of each source has arrived, and returns everything that arrived. */
async function readNewest(
  client: Viewer,
  all: readonly Happened[],
  often?: string,
): Promise<Got[]> {
  const got: Got[] = []
  const missing = new Set(newestOf(all))
  while (missing.size > 0) {
    const soFar = `${subjectOf(client.name)} got ${describeItems(got)}`
    const expected = `Expected it to get the newest item of each source: ${listed(newestOf(all).map(String))}.`
    const seen = `${soFar}, but not ${listed([...missing].map(String))}.`
    const event = await client.next({ seen, expected, often })
    must(event.type === 'message' && got.length <= all.length, {
      seen: `${soFar}, and then ${describeGot(event)}.`,
      expected,
      often: event.type === 'gap' ? 'your server handles "latest" like "drop-oldest".' : often,
    })
    const { quake } = (tryParseJson(event.data) ?? {}) as Partial<Happened>
    const n = Number(quake?.id.slice(1))
    missing.delete(n)
    got.push({ id: Number(event.lastEventId), n })
  }
  return got
}

/** Returns the numbers of the newest items of each source, in order. */
function newestOf(all: readonly Happened[]): number[] {
  return [...new Map(all.map(({ source, id }) => [source, id])).values()].toSorted((a, b) => a - b)
}

function numbersOf(got: readonly Got[]): number[] {
  return got.map(({ n }) => n)
}

/** Describes items, such as `item 1`, `items 1, 16` or `nothing`. */
function describeItems(got: readonly Got[]): string {
  const numbers = listed(numbersOf(got).map(String))
  return got.length === 0 ? numbers : `${got.length === 1 ? 'item' : 'items'} ${numbers}`
}
