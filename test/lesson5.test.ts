import { getEventListeners } from 'node:events'
import * as fc from 'fast-check'
import type { RequestHandler } from 'express'
import type { Quake } from '#feed'
import { followQuakes } from '#work/05-reconnection/client.ts'
import { createHistory, type Entry } from '#work/05-reconnection/history.ts'
import { createApp } from '#work/05-reconnection/server.ts'
import { watchQuakes } from '#work/05-reconnection/watch.ts'
import { blockSocket } from './harness/block-socket.ts'
import { check, must, type Tools, edgeCase } from './harness/check.ts'
import { describeEvent, EventClient } from './harness/event-client.ts'
import { deepEqual, tryParseJson } from './harness/equality.ts'
import { turns } from './harness/event-loop.ts'
import { collectGarbage } from './harness/garbage.ts'
import { describeError, type Story } from './harness/failure.ts'
import { hasToken } from './harness/header-tokens.ts'
import { disconnect, requestLogin, slowLogin } from './harness/login.ts'
import { GET_FOR_HEAD, isEventStream, mustEndHead } from './harness/methods.ts'
import { awkwardQuakes, describeQuake, LARGE, largeQuakes, quakes, seed } from './harness/quakes.ts'
import type { RawClient } from './harness/raw-client.ts'
import { MAX_QUAKES } from './harness/reconnection/commands.ts'
import { ControlledClock } from './harness/reconnection/controlled-clock.ts'
import {
  cutAfterEachByte,
  ONE_IN_A_HEAD,
  type Attempt,
  type Cut,
} from './harness/reconnection/cut.ts'
import { runCutPlans, type InterruptedRun } from './harness/reconnection/cut-plans.ts'
import { cuttingServer } from './harness/reconnection/cutting-server.ts'
import { fakeHistory, type FakeHistory } from './harness/reconnection/fake-history.ts'
import { eventOf, follow, notGiven, QUICK } from './harness/reconnection/follower.ts'
import { followTimed } from './harness/reconnection/timed-follower.ts'
import {
  append,
  filledHistory,
  idsOf,
  listed,
  readAfter,
} from './harness/reconnection/history-calls.ts'
import { jammedServer, pausedReplay } from './harness/reconnection/jammed-server.ts'
import { counted, someTurns, trackLeftovers } from './harness/reconnection/leftovers.ts'
import { mustHaveCursor, waitForRequest } from './harness/reconnection/requests.ts'
import { resumingClient } from './harness/reconnection/resuming-client.ts'
import { runScenarios } from './harness/reconnection/scenarios.ts'
import { visitedServer } from './harness/reconnection/visits.ts'
import { everyWriteWaits } from './harness/reconnection/slow-writes.ts'
import {
  mustBeNext,
  mustEnd,
  mustTellGap,
  noEvent,
  PATH,
  serveAndSubscribe,
  subscribe,
  waitForRead,
} from './harness/reconnection/subscriber.ts'
import { sampleEvery } from './harness/sampling.ts'
import { scriptedServer, type ScriptedServer } from './harness/scripted-server.ts'
import type { TestServer } from './harness/serve.ts'
import { excerpt, excerptJson, SILENT } from './harness/transcript.ts'
import { waiting } from './harness/waiting.ts'

/** The heartbeatMs of checks that wait for heartbeats. */
const OFTEN = 2

/** So many comments that at least two are heartbeats, even if the server begins with some of its own. */
const SOME = 5

// 5.1 The history

check('5.1a', 'all kept entries are returned, oldest first', async (t) => {
  const { history, happened } = filledHistory(t, 3)
  const { entries, isGap } = await readAfter(t, history, undefined)
  const gave = entries.map(({ quake }) => quake?.id ?? 'no quake')
  must(deepEqual(gave, idsOf(happened)) && !isGap, {
    seen: `after(undefined) returned ${listed(gave)}${isGap ? ' and a gap' : ''}.`,
    expected: `Expected ${listed(idsOf(happened))}, and no gap, because a client without a cursor cannot have missed anything.`,
  })
})

check('5.1b', 'an entry holds the quake and its ID', async (t) => {
  const { history, happened } = filledHistory(t, 3)
  const { entries } = await readAfter(t, history, undefined)
  for (const [n, quake] of happened.entries()) {
    const entry = entries[n]
    must(entry?.id === quake.id && deepEqual(entry.quake, quake), {
      seen: `The entry for quake ${quake.id} is ${excerptJson(entry, 100)}`,
      expected: `Expected { id: "${quake.id}", quake: … }, with the whole quake.`,
      often:
        'your history counts its IDs. After a restart the count starts over, so the same ID names another quake.',
    })
  }
})

check('5.1c', 'after(id) returns the entries after that ID', async (t) => {
  const { history, happened } = filledHistory(t, 5)
  for (const [n, { id }] of happened.entries()) {
    const { ids, isGap, told } = await readAfter(t, history, id)
    const newer = idsOf(happened.slice(n + 1))
    must(deepEqual(ids, newer) && !isGap, {
      seen: `after("${id}") returned ${told}, of ${listed(idsOf(happened))}.`,
      expected: `Expected ${listed(newer)}, and no gap, because the client already has "${id}".`,
      often:
        'your slice is off by one: it includes the entry with that ID, or leaves out the one after it.',
    })
  }
  // The default capacity, with cursors at places that a limited search would not reach.
  const large = createHistory()
  const many = numberedQuakes(DEFAULT_CAPACITY)
  for (const quake of many) large.append(quake)
  t.transcript.step(`a history without a capacity of its own: ${many.length} quakes are appended`)
  for (const at of [0, 1, 63, 64, 99, 100, 255, 256, 500, 743, 871, 935, 998, 999]) {
    const { id } = many[at]!
    const { entries, isGap } = await large.after(id)
    must(!isGap && deepEqual(idsOf(entries), idsOf(many.slice(at + 1))), {
      seen: `${many.length} quakes were appended, and after() with the id of quake ${at + 1} returned ${counted(entries.length, 'entry', 'entries')}${isGap ? ' and a gap' : ''}.`,
      expected: `Expected the ${many.length - at - 1} entries after it, and no gap: by default a history keeps ${DEFAULT_CAPACITY} entries, and finds each of them.`,
    })
  }
})

check('5.1d', 'a history keeps as many entries as its capacity', async (t) => {
  const { history, happened } = filledHistory(t, 8, 3)
  const { ids, isGap } = await readAfter(t, history, undefined)
  const kept = idsOf(happened.slice(-3))
  must(deepEqual(ids, kept), {
    seen: `The capacity is 3, ${happened.length} quakes happened, and after(undefined) returned ${listed(ids)}.`,
    expected: `Expected the last 3: ${listed(kept)}.`,
    often: 'your history never evicts an entry, or it evicts the newest one.',
  })
  must(!isGap, {
    seen: `The last 3 of ${happened.length} quakes are kept, and after(undefined) returned a gap.`,
    expected: 'Expected no gap, because a client without a cursor cannot have missed anything.',
    often: 'your history reports a gap to every client once it has evicted an entry.',
  })
  await forgetsEvicted(t)
})

/** Checks that evicted quakes can be garbage-collected. */
async function forgetsEvicted(t: Tools): Promise<void> {
  const history = createHistory({ capacity: 3 })
  const [quake] = quakes(1)
  const appended: WeakRef<Quake>[] = []
  for (let n = 0; n < 300; n += 1) {
    const each = { ...quake, id: `m-${n}` }
    appended.push(new WeakRef(each))
    history.append(each)
  }
  t.transcript.step(`another history of capacity 3: ${appended.length} quakes are appended`)
  // A WeakRef keeps its object until the end of the turn.
  await turns(2)
  collectGarbage()
  const alive = appended.filter((each) => each.deref() !== undefined).length
  must(alive < 30, {
    seen: `The capacity is 3, ${appended.length} quakes were appended, and ${alive} of them are still in memory.`,
    expected:
      'Expected the history to hold no reference to evicted quakes, because it runs for months.',
  })
  must(!history.isOver, {
    seen: 'end() was not called, and isOver is true.',
    expected: 'Expected isOver to be false.',
  })
}

edgeCase('5.1e', 'a cursor at the last evicted entry is not a gap', async (t) => {
  const { history, happened } = filledHistory(t, 8, 3)
  const { id } = happened.at(-4)!
  const { ids, isGap, told } = await readAfter(t, history, id)
  must(!isGap && deepEqual(ids, idsOf(happened.slice(-3))), {
    seen: `The last 3 entries are kept. after("${id}"), with the ID of the entry before them, returned ${told}.`,
    expected: 'Expected these 3 and no gap, because no entry between is missing.',
    often:
      'your history only searches the kept entries. Remember the ID that was evicted last, because nothing is missing after it.',
  })
})

check('5.1f', 'an evicted entry after the cursor is a gap', async (t) => {
  const { history, happened } = filledHistory(t, 8, 3)
  const kept = idsOf(happened.slice(-3))
  for (const { id } of happened.slice(0, -4)) {
    const { ids, isGap } = await readAfter(t, history, id)
    must(isGap, {
      seen: `The last 3 entries are kept. after("${id}"), with the ID of an older entry, returned no gap.`,
      expected: 'Expected a gap, because entries between that one and these 3 have been evicted.',
      often: 'your history returns the remaining entries without setting isGap.',
    })
    must(deepEqual(ids, kept), {
      seen: `after("${id}") returned a gap and ${listed(ids)}.`,
      expected: `Expected a gap and all kept entries: ${listed(kept)}.`,
    })
  }
})

edgeCase('5.1g', 'an unknown ID is a gap', async (t) => {
  for (const count of [3, 0]) {
    const { history, happened } = filledHistory(t, count)
    for (const id of strangeIds()) {
      const { ids, isGap } = await readAfter(t, history, id)
      must(isGap && deepEqual(ids, idsOf(happened)), {
        seen: `${count === 0 ? 'Nothing is' : `${count} entries are`} kept, and after(${JSON.stringify(id)}) returned ${listed(ids)}${isGap ? ' and a gap' : ' and no gap'}.`,
        expected:
          'Expected a gap and all kept entries, because the history cannot know what the client has.',
        often: 'your history treats an unknown ID as the beginning or as the end.',
      })
    }
  }
})

check('5.1h', 'listeners are called after the entry has been stored', async (t) => {
  const history = createHistory()
  const heard: string[] = []
  const found: Promise<boolean>[] = []
  history.subscribe({
    onEntry({ id }) {
      heard.push(id)
      found.push(history.after(undefined).then(({ entries }) => idsOf(entries).includes(id)))
    },
    onOver() {},
  })
  const happened = quakes(3)
  for (const quake of happened) append(t, history, quake)
  must(deepEqual(heard, idsOf(happened)), {
    seen: `${listed(idsOf(happened))} were appended, and the listener was called for ${listed(heard)}.`,
    expected: 'Expected one call for each entry, in order, before append() returns.',
  })
  const areThere = await Promise.all(found)
  must(areThere.every(Boolean), {
    seen: 'A listener was called for an entry, and after() did not return that entry.',
    expected:
      'Expected after() to return it. A server that reads when it is called would miss the entry.',
    often: 'your append() calls the listeners before it stores the entry.',
  })
})

edgeCase('5.1i', 'unsubscribing stops one listener and no other', async (t) => {
  const history = createHistory()
  const heard = { leaves: [] as string[], stays: [] as string[] }
  const stop = history.subscribe({ onEntry: ({ id }) => heard.leaves.push(id), onOver() {} })
  history.subscribe({ onEntry: ({ id }) => heard.stays.push(id), onOver() {} })
  const [first, second, third] = quakes(3)
  append(t, history, first)
  t.transcript.step('listener 1 unsubscribes')
  stop()
  append(t, history, second)
  must(deepEqual(heard, { leaves: [first.id], stays: [first.id, second.id] }), {
    seen: `Listener 1 unsubscribed after the first of two entries. It was called for ${listed(heard.leaves)}, and listener 2 for ${listed(heard.stays)}.`,
    expected: 'Expected one call for listener 1, and two for listener 2.',
  })
  t.transcript.step('listener 1 unsubscribes again')
  stop()
  append(t, history, third)
  must(heard.stays.length === 3, {
    seen: 'Listener 1 unsubscribed twice, and listener 2 is not called any more.',
    expected: 'Expected the second call to do nothing.',
    often:
      'your code passes the -1 of indexOf() to splice(), and splice(-1, 1) removes the last listener.',
  })
})

check('5.1j', 'end() makes isOver true, and calls the listeners', async (t) => {
  const history = createHistory()
  let wasOver: boolean | undefined
  history.subscribe({ onEntry() {}, onOver: () => (wasOver = history.isOver) })
  const [quake] = quakes(1)
  append(t, history, quake)
  must(!history.isOver && wasOver === undefined, {
    seen: 'An entry was appended, end() was not called, and the history is over.',
    expected: 'Expected isOver to be false until end() is called.',
  })
  t.transcript.step('end() is called')
  history.end()
  must(history.isOver && wasOver === true, {
    seen: `end() was called, isOver is ${history.isOver}, and onOver() was ${wasOver === undefined ? 'not called' : `called while isOver was ${wasOver}`}.`,
    expected: 'Expected isOver to be true first, and then a call of onOver().',
  })
  const { ids } = await readAfter(t, history, undefined)
  must(deepEqual(ids, [quake.id]), {
    seen: `end() was called, and after(undefined) returned ${listed(ids)}.`,
    expected: `Expected ${quake.id}, because a client that missed it can still ask for it.`,
    often: 'your end() clears the entries.',
  })
})

edgeCase('5.1k', 'a returned array does not change later', async (t) => {
  for (const id of [undefined, quakes(1)[0].id, 'of-another-life']) {
    const { history, happened } = filledHistory(t, 4, 3)
    const { entries } = await readAfter(t, history, id)
    append(t, history, quakes(5)[4])
    must(deepEqual(idsOf(entries), idsOf(happened.slice(-3))), {
      seen: `after(${JSON.stringify(id)}) returned 3 entries. Then another quake was appended, and the returned array became ${listed(idsOf(entries))}.`,
      expected:
        'Expected the array to stay the same, because the server may still be sending it to a slow client.',
      often:
        'your after() returns the array of the history itself. Return a copy, such as entries.slice().',
    })
  }
})

edgeCase('5.1l', 'unsubscribing inside a callback skips no other listener', async (t) => {
  const history = createHistory()
  const heard: string[] = []
  const stop = history.subscribe({ onEntry: () => stop(), onOver() {} })
  history.subscribe({ onEntry: ({ id }) => heard.push(id), onOver() {} })
  t.transcript.step('listener 1 will unsubscribe when it is called')
  const [quake] = quakes(1)
  append(t, history, quake)
  must(deepEqual(heard, [quake.id]), {
    seen: `Listener 1 unsubscribed while it was called for "${quake.id}". Listener 2 was called for ${listed(heard)}.`,
    expected: 'Expected one call of listener 2 for that entry.',
    often:
      'your append() loops over an array while a listener is removed from it, so the next listener moves up and is skipped.',
  })
})

// 5.2 Replay

check('5.2a', 'the head and retry are sent before the history has been read', async (t) => {
  const history = fakeHistory(t.transcript)
  history.append(...quakes(1))
  history.blockReads('as it was')
  const client = t.connect(await t.serve(createApp(history, { retryMs: 1234 })))
  const head = await client.get(PATH, {
    seen: 'The history was still being read, and the client had not got the head of the response.',
    expected: 'Expected the head at once, because an EventSource is not open before it arrives.',
    often: 'your handler writes nothing until the history has been read.',
  })
  must(head.status === 200 && isEventStream(head), {
    seen: `GET ${PATH} was answered ${head.status}, Content-Type: ${head.headers.get('content-type')}.`,
    expected: 'Expected 200 and text/event-stream.',
  })
  const control = head.headers.get('cache-control')
  must(hasToken(control, 'no-store', 'no-cache'), {
    seen: `The Cache-Control is ${control}.`,
    expected:
      'Expected no-store or no-cache, because a cache between server and client would replay old quakes.',
  })
  must(hasToken(head.headers.get('x-accel-buffering'), 'no'), {
    seen: 'The response has no X-Accel-Buffering: no.',
    expected: 'Expected that header, as in lesson 4, because nginx would buffer the events.',
  })
  const expected =
    'Expected retry: 1234 right after the head. It says how long to wait before reconnecting.'
  const retry = await client.events.retry({
    seen: 'retryMs is 1234, and no "retry" field arrived.',
    expected,
    often: 'your handler sends retry after the history, or not at all.',
  })
  must(retry === 1234, { seen: `retryMs is 1234, and the field says ${retry}.`, expected })
})

check('5.2b', 'a client without a cursor gets all kept entries, then new ones', async (t) => {
  const history = fakeHistory(t.transcript)
  const happened = quakes(5)
  history.append(...happened.slice(0, 3))
  const { events } = await serveAndSubscribe(t, history)
  for (const [n, quake] of happened.entries()) {
    if (n >= 3) history.append(quake)
    const { data } = await events.next({
      ...noEvent({ quake }),
      often:
        n < 3
          ? 'your handler sends only new entries to a client without a cursor.'
          : 'your handler sends the kept entries and then does not wait for new ones. That is task 5.3.',
    })
    must(data.includes(quake.id), {
      seen: `The client got ${excerpt(data)}`,
      expected: `Expected quake ${quake.id}: the kept entries first, from the oldest on.`,
    })
  }
})

edgeCase('5.2c', 'an event has the quake as JSON in its data, and no name', async (t) => {
  const history = fakeHistory(t.transcript)
  // Values that break code, and at the end one that corrects the first: it has the same id and other data.
  const happened = awkwardQuakes()
  history.append(...happened.slice(0, -1))
  const { events } = await serveAndSubscribe(t, history)
  for (const quake of happened) {
    if (quake === happened.at(-1)) history.append(quake)
    const event = await events.next(noEvent({ quake }))
    must(event.type === 'message' && deepEqual(tryParseJson(event.data), quake), {
      seen: `The event of ${describeQuake(quake)} is ${describeEvent(event)}.`,
      expected: `Expected no name, and the data ${excerpt(JSON.stringify(quake))}`,
    })
  }
})

check('5.2d', 'the ID of an event is the ID of its entry', async (t) => {
  const history = fakeHistory(t.transcript)
  const [old, fresh] = quakes(2)
  const [first] = history.append(old)
  const { events } = await serveAndSubscribe(t, history)
  await hasItsId(first)
  const [second] = history.append(fresh)
  await hasItsId(second)
  const others = fakeHistory(t.transcript, { ids: ODD_IDS })
  const entries = others.append(...quakes(ODD_IDS.length))
  const server = await t.serve(createApp(others))
  const all = await subscribe(t, server, { name: 'client B' })
  for (const entry of entries) await mustBeNext(all.events, entry, { often: ID_CHANGED })

  async function hasItsId({ id, quake }: { id: string; quake: Quake }): Promise<void> {
    const { lastEventId } = await events.next(noEvent({ quake }))
    must(lastEventId === id, {
      seen: `The ID of the entry is "${id}", and the event has the ID "${excerpt(lastEventId)}".`,
      expected: 'Expected the ID of the entry, because the history does not know any other.',
      often: 'your handler counts IDs per connection, or takes them from the quake.',
    })
  }
})

check('5.2e', 'a client with a cursor gets the entries after it, then new ones', async (t) => {
  const happened = quakes(5)
  for (const has of [1, 2, 4]) {
    const history = fakeHistory(t.transcript)
    const entries = history.append(...happened.slice(0, 4))
    const { events } = await serveAndSubscribe(t, history, { lastEventId: entries[has - 1]!.id })
    for (const entry of entries.slice(has)) await mustBeNext(events, entry, BEHIND)
    const [entry] = history.append(happened[4])
    await mustBeNext(events, entry)
  }
  // The header is text, and must reach the history unchanged.
  const history = fakeHistory(t.transcript, { ids: ODD_IDS })
  const entries = history.append(...quakes(ODD_IDS.length))
  const server = await t.serve(createApp(history))
  for (const [n, { id }] of entries.slice(0, -1).entries()) {
    const client = await subscribe(t, server, { lastEventId: id })
    await mustBeNext(client.events, entries[n + 1]!, { often: ID_CHANGED })
    await disconnect(t, server, client)
  }
})

check('5.2f', 'two clients get the same quakes with the same IDs', async (t) => {
  const history = fakeHistory(t.transcript)
  const happened = quakes(4)
  const entries = history.append(...happened.slice(0, 3))
  const server = await t.serve(createApp(history))
  const early = await subscribe(t, server, { name: 'client A' })
  const late = await subscribe(t, server, { name: 'client B', lastEventId: entries[1]!.id })
  for (const entry of entries) await mustBeNext(early.events, entry)
  await mustBeNext(late.events, entries[2]!)
  const [entry] = history.append(happened[3])
  await mustBeNext(early.events, entry)
  await mustBeNext(late.events, entry)
})

check('5.2g', 'heartbeats are sent while the stream is idle, and change no ID', async (t) => {
  const history = fakeHistory(t.transcript)
  const [entry] = history.append(...quakes(1))
  const { events } = await serveAndSubscribe(t, history, { heartbeatMs: OFTEN })
  await mustBeNext(events, entry)
  await events.heartbeats(SOME, {
    seen: `heartbeatMs is ${OFTEN}, nothing happened, and the client got at most one heartbeat.`,
    expected: 'Expected a heartbeat every few milliseconds.',
  })
  must(events.unexpected === undefined && events.lastEventId === entry.id, {
    seen: `A heartbeat arrived, and ${events.unexpected ? `it was an event: ${describeEvent(events.unexpected)}` : `it changed the last ID to "${events.lastEventId}"`}.`,
    expected: `Expected no event. The last ID must stay "${entry.id}", because the client reconnects with it.`,
  })
  history.blockReads('as it was')
  const other = await serveAndSubscribe(t, history, { heartbeatMs: OFTEN })
  await waitForRead(t, history)
  await other.events.heartbeats(SOME, {
    seen: 'The history was still being read, and the client got no heartbeat.',
    expected:
      'Expected heartbeats during the read, or the watchdog of the client cancels the connection.',
    often: 'your handler starts the heartbeat after the history has been read.',
  })
  await hasDefaults(t)
})

/** Checks the defaults of heartbeatMs and retryMs. */
async function hasDefaults(t: Tools): Promise<void> {
  const delays = t.recordTimerDelays()
  const history = fakeHistory(t.transcript)
  const { events } = await serveAndSubscribe(t, history)
  await events.retry({
    seen: 'retryMs is left out, and the stream has no "retry" field with a number.',
    expected: 'Expected a default for retryMs, such as 2000.',
  })
  const [first] = history.append(...quakes(1))
  await mustBeNext(events, first)
  delays.stop()
  await turns(20)
  const [last] = history.append(...quakes(1))
  await mustBeNext(events, last)
  must(events.comments < SOME && !delays.ms.some((ms) => ms <= 1), {
    seen: 'heartbeatMs is left out, and a timer of the server fires every millisecond.',
    expected: 'Expected a default for heartbeatMs of at most a minute, such as 15 seconds.',
    often: 'your code passes undefined to setInterval(), which then fires every millisecond.',
  })
  must(
    delays.ms.some((ms) => ms <= 60_000),
    {
      seen: `heartbeatMs is left out, and the server has no timer of a minute or less${delays.ms.length > 0 ? `: the shortest has ${Math.min(...delays.ms)} ms` : ''}.`,
      expected: 'Expected a default for heartbeatMs of at most a minute, such as 15 seconds.',
    },
  )
}

check('5.2h', 'the replay waits for a stalled client', async (t) => {
  const { queued } = await pausedReplay(t)
  must(queued() < 2 * MEGABYTE, {
    seen: 'The client was stalled, and most of a history of 16 MB waited in the memory of your server.',
    expected: 'Expected a few hundred KB: one entry, and the bytes that fit into the socket.',
    often:
      'your handler ignores the return value of res.write(). If it is false, wait for "drain".',
  })
})

check('5.2i', 'a stalled client that reads again gets each entry once, in order', async (t) => {
  const { client, ids, clear } = await pausedReplay(t, 16)
  clear()
  const events = new EventClient(client, SILENT)
  for (const [n, id] of ids.slice(0, ids.length / sampleEvery()).entries()) {
    const { lastEventId } = await events.next({
      seen: 'The client read again, and did not get all entries.',
      expected: 'Expected the replay to continue where it stopped.',
      often:
        'your handler stops when res.write() returns false. It only means that you should wait for "drain".',
    })
    must(lastEventId === id, {
      seen: `Event ${n + 1} has the ID "${excerpt(lastEventId)}".`,
      expected: `Expected "${id}": each entry once, in order.`,
      often:
        'your handler writes the entry again after "drain". res.write() accepts the bytes even if it returns false.',
    })
  }
  t.transcript.step('the client got each entry once, in order')
})

check('5.2j', 'a client that disconnects leaves no listener and no timer', async (t) => {
  const history = fakeHistory(t.transcript)
  const leftovers = trackLeftovers(t, history)
  history.append(...quakes(1))
  const server = await t.serve(createApp(history, { heartbeatMs: OFTEN }))
  for (const name of ['client 1', 'client 2', 'client 3', 'client 4']) {
    await leftovers.connectAndLeave(server, name)
  }
  await leftovers.mustBeGone('Four clients connected and disconnected')
})

edgeCase(
  '5.2k',
  'a client that disconnects during a read leaves no listener and no timer',
  async (t) => {
    const history = fakeHistory(t.transcript)
    const leftovers = trackLeftovers(t, history)
    history.append(...quakes(1))
    const server = await t.serve(createApp(history, { heartbeatMs: OFTEN }))
    await leftovers.connectAndLeave(server, 'client 1')
    const [last] = history.append(...quakes(1))
    await leavesDuringRead({ name: 'client 2' })
    await leftovers.mustBeGone('A client disconnected while the history was being read')
    await leavesDuringRead({ name: 'client 3', lastEventId: last.id })
    await leftovers.mustBeGone(
      'A client that has everything disconnected while the history was being read',
      'your handler waits after the read for an abort that has already happened. An aborted signal fires no more events.',
    )

    async function leavesDuringRead(coming: { name: string; lastEventId?: string }): Promise<void> {
      history.blockReads('as it was')
      const client = await subscribe(t, server, coming)
      await waitForRead(t, history)
      await disconnect(t, server, client)
      history.unblockReads()
      await someTurns()
    }
  },
)

edgeCase(
  '5.2l',
  'a stalled client, or one that disconnected early, leaves no listener and no timer',
  async (t) => {
    const history = fakeHistory(t.transcript)
    const leftovers = trackLeftovers(t, history)
    const login = slowLogin()
    const app = createApp(history, { heartbeatMs: OFTEN })
    const { server, jam, mustQueue } = await jammedServer(t, app, login.handler)
    const gone = await requestLogin(t, server, login, PATH, 'client 1')
    await leftovers.connectAndLeave(server, 'client 2')
    await disconnect(t, server, gone)
    t.transcript.step('the login middleware passes the request of client 1 to your handler')
    login.finish()
    await someTurns()
    await t.waitFor(leftovers.areNone, {
      seen: 'A client had disconnected before your handler was called, and a listener or a timer for it is left.',
      expected: 'Expected no listener and no timer, because nothing would ever remove them.',
      often: "your handler listens for 'close' after it has fired. Check res.destroyed as well.",
    })
    const slow = await subscribe(t, server, { name: 'slow client' })
    jam()
    history.append(...largeQuakes(2))
    await mustQueue()
    slow.disconnect()
    await leftovers.mustBeGone('A stalled client disconnected')
  },
)

edgeCase('5.2m', 'each event is sent in one piece, even if every write has to wait', async (t) => {
  const timers = t.controlTimers()
  const history = fakeHistory(t.transcript)
  const entries = history.append(...quakes(3))
  let fellInto: string | undefined
  const server = await t.serve(createApp(history), (_request, response, next) => {
    t.transcript.step('every write of this response returns false, and "drain" follows at once')
    everyWriteWaits(response, (begun) => {
      if (/(\n\n|\r\r|\r\n\r\n)$/.test(begun())) return
      timers.runPending()
      // Only a comment counts: other timers of the work may write as well.
      if (/\n:[^\n]*\n\n$/.test(begun())) fellInto ??= begun().split('\n\n').at(-2)!
    })
    next()
  })
  const { events } = await subscribe(t, server)
  for (const entry of entries) {
    await mustBeNext(events, entry, {
      often:
        'your handler assumes that a write that returns false has written nothing. It has, and only the next write should wait.',
    })
  }
  must(fellInto === undefined, {
    seen: `A heartbeat was sent between two lines of an event: ${excerpt(fellInto ?? '', 60)}`,
    expected:
      'Expected each event in one piece, because the blank line of a heartbeat makes the ID count before the quake has arrived.',
    often: 'your handler writes the lines of an event one by one, and waits between them.',
  })
  await replaysAll(t)
})

/** Checks that the replay contains all entries of a full history. */
async function replaysAll(t: Tools): Promise<void> {
  const full = fakeHistory(t.transcript)
  const kept = full.append(...numberedQuakes(DEFAULT_CAPACITY))
  const { client } = await serveAndSubscribe(t, full)
  const replayed = new EventClient(client, SILENT)
  for (const [n, { quake }] of kept.entries()) {
    const { data } = await replayed.next({
      seen: `${kept.length} entries are kept, and a client without a cursor got ${n} of them.`,
      expected: 'Expected all entries.',
    })
    must(data.includes(`"${quake.id}"`), {
      seen: `${kept.length} entries are kept, and event ${n + 1} for a client without a cursor was ${excerpt(data)}`,
      expected: `Expected quake ${quake.id}: all entries, the oldest first.`,
    })
  }
  t.transcript.step(`the client got all ${kept.length}`)
}

edgeCase('5.2n', 'HEAD gets the head, ends, and leaves no listener', async (t) => {
  const history = fakeHistory(t.transcript)
  history.append(...quakes(1))
  const server = await t.serve(createApp(history))
  // An app may subscribe once for all clients.
  const before = history.listenerCount
  const client = t.connect(server)
  const story = { expected: 'Expected the head that GET gets.', often: GET_FOR_HEAD }
  const { status } = await client.get(
    PATH,
    { seen: 'HEAD got no head.', ...story },
    { method: 'HEAD' },
  )
  must(status === 200, { seen: `HEAD was answered ${status}.`, ...story })
  await mustEndHead(t, server, client, PATH)
  await t.waitFor(() => history.listenerCount <= before, {
    seen: 'HEAD was answered, and a listener was left at the history.',
    expected: 'Expected no listener, because the answer to HEAD has no body.',
    often: GET_FOR_HEAD,
  })
})

edgeCase('5.2o', 'clients that have disconnected do not affect later clients', async (t) => {
  const timers = t.trackTimers()
  const visited = await visitedServer(t, { heartbeatMs: OFTEN })
  const { server, history } = visited
  const left = (): number => history.listenerCount + timers.alive()
  await visited.visit(1)
  await someTurns()
  // One listener and one timer for all may stay.
  const mayStay = left()
  const kept = await visited.visit(Math.ceil(3 / sampleEvery()))
  await t.waitFor(() => left() <= mayStay, {
    seen: () =>
      `Many clients have connected and disconnected: ${counted(history.listenerCount, 'listener')} at the history and ${counted(timers.alive(), 'timer')} are left.`,
    expected: `Expected at most ${mayStay}, as after the first few clients.`,
  })
  const often = 'your code keeps the state of one client in a variable outside the handler.'
  const a = await subscribe(t, server, { name: 'client A' })
  for (const entry of kept) await mustBeNext(a.events, entry, { often })
  const b = await subscribe(t, server, { name: 'client B' })
  for (const entry of kept) await mustBeNext(b.events, entry, { often })
  const [entry] = history.append(...quakes(1))
  await mustBeNext(a.events, entry, { often })
  await mustBeNext(b.events, entry, { often })
  await disconnect(t, server, a, 1, 'Client A')
  await b.events.heartbeats(SOME, {
    seen: 'Client A disconnected, nothing happened, and client B got no more heartbeats.',
    expected: 'Expected a heartbeat every few milliseconds for each connected client.',
    often:
      'your server has one timer for all clients, and the first client that disconnects clears it.',
  })
  await disconnect(t, server, b, 0, 'Client B')
  history.append(...largeQuakes(4))
  history.blockReads('as it was')
  await subscribe(t, server, { name: 'client C' })
  await waitForRead(t, history)
  server.blockNetwork()
  history.unblockReads()
  await t.waitFor(() => visited.queued > LARGE / 2, {
    seen: 'Client C is stalled, and no bytes wait for it.',
    expected: 'Expected an entry to wait for it.',
  })
  await someTurns()
  must(visited.queued < 3 * LARGE, {
    seen: 'Client C is stalled, and 1 MB waits for it in the memory of your server.',
    expected: 'Expected one entry of 256 KB, and the bytes that fit into the socket.',
    often,
  })
})

// 5.3 The hand-over

check('5.3a', 'quakes that happen during the read are not lost', async (t) => {
  for (const has of [0, 2]) {
    const history = fakeHistory(t.transcript)
    const happened = quakes(5)
    const entries = history.append(...happened.slice(0, 2))
    history.blockReads('as it was')
    const { events } = await serveAndSubscribe(t, history, { lastEventId: entries[has - 1]?.id })
    await waitForRead(t, history)
    entries.push(...history.append(...happened.slice(2, 4)))
    history.unblockReads()
    for (const entry of entries.slice(has)) await mustBeNext(events, entry, READ_THEN_LISTEN)
    const [entry] = history.append(happened[4])
    await mustBeNext(events, entry, READ_THEN_LISTEN)
  }
})

check('5.3b', 'quakes that happen during the read are sent once', async (t) => {
  const history = fakeHistory(t.transcript)
  const happened = quakes(5)
  const entries = history.append(...happened.slice(0, 2))
  history.blockReads('as it is')
  const { events } = await serveAndSubscribe(t, history)
  await waitForRead(t, history)
  entries.push(...history.append(...happened.slice(2, 4)))
  history.unblockReads()
  for (const entry of entries) await mustBeNext(events, entry, TWICE)
  const [entry] = history.append(happened[4])
  await mustBeNext(events, entry, TWICE)
})

edgeCase('5.3c', 'each client has its own cursor and its own read', async (t) => {
  const history = fakeHistory(t.transcript)
  const happened = quakes(7)
  const entries = history.append(...happened.slice(0, 4))
  const server = await t.serve(createApp(history))
  history.blockReads('as it was')
  const a = await subscribe(t, server, { name: 'client A', lastEventId: entries[0]!.id })
  const b = await subscribe(t, server, { name: 'client B', lastEventId: entries[2]!.id })
  await t.waitFor(() => history.blockedReads === 2, {
    seen: 'Two clients reconnected, and the server read the history for only one of them.',
    expected: 'Expected one read for each client, because their cursors differ.',
    often: 'your server uses one cursor, or one read, for all clients.',
  })
  entries.push(...history.append(happened[4]))
  history.unblockReads()
  entries.push(...history.append(happened[5]))
  const often = 'your server uses the queue or the cursor of one client for another client as well.'
  for (const entry of entries.slice(1)) await mustBeNext(a.events, entry, { often })
  for (const entry of entries.slice(3)) await mustBeNext(b.events, entry, { often })
  // Both clients have everything now.
  history.blockReads('as it was')
  const late = await subscribe(t, server, { name: 'client C' })
  await waitForRead(t, history)
  const [last] = history.append(happened[6])
  history.unblockReads()
  for (const { events } of [a, b]) {
    await mustBeNext(events, last, {
      often: 'your server resets the cursor of every client when a new client connects.',
    })
  }
  for (const entry of [...entries, last]) await mustBeNext(late.events, entry)
})

check('5.3d', 'quakes at any moment of the switch to live are sent once, in order', async (t) => {
  const moments = fc.sample(fc.record({ before: fc.nat(3), after: fc.nat(12), as: AS }), {
    seed,
    numRuns: 12,
  })
  for (const { before, after, as } of moments) {
    const history = fakeHistory(SILENT)
    const happened: Quake[] = quakes(before + after + 3)
    const entries = history.append(...happened.slice(0, before))
    const rest = happened.slice(before)
    const meanwhile = rest.splice(0, Math.floor(rest.length / 2))
    t.transcript.step(
      `a client connects. Quakes before that: ${before}; during the read: ${meanwhile.length}; right after it: ${rest.length}`,
    )
    history.blockReads(as)
    const { client } = await serveAndSubscribe(t, history)
    const events = new EventClient(client, SILENT)
    await waitForRead(t, history)
    entries.push(...history.append(...meanwhile))
    history.unblockReads()
    for (const quake of rest) {
      entries.push(...history.append(quake))
      // Lets promises continue, and every other time the event loop.
      await Promise.resolve()
      if (after % 2) await turns()
    }
    for (const entry of entries) {
      await mustBeNext(events, entry, {
        often: 'your handler ignores quakes that happen while it sends the queued ones.',
      })
    }
  }
  t.transcript.step(
    `${moments.length} clients connected while quakes happened, and got each quake once`,
  )
})

edgeCase('5.3e', 'a failed read cuts the connection', async (t) => {
  const history = fakeHistory(t.transcript)
  const [quake, next] = quakes(2)
  const [entry] = history.append(quake)
  const server = await t.serve(createApp(history))
  history.failNext('the disk is gone')
  const client = t.connect(server)
  client.request(PATH)
  const story = {
    expected: 'Expected the connection to be cut, so that the client reconnects and asks again.',
    often:
      'your handler catches the error and ignores it, so the client waits for quakes that never arrive.',
  }
  const how = await client.ended({
    ...story,
    seen: 'The history could not be read, and the response stayed open.',
  })
  must(how === 'cut', {
    seen: 'The history could not be read, and the response ended as if nothing were wrong.',
    expected: 'Expected the connection to be cut, so that the client reconnects.',
    often: 'your handler calls res.end() in a finally block.',
  })
  const again = await subscribe(t, server)
  await mustBeNext(again.events, entry)
  history.failNext('the disk is gone')
  const [{ id }] = history.append(next)
  // A server with a queue sends the entry without another read.
  await t.waitFor(() => server.connections === 0 || again.unread().includes(id), {
    ...story,
    seen: 'A later read of the history failed, and the response stayed open.',
  })
})

edgeCase('5.3f', 'queued entries that have been evicted are not sent late', async (t) => {
  const history = fakeHistory(t.transcript, { capacity: 4 })
  const happened = quakes(6)
  history.blockReads('as it is')
  const { events } = await serveAndSubscribe(t, history)
  await waitForRead(t, history)
  const entries = history.append(...happened.slice(0, 5))
  history.unblockReads()
  let last = -1
  await readsTo(4)
  entries.push(...history.append(happened[5]))
  await readsTo(5)

  async function readsTo(end: number): Promise<void> {
    while (last < end) {
      const { lastEventId } = await events.next(noEvent(entries[end]!))
      const at = idsOf(entries).indexOf(lastEventId)
      must(at > last, {
        seen: `The history keeps 4 entries, and 5 quakes happened during a read. The client got "${excerpt(lastEventId)}" after "${entries[last]?.id}".`,
        expected: 'Expected each entry once, in order.',
        often:
          'your handler sends every queued entry that is not in the answer. Entries up to the last ID of the answer are in it, or were evicted.',
      })
      last = at
    }
  }
})

// 5.4 Gaps

check('5.4a', 'a client that missed evicted entries gets the gap first', async (t) => {
  const history = fakeHistory(t.transcript, { capacity: 3 })
  const happened = quakes(7)
  const entries = history.append(...happened.slice(0, 6))
  const { id } = entries[0]!
  const { events } = await serveAndSubscribe(t, history, { lastEventId: id })
  await mustTellGap(
    events,
    `The cursor of the client is "${id}", and the next entries have been evicted`,
  )
  for (const entry of entries.slice(3)) await mustBeNext(events, entry)
  const [entry] = history.append(happened[6])
  await mustBeNext(events, entry)
})

check('5.4b', 'a client that missed nothing gets no gap', async (t) => {
  const history = fakeHistory(t.transcript, { capacity: 3 })
  const happened = quakes(7)
  const ids = idsOf(history.append(...happened.slice(0, 6)))
  const server = await t.serve(createApp(history))
  for (const [has, from] of [
    [undefined, 3],
    ['', 3],
    [ids[2]!, 3],
    [ids[4]!, 5],
    [ids[5]!, 6],
  ] as const) {
    const client = await subscribe(t, server, { lastEventId: has })
    const { events } = client
    if (from === 6) ids.push(...idsOf(history.append(happened[6])))
    const event = await events.next(noEvent({ quake: happened[from] }))
    must(event.lastEventId === ids[from], {
      seen: `A client connected ${has ? `with Last-Event-ID: ${has}` : 'without a cursor'}, and got an event: ${describeEvent(event)}.`,
      expected: `Expected ${ids[from]}, and no gap, because the client missed nothing.`,
      often: has
        ? 'your handler sends a gap to every client that reconnects. Look at isGap.'
        : 'your handler treats a missing or empty header as an unknown ID.',
    })
    await disconnect(t, server, client)
  }
  // A client that reconnects for every quake. Its last ID is kept, or was evicted last.
  let last = ids.at(-1)!
  for (let n = 0; n < Math.ceil(24 / sampleEvery()); n += 1) {
    const [...entries] = history.append(...quakes(n % 3 === 2 ? 3 : 1))
    const client = await subscribe(t, server, { name: 'client A', lastEventId: last })
    for (const entry of entries) {
      await mustBeNext(client.events, entry, {
        oftenAtGap: 'your handler sends a gap to every client that reconnects. Look at isGap.',
      })
    }
    await disconnect(t, server, client)
    last = entries.at(-1)!.id
  }
})

check('5.4c', 'a client with an unknown ID gets a gap, then all kept entries', async (t) => {
  const history = fakeHistory(t.transcript)
  const entries = history.append(...quakes(2))
  const server = await t.serve(createApp(history))
  const strange = strangeIds()
  // The first IDs again: a client that reconnects with such an ID gets the gap again.
  for (const lastEventId of [...strange, ...strange.slice(0, 2)]) {
    const client = await subscribe(t, server, { lastEventId })
    const { events } = client
    const which = `"${excerpt(lastEventId)}", which the history does not know`
    await mustTellGap(events, `The cursor of the client is ${which}`)
    for (const entry of entries) await mustBeNext(events, entry)
    await disconnect(t, server, client)
  }
})

edgeCase('5.4d', 'a gap is sent once, even if no entry is kept', async (t) => {
  const history = fakeHistory(t.transcript)
  const { events } = await serveAndSubscribe(t, history, { lastEventId: 'of-another-life' })
  await mustTellGap(events, 'The history is empty, and does not know the cursor of the client')
  for (const quake of quakes(2)) {
    const [entry] = history.append(quake)
    await mustBeNext(events, entry, {
      often:
        'your handler reads from the unknown ID again and again. Clear the cursor after a gap.',
    })
  }
})

check('5.4e', 'a slow client loses no entry without a gap', async (t) => {
  for (const capacity of [4, Infinity]) await readsTooSlowly(t, capacity)
})

/** Stalls a client several times. With a small capacity some entries are evicted each time, and otherwise none. */
async function readsTooSlowly(t: Tools, capacity: number): Promise<void> {
  const history = fakeHistory(t.transcript, { capacity })
  const isEvicting = capacity < Infinity
  const { server, jam, clear, mustQueue } = await jammedServer(t, createApp(history))
  const client = await subscribe(t, server)
  const entries: Entry[] = history.append(...quakes(1))
  await mustBeNext(client.events, entries[0]!)
  const events = new EventClient(client, SILENT)
  const [large, ...others] = largeQuakes(isEvicting ? 16 : 4)
  let next = 1
  for (let time = 0; time < 3; time += 1) {
    jam()
    entries.push(...history.append(large!))
    await mustQueue()
    entries.push(...history.append(...others))
    clear()
    await readsTheRest()
    t.transcript.step('the client got the last entry')
    // Another entry, without a stall.
    const [entry] = history.append(...quakes(1))
    entries.push(entry)
    await readsTheRest()
  }

  async function readsTheRest(): Promise<void> {
    let hasGap = false
    while (next < entries.length) {
      const { type, lastEventId } = await events.next({
        seen: 'The client was slow, then read again, and did not get the last entry.',
        expected: 'Expected all kept entries, and a gap before them if some are missing.',
        often: 'your handler drops entries while the client is slow.',
      })
      if (type === 'gap') {
        must(isEvicting, {
          seen: 'The client was slow, then read again, and got an event named "gap", although every entry is still kept.',
          expected: 'Expected each entry once and no gap, because nothing is missing.',
        })
        hasGap = true
        continue
      }
      const at = idsOf(entries).indexOf(lastEventId)
      must(at === next || (at > next && hasGap), {
        seen: `The client was slow, then read again, and got ${at < next ? 'an entry that it already had' : isEvicting ? 'one of the last entries right after one of the first, without an event named "gap" in between' : `an entry, but not the ${at - next} before it, although every entry is still kept`}.`,
        expected: isEvicting
          ? 'Expected an event named "gap" in their place, because the entries in between have been evicted.'
          : 'Expected each entry once, in order.',
        ...(isEvicting &&
          at > next && { often: 'your handler looks at isGap only after the first read.' }),
      })
      hasGap = false
      next = at + 1
    }
  }
}

edgeCase('5.4f', 'only a limited number of entries waits for a stalled client', async (t) => {
  const history = fakeHistory(t.transcript, { capacity: 4 })
  const { server, jam, clear, mustQueue } = await jammedServer(t, createApp(history))
  const client = await subscribe(t, server)
  const [quake] = quakes(1)
  const [first] = history.append(quake)
  await mustBeNext(client.events, first)
  jam()
  const ids = idsOf(history.append(...largeQuakes(1)))
  await mustQueue()
  ids.push(...idsOf(history.append(...Array.from({ length: VERY_MANY }, () => quake))))
  clear()
  const events = new EventClient(client, SILENT)
  let got = 0
  let hasGap = false
  let at = -1
  for (let last = ''; last !== ids.at(-1);) {
    const { type, lastEventId } = await events.next({
      seen: 'The client was stalled, then read again, and did not get the last entry.',
      expected: 'Expected a gap, and all kept entries after it.',
      often: 'your handler drops entries while the client is slow.',
    })
    if (type === 'gap') {
      hasGap = true
      continue
    }
    last = lastEventId
    const place = ids.indexOf(last, at + 1)
    must(place === at + 1 || (place > at && hasGap), {
      seen: `${ids.length} quakes happened while the client was stalled. Then it got ${place === -1 ? `"${excerpt(last)}"` : `number ${place + 1}`} right after number ${at + 1}, without an event named "gap" in between.`,
      expected: 'Expected a gap at that place, because quakes may be missing there.',
    })
    hasGap = false
    at = place
    got += 1
  }
  t.transcript.step(`the client got ${got} of the last ${VERY_MANY}`)
  must(got < VERY_MANY / 2, {
    seen: `${VERY_MANY} quakes happened while the client was stalled. The history keeps 4 entries, and ${got} waited for the client.`,
    expected:
      'Expected fewer than half of them, and a gap. A thousand such clients would use up the memory.',
    often: 'your queue has no limit.',
  })
})

// 5.5 The client comes back

check('5.5a', 'each quake is yielded as soon as its event is complete', async (t) => {
  const { got, requested, delivers } = await follow(t)
  await requested(1)
  // Without the two corrections at the end: 5.5l tests a quake that arrives under another event ID.
  for (const [n, quake] of awkwardQuakes().slice(0, -2).entries()) {
    await delivers(quake, `n-${n}`)
    must(deepEqual(got[n], quake), {
      seen: `The server sent ${excerptJson(quake)} and followQuakes() yielded ${excerptJson(got[n])}`,
      expected: 'Expected that quake.',
    })
  }
})

check(
  '5.5b',
  'the first request has no Last-Event-ID, and later ones have the last ID',
  async (t) => {
    const { server, requested, delivers, hasCursor } = await follow(t)
    const odd = ['n/0 =%', ...ODD_IDS]
    for (const [n, quake] of quakes(odd.length).entries()) {
      await requested(n + 1)
      hasCursor(n + 1, odd[n - 1], AS_IT_CAME, ID_LOST)
      must(n > 0 || server.requests[0]!.get('Last-Event-ID') === undefined, {
        seen: 'Request 1 has an empty Last-Event-ID.',
        expected: 'Expected no Last-Event-ID, because the client has not seen an event yet.',
      })
      await delivers(quake, odd[n])
      server.cut()
    }
    await requested(odd.length + 1)
    hasCursor(odd.length + 1, odd.at(-1), AS_IT_CAME, ID_LOST)
  },
)

check('5.5c', 'a response that ends is a lost connection', async (t) => {
  const { server, requested, delivers, hasCursor } = await follow(t)
  const [first, second] = quakes(2)
  await requested(1)
  await delivers(first, 'n-0')
  server.end()
  await requested(2)
  hasCursor(2, 'n-0')
  await delivers(second, 'n-1')
})

check('5.5d', 'an incomplete event does not count', async (t) => {
  const { server, got, requested, delivers, hasCursor } = await follow(t)
  const [first, second] = quakes(2)
  await requested(1)
  await delivers(first, 'n-0')
  server.send(eventOf(second, 'n-1').slice(0, -1), 'an event without its blank line')
  server.end()
  await requested(2)
  hasCursor(2, 'n-0', 'The event n-1 was cut off before its blank line.')
  server.send(eventOf(second, 'n-1'))
  await t.waitFor(() => got.length > 1, notGiven(second))
  must(got.length === 2, {
    seen: `An event was cut off before its blank line, then arrived again in full, and followQuakes() yielded ${counted(got.length - 1, 'quake')} for it.`,
    expected: 'Expected the quake of that event once.',
  })
})

check('5.5e', 'an event that arrives twice is yielded once', async (t) => {
  const { server, got, requested } = await follow(t)
  const happened = quakes(4)
  const events = happened.map((quake, n) => eventOf(quake, `n-${n}`))
  await requested(1)
  server.send(events.slice(0, 2).join(''), 'events n-0 and n-1')
  await t.waitFor(() => got.length === 2, notGiven(happened[1]!))
  server.cut()
  await requested(2)
  // The first event of the replay has a corrected quake. Its ID is the same, so it is the same event.
  const corrected = eventOf({ ...happened[0]!, magnitude: happened[0]!.magnitude + 0.5 }, 'n-0')
  server.send([corrected, ...events.slice(1)].join(''), 'events n-0, n-1, n-2 and n-3')
  await t.waitFor(() => deepEqual(got.at(-1), happened[3]), {
    seen: 'The server sent n-3, and followQuakes() did not yield its quake.',
    expected: 'Expected the quake of that event.',
  })
  const gave = got.map(({ id }) => `n-${idsOf(happened).indexOf(id)}`)
  must(deepEqual(got, happened), {
    seen: `The server sent n-0 and n-1 again, and followQuakes() yielded ${listed(gave)}.`,
    expected: 'Expected each quake once: n-0, n-1, n-2, n-3.',
    often:
      'your client does not remember IDs. A server that promises "at least once" may send an event twice.',
  })
})

check('5.5f', 'an event that is not a quake is skipped, but its ID counts', async (t) => {
  const { server, got, requested, hasCursor } = await follow(t)
  const [quake, next] = quakes(2)
  await requested(1)
  server.send('id: bad\ndata: {"id":\n\n')
  server.send(eventOf(quake, 'bad'))
  const story = {
    expected: 'Expected your client to skip that event, and to yield the quake after it.',
    often: 'your client treats the error of JSON.parse() as a lost connection.',
  }
  await t.waitFor(() => got.length === 1, {
    seen: 'An event arrived whose data is not JSON, then a quake with the same ID, and followQuakes() did not yield the quake.',
    expected: 'Expected the quake, because no event with its ID has been yielded before.',
    often:
      'your client treats the error of JSON.parse() as a lost connection, or remembers the ID of the skipped event as seen.',
  })
  must(deepEqual(got[0], quake) && server.requests.length === 1, {
    seen: `An event arrived whose data is not JSON, and followQuakes() yielded ${excerptJson(got[0])}${server.requests.length > 1 ? ' on another connection' : ''}.`,
    ...story,
  })
  server.send('event: weather\nid: other\ndata: {"rain":true}\n\nid: silent\n\n')
  server.send(eventOf(next))
  await t.waitFor(() => got.length >= 2, notGiven(next))
  must(deepEqual(got[1], next), {
    seen: `An event named "weather" arrived, and followQuakes() yielded ${excerptJson(got[1])}.`,
    expected: 'Expected only events without a name.',
  })
  server.cut()
  await requested(2)
  hasCursor(2, 'silent', 'The last ID arrived in a block without data.')
  for (const [n, [block, wanted]] of IDS_IN_BLOCKS.entries()) {
    server.send(eventOf(quake, 'before'))
    server.send(block)
    // A marker without an ID, which shows that the block has been read.
    const count = got.length
    server.send(eventOf({ ...next, id: `m-${n}` }))
    await t.waitFor(() => got.length > count, notGiven(next))
    server.cut()
    await requested(n + 3)
    hasCursor(n + 3, wanted, `The server had sent ${excerpt(block)} before the connection was cut.`)
  }
})

edgeCase('5.5g', 'an empty ID clears the last ID', async (t) => {
  const { server, got, requested, hasCursor } = await follow(t)
  const [first, second] = quakes(2)
  await requested(1)
  server.send(eventOf(first, 'n-0'))
  server.send(eventOf(second, ''))
  await t.waitFor(() => got.length === 2, notGiven(second))
  server.cut()
  await requested(2)
  hasCursor(2, undefined, 'The last ID was empty.')
  for (const [n, block] of ['id\n\n', 'id:\ndata: no JSON\n\n', GAP_EVENT + 'id: \n\n'].entries()) {
    server.send(eventOf(first, 'before'))
    server.send(block)
    const count = got.length
    server.send(eventOf({ ...second, id: `m-${n}` }))
    await t.waitFor(() => got.length > count, notGiven(second))
    server.cut()
    await requested(n + 3)
    hasCursor(n + 3, undefined, `The server had sent ${excerpt(block)}, which has an empty ID.`)
  }
})

check('5.5h', 'onGap() is called for each gap, in order with the quakes', async (t) => {
  const { server, got, gaps, requested } = await follow(t)
  const [first, second] = quakes(2)
  await requested(1)
  server.send(`${eventOf(first, 'n-0')}${GAP_EVENT}${eventOf(second, 'n-1')}`)
  await t.waitFor(() => got.length === 2, notGiven(second))
  must(deepEqual(gaps, [1]), {
    seen: `A quake, a gap and a quake arrived, and onGap() was ${gaps.length === 0 ? 'not called' : `called after ${gaps.join(', ')} quakes`}.`,
    expected: 'Expected one call of onGap(), between the two quakes.',
    often: 'your client does not check block.type, or calls onGap() for each connection.',
  })
  for (const [n, [sent, name, often]] of (
    [
      [
        'event: gapless\ndata: {"rain":true}\n\n',
        'An event named "gapless"',
        'your client treats every named event as a gap, or every name that begins with "gap".',
      ],
      [
        'event: gap\n\n',
        'A block with "event: gap" and without data',
        'your client checks only the name. A block without data is not an event.',
      ],
    ] as const
  ).entries()) {
    const quake = quakes(n + 3).at(-1)!
    server.send(sent)
    server.send(eventOf(quake, `n-${n + 2}`))
    await t.waitFor(() => got.length === n + 3, notGiven(quake))
    must(gaps.length === 1, {
      seen: `${name} arrived, and onGap() was called.`,
      expected: 'Expected a call of onGap() only for events named "gap" with data.',
      often,
    })
  }
})

edgeCase('5.5i', 'each request has the method, headers and body of init', async (t) => {
  const server = await scriptedServer(t)
  // `{ ...headers }` would copy nothing from it.
  const headers = new Headers({ Authorization: 'Bearer x' })
  const init = { method: 'POST', headers, body: '{"min":5}' }
  const { requested, delivers, hasCursor } = await follow(t, { server, init })
  for (const [n, quake] of quakes(2).entries()) {
    await requested(n + 1)
    const request = server.requests[n]!
    const body = await t.withTimeout(request.toArray(), {
      seen: `The body of request ${n + 1} did not end.`,
      expected: 'Expected the body to end.',
    })
    const authorization = request.get('Authorization')
    const isWhole = body.join('') === init.body && authorization === 'Bearer x'
    must(request.method === 'POST' && isWhole, {
      seen: `Request ${n + 1} is a ${request.method} with Authorization: ${authorization} and the body "${excerpt(body.join(''))}".`,
      expected: 'Expected the values of init in each request: POST, Bearer x, {"min":5}.',
      often:
        'your client passes init only to the first request, or replaces its headers, or copies them with { ...headers }, which copies nothing from a Headers object.',
    })
    hasCursor(n + 1, n === 0 ? undefined : 'n-0')
    await delivers(quake, `n-${n}`)
    server.cut()
  }
  const names = [...headers.keys()]
  must(deepEqual(names, ['authorization']), {
    seen: `The Headers object of init now contains ${names.join(', ')}.`,
    expected: 'Expected it to stay the same, because the caller may use it for other requests.',
    often:
      'your client sets Last-Event-ID in init.headers itself. new Headers(init.headers) is a copy.',
  })
})

check('5.5j', 'leaving the loop cancels the request', async (t) => {
  const server = await scriptedServer(t)
  const [quake] = quakes(1)
  const abort = new AbortController()
  t.atEnd(() => abort.abort())
  const leaves = async (): Promise<void> => {
    for await (const _ of followQuakes(server.url, { ...QUICK, signal: abort.signal })) break
  }
  t.transcript.step(
    'followQuakes() is called, and the caller will leave the loop after the first quake',
  )
  const left = leaves()
  await waitForRequest(t, server, 1, left)
  server.send(eventOf(quake, 'n-0'))
  await t.withTimeout(left, {
    seen: 'The caller left the loop after a quake, and followQuakes() did not return.',
    expected: 'Expected followQuakes() to return.',
  })
  await t.waitFor(() => server.openResponses === 0, {
    seen: 'The caller left the loop, and the request stayed open.',
    expected: 'Expected the request to be cancelled.',
    often: 'your client does not abort the request in a finally block.',
  })
})

check('5.5k', 'an abort of the signal ends the loop, even while nothing arrives', async (t) => {
  const follower = await follow(t)
  const { server, requested, delivers, ends } = follower
  const [quake] = quakes(1)
  await requested(1)
  await delivers(quake, 'n-0')
  follower.abort()
  await ends('The signal aborted while nothing arrived')
  await t.waitFor(() => server.openResponses === 0, {
    seen: 'The signal aborted, and the request stayed open.',
    expected: 'Expected the request to be cancelled.',
  })
  await follower.close()
  const other = await scriptedServer(t)
  const abort = new AbortController()
  t.atEnd(() => abort.abort())
  let given = 0
  const reads = async (): Promise<void> => {
    const options = { ...QUICK, signal: abort.signal }
    for await (const _ of followQuakes(other.url, options)) {
      given += 1
      abort.abort()
    }
  }
  t.transcript.step(
    'followQuakes() is called, and the caller will abort the signal at the first quake',
  )
  const reading = reads()
  await waitForRequest(t, other, 1, reading)
  const events = quakes(3).map((each, n) => eventOf(each, `n-${n}`))
  other.send(events.join(''), 'events n-0, n-1 and n-2')
  await t.withTimeout(reading, {
    seen: 'The signal aborted at the first quake of three, and the loop continued.',
    expected: 'Expected followQuakes() to return.',
  })
  must(given === 1, {
    seen: `The signal aborted at the first quake of three that arrived together, and followQuakes() yielded ${given}.`,
    expected: 'Expected only the first quake, because a caller that aborts wants no more.',
    often:
      'your client only cancels the request, and still yields quakes that have already arrived.',
  })
  await endsInGap(t)
  await endsBeforeHead(t)
})

/** Checks that an abort in `onGap()` also stops quakes that arrived with the gap. */
async function endsInGap(t: Tools): Promise<void> {
  const server = await scriptedServer(t)
  const abort = new AbortController()
  t.atEnd(() => abort.abort())
  let given = 0
  const read = async (): Promise<void> => {
    const onGap = (): void => abort.abort()
    const options = { ...QUICK, signal: abort.signal, onGap }
    for await (const _ of followQuakes(server.url, options)) given += 1
  }
  t.transcript.step('followQuakes() is called, and the signal will abort in onGap()')
  const reading = read()
  await waitForRequest(t, server, 1, reading)
  server.send(`${GAP_EVENT}${eventOf(quakes(1)[0], 'n-0')}`, 'a gap and the event n-0')
  await t.withTimeout(reading, {
    seen: 'The signal aborted in onGap(), and the loop continued.',
    expected: 'Expected followQuakes() to return.',
  })
  must(given === 0, {
    seen: 'The signal aborted in onGap(), and followQuakes() yielded the quake that arrived with the gap.',
    expected: 'Expected no quake after the signal has aborted.',
  })
}

/** Checks an abort before the first request, and one before the head. */
async function endsBeforeHead(t: Tools): Promise<void> {
  for (const isEarly of [true, false]) {
    const server = await scriptedServer(t)
    server.stopAnswering()
    const abort = new AbortController()
    t.atEnd(() => abort.abort())
    const when = isEarly
      ? 'The signal had aborted before followQuakes() was called'
      : 'The signal aborted while the server had not answered yet'
    if (isEarly) abort.abort()
    t.transcript.step(
      `followQuakes() is called${isEarly ? ', with a signal that has aborted' : ''}`,
    )
    const read = async (): Promise<void> => {
      for await (const _ of followQuakes(server.url, { ...QUICK, signal: abort.signal }));
    }
    const reading = read()
    const ended = reading.then(
      () => undefined,
      (error: unknown) => ({ error }),
    )
    if (!isEarly) {
      await waitForRequest(t, server, 1, reading)
      t.transcript.step('the signal aborts')
      abort.abort()
    }
    const failed = await t.withTimeout(ended, {
      seen: `${when}, and the loop continued.`,
      expected: 'Expected followQuakes() to return.',
    })
    must(failed === undefined, {
      seen: `${when}, and followQuakes() threw ${describeError(failed?.error)}.`,
      expected: 'Expected followQuakes() to return without an error.',
    })
    await t.waitFor(() => server.openResponses === 0, {
      seen: `${when}, and the request stayed open.`,
      expected: 'Expected the request to be cancelled.',
    })
    must(!isEarly || server.requests.length === 0, {
      seen: `${when}, and followQuakes() made a request.`,
      expected: 'Expected no request.',
    })
  }
}

edgeCase('5.5l', 'only the ID of an event decides whether it is new', async (t) => {
  const { server, got, requested } = await follow(t)
  const [quake, last] = quakes(2)
  const again = eventOf(quake)
  for (const [sent, how, often] of [
    [
      [eventOf(quake, 'n-0'), eventOf(quake, 'n-1')],
      'with the IDs n-0 and n-1 and the same quake in both',
      'your client compares the ID of the quake. Only the ID of the event decides.',
    ],
    [
      [again, again],
      'without an ID and with the same quake in both',
      'your client compares something else if there is no ID. Always yield an event without an ID.',
    ],
    [
      [eventOf(quake, ''), eventOf(quake, '')],
      'with an empty ID and the same quake in both',
      'your client remembers the empty ID as if it were an ID.',
    ],
  ] as const) {
    const before = got.length
    await requested(1)
    server.send(sent.join(''), `two events ${how}`)
    server.send(eventOf(last, `after-${before}`))
    await t.waitFor(() => deepEqual(got.at(-1), last) && got.length > before, notGiven(last))
    must(got.length === before + 3, {
      seen: `Two events arrived ${how}, then one more, and followQuakes() yielded ${counted(got.length - before, 'quake')}.`,
      expected: 'Expected 3 quakes.',
      often,
    })
  }
})

edgeCase('5.5m', 'the client remembers at least the last hundred IDs', async (t) => {
  const server = await scriptedServer(t)
  const { got } = await follow({ ...t, transcript: SILENT }, { server })
  const count = Math.ceil(1400 / sampleEvery())
  const happened = numberedQuakes(count + 1)
  const events = happened.map((quake, n) => eventOf(quake, `n-${n}`))
  await waitForRequest(t, server, 1)
  let sent = 0
  // Steps of an odd size find a set that is cleared as soon as it is full.
  while (sent < count) {
    const end = Math.min(sent + (sent === 0 ? 100 : 90), count)
    server.send(events.slice(sent, end).join(''), `events n-${sent} to n-${end - 1}`)
    server.send(events.slice(end - 100, end).join(''), 'the last hundred again')
    sent = end
    server.send(eventOf(happened[end]!, `n-${end}`))
    await t.waitFor(() => got.at(-1)?.id === happened[end]!.id, notGiven(happened[end]!))
    sent += 1
    must(got.length === sent, {
      seen: `The server sent n-0 to n-${end - 1}, the last hundred of them again, and n-${end}. followQuakes() yielded ${counted(got.length, 'quake')}.`,
      expected: `Expected ${sent} quakes, each once.`,
      often:
        sent < 200
          ? 'your client remembers too few IDs. A server may replay every entry that it keeps.'
          : undefined,
    })
  }
  if (sampleEvery() === 1) await forgetsIds(t)
})

/** Checks that the client does not remember every ID, because it may run for months. */
async function forgetsIds(t: Tools): Promise<void> {
  const server = await scriptedServer({ serve: t.serve, transcript: SILENT })
  const abort = new AbortController()
  let given = 0
  const read = async (): Promise<void> => {
    const options = { ...QUICK, signal: abort.signal }
    for await (const _ of followQuakes(server.url, options)) given += 1
  }
  const reading = read()
  t.atEnd(() => {
    abort.abort()
    return Promise.race([reading, turns()])
  })
  await waitForRequest(t, server, 1, reading)
  const event = (id: number): string => `id: f-${id}\ndata: {}\n\n`
  const count = MOST_IDS + 1
  for (let sent = 0; sent < count; sent += 1000) {
    const end = Math.min(sent + 1000, count)
    server.send(Array.from({ length: end - sent }, (_, n) => event(sent + n)).join(''))
    await t.waitFor(() => given === end, {
      seen: `The server sent ${end} events with different IDs, and followQuakes() yielded ${counted(given, 'quake')}.`,
      expected: 'Expected a quake for each event.',
    })
  }
  t.transcript.step(`the server sent ${count} events with different IDs, then the first again`)
  server.send(`${event(0)}data: {}\n\n`)
  await t.waitFor(() => given > count, {
    seen: 'The server sent an event without an ID, and followQuakes() did not yield its quake.',
    expected: 'Expected the quake of that event.',
  })
  await turns(5)
  must(given === count + 2, {
    seen: `The server sent ${count} events with different IDs, then the first again, and the client still remembered its ID.`,
    expected: `Expected it to remember at most the last ${MOST_IDS} IDs, because a stream runs for months.`,
    often: 'your client never removes an ID from the set.',
  })
}

edgeCase('5.5n', 'a gap clears neither the last ID nor the remembered IDs', async (t) => {
  const { server, got, gaps, requested, hasCursor } = await follow(t)
  const [first, second] = quakes(2)
  await requested(1)
  server.send(eventOf(first, 'n-0'))
  server.send(`${GAP_EVENT}${eventOf(first, 'n-0')}${eventOf(second, 'n-1')}`)
  await t.waitFor(() => deepEqual(got.at(-1), second), notGiven(second))
  must(got.length === 2, {
    seen: 'The event n-0 arrived, then a gap, then n-0 again, and followQuakes() yielded its quake twice.',
    expected:
      'Expected that quake once. After a gap the server sends all kept entries, even those that the client has.',
    often: 'your client clears the set of IDs at a gap.',
  })
  server.send(GAP_EVENT)
  await t.waitFor(() => gaps.length === 2, GAP_UNTOLD)
  server.cut()
  await requested(2)
  hasCursor(2, 'n-1', 'A gap without an ID does not change the last ID.')
  server.send(`${eventOf(second, 'n-2')}id: of-a-gap\n${GAP_EVENT}`)
  await t.waitFor(() => gaps.length === 3, GAP_UNTOLD)
  server.cut()
  await requested(3)
  hasCursor(3, 'of-a-gap', 'An ID in a gap counts as in any other block.')
})

// 5.6 The client waits

check('5.6a', 'after a loss the client waits, and reports it', async (t) => {
  const { server, states, clock, opens, backsOffFor } = await followTimed(t)
  await opens(1)
  server.cut()
  const ms = await backsOffFor(500, 1, 'random() is 0.5, baseMs is 1000, and a connection was lost')
  clock.advance(ms)
  await opens(2)
  const names = states.map(({ name }) => name)
  const wanted = ['connecting', 'open', 'waiting', 'connecting', 'open']
  must(deepEqual(names, wanted), {
    seen: `onState() was called with ${listed(names)}.`,
    expected: `Expected ${wanted.join(', ')}.`,
  })
  const { why } = states[2] as { why: string }
  must(typeof why === 'string' && why !== '', {
    seen: `onState() was called with the state waiting, and its why is ${excerptJson(why)}.`,
    expected: 'Expected a text that says why the connection was lost.',
  })
})

check('5.6b', 'the longest wait doubles with each failure, up to maxMs', async (t) => {
  const server = await scriptedServer(t)
  server.answer(503)
  const { clock, requested, backsOffFor } = await followTimed(t, {
    server,
    baseMs: 1000,
    maxMs: 10_000,
  })
  for (const [n, expected] of [500, 1000, 2000, 4000, 5000, 5000].entries()) {
    if (n > 0) clock.advance(clock.nextDueMs!)
    await requested(n + 1)
    await backsOffFor(
      expected,
      n + 1,
      `random() is 0.5, and there were ${n + 1} consecutive failures`,
    )
  }
  // With many failures, 1 << 31 would be negative.
  for (let n = 6; n < 42; n += 1) {
    clock.advance(clock.nextDueMs!)
    await requested(n + 1)
    await backsOffFor(5000, n + 1, `random() is 0.5, and there were ${n + 1} consecutive failures`)
  }
})

check('5.6c', 'the wait is a random part of the longest wait', async (t) => {
  for (const [share, expected] of [
    [0, 0],
    [0.25, 250],
    [0.999, 999],
  ] as const) {
    const server = await scriptedServer(t)
    server.answer(500)
    const { backsOffFor, close } = await followTimed(t, { server, random: () => share })
    await backsOffFor(
      expected,
      1,
      `random() is ${share}, baseMs is 1000, and there was one failure`,
    )
    await close()
  }
})

check('5.6d', 'a new quake resets the count of failures', async (t) => {
  const { server, clock, requested, delivers, opens, backsOff, backsOffFor } = await followTimed(t)
  const [quake] = quakes(1)
  server.answer(503)
  for (const n of [1, 2, 3]) {
    await requested(n)
    const ms = await backsOff(n)
    if (n === 3) server.answer(200)
    clock.advance(ms)
  }
  await opens(4)
  await delivers(quake, 'n-0')
  server.cut()
  await backsOffFor(
    500,
    4,
    'After three consecutive failures a quake arrived, and the connection was lost',
  )
})

edgeCase(
  '5.6e',
  'a connection without a new quake does not reset the count of failures',
  async (t) => {
    const { server, gaps, clock, opens, backsOffFor } = await followTimed(t)
    const [quake] = quakes(1)
    const longest = Array.from({ length: 7 }, () => 15_000)
    for (const [n, expected] of [500, 1000, 2000, 4000, 8000, ...longest].entries()) {
      await opens(n + 1)
      // The quake is new only on the first connection. The last connections bring nothing.
      if (n < 4) {
        server.send(eventOf(quake, 'n-0'))
        server.send(`data: no JSON\n\n${GAP_EVENT}`)
        await t.waitFor(() => gaps.length === n + 1, GAP_UNTOLD)
      }
      if (n % 2 === 0 || n === 5) server.end()
      else server.cut()
      const ms = await backsOffFor(
        expected,
        n + 1,
        n === 0
          ? 'random() is 0.5, a quake arrived, and the connection was lost'
          : `random() is 0.5, and ${n + 1} consecutive connections were opened and lost. After the first, only that quake again, data that is not JSON, and a gap arrived`,
        'your client resets its failures at the head, at any event, or at a repeated quake, or it does not count a response that ends.',
      )
      clock.advance(ms)
    }
  },
)

check('5.6f', 'a retry field replaces baseMs for every later wait', async (t) => {
  const { server, got, gaps, clock, opens, backsOff, backsOffFor } = await followTimed(t)
  const [quake] = quakes(1)
  await opens(1)
  server.send(`retry: 80\n\n${eventOf(quake, 'n-0')}`)
  await t.waitFor(() => got.length === 1, notGiven(quake))
  server.cut()
  const first = await backsOffFor(
    40,
    1,
    'random() is 0.5, and the server had said retry: 80',
    'your client ignores block.retry, or treats it as seconds.',
  )
  clock.advance(first)
  await opens(2)
  server.cut()
  await backsOffFor(
    80,
    2,
    'The server said retry: 80 on the connection before, and two were lost',
    'your client forgets retry when it reconnects.',
  )
  for (const [n, [retry, expected, often]] of (
    [
      [80, 160, 'your client resets its failures at a retry field. Only a new quake resets them.'],
      [100_000, 15_000, 'your client does not apply maxMs to retry.'],
    ] as const
  ).entries()) {
    clock.advance(clock.nextDueMs!)
    await opens(n + 3)
    server.send(`retry: ${retry}\n\n${GAP_EVENT}`)
    await t.waitFor(() => gaps.length === n + 1, GAP_UNTOLD)
    server.cut()
    await backsOffFor(
      expected,
      n + 3,
      `random() is 0.5, maxMs is 30000, the server said retry: ${retry}, and ${n + 3} consecutive connections were lost`,
      often,
    )
  }
  clock.advance(clock.nextDueMs!)
  await opens(5)
  server.send(`retry: 0\n\n${GAP_EVENT}`)
  await t.waitFor(() => gaps.length === 3, GAP_UNTOLD)
  server.cut()
  const ms = await backsOff(5)
  must(ms > 0 && ms <= 30_000, {
    seen: `random() is 0.5, the server said retry: 0, 5 consecutive connections were lost, and the client waited ${ms} ms.`,
    expected:
      'Expected a wait between 0 and 30,000 ms, because a retry of 0 must not switch the backoff off. Treat it as at least 1 ms.',
    ...(ms === 0 && {
      often:
        'your client multiplies by a retry of 0, so the wait is 0 however many connections have failed.',
    }),
  })
})

check('5.6g', 'Retry-After is added to the next wait', async (t) => {
  for (const isDate of [false, true]) {
    const header = isDate ? 'Retry-After in 7 seconds, as a date' : 'Retry-After: 7'
    const server = await scriptedServer(t)
    const clock = new ControlledClock(t.transcript)
    const later = isDate ? new Date(clock.now() + 7000).toUTCString() : '7'
    server.answer(503, { 'Retry-After': later })
    const { backsOff, backsOffFor, close } = await followTimed(t, { server, clock })
    const ms = await backsOff()
    must(ms === 7500 && clock.nextDueMs === ms, {
      seen: `The server answered 503 with ${header}, and the client slept ${clock.nextDueMs} ms.`,
      expected:
        'Expected 7 seconds and the wait of your backoff: 7,500 ms in all, because random() is 0.5.',
      often:
        'your client ignores the header, treats it as milliseconds, compares a date with Date.now() instead of clock.now(), or leaves out one of the two waits.',
    })
    server.answer(503)
    clock.advance(ms)
    const next = await backsOffFor(
      1000,
      2,
      `random() is 0.5, the server answered 503 with ${header}, then without that header`,
      'your client keeps Retry-After for later waits. It is for one wait only.',
    )
    const empty = isDate ? new Date(clock.now() - 60_000).toUTCString() : 'soon'
    server.answer(503, { 'Retry-After': empty })
    clock.advance(next)
    await backsOffFor(
      2000,
      3,
      `random() is 0.5, there were three consecutive failures, the last with Retry-After: ${isDate ? 'a date of a minute ago' : 'soon'}`,
      'your client adds a negative wait, or NaN.',
    )
    await close()
  }
})

check('5.6h', 'temporary failures are retried', async (t) => {
  for (const status of [500, 502, 503, 504, 520, 599, 429, 408]) {
    const server = await scriptedServer(t)
    server.answer(status, { 'Retry-After': '7' })
    const { clock, opens, backsOff, close } = await followTimed(t, { server })
    const ms = await backsOff(1, `The server answered ${status}`)
    must(clock.nextDueMs === 7500, {
      seen: `The server answered ${status} with Retry-After: 7, and the client slept ${clock.nextDueMs} ms.`,
      expected:
        'Expected 7,500 ms, because random() is 0.5 and the header counts with every status.',
      often: 'your client reads Retry-After only for some statuses.',
    })
    server.answer(200)
    clock.advance(ms)
    await opens(2)
    await close()
  }
  await leavesNoBody(t)
  const server = await scriptedServer(t)
  await server.close()
  const { clock, backsOff } = await followTimed(t, { server })
  const ms = await backsOff()
  clock.advance(ms)
  await backsOff(2)
})

/** Checks that the body of a refusal does not keep its connection open. */
async function leavesNoBody(t: Tools): Promise<void> {
  const server = await scriptedServer(t)
  server.answer(503, {}, { endsBody: false })
  const { backsOff, close } = await followTimed(t, { server })
  await backsOff(1, 'The server answered 503 with a body that does not end')
  await t.waitFor(() => server.openResponses === 0, {
    seen: 'The server answered 503 with a body that does not end. The client waited, and that response was still open.',
    expected:
      'Expected the request to be cancelled, because each failure would leave one more connection open.',
    often:
      'your client reads the status and ignores the body. Abort the request, or cancel response.body.',
  })
  await close()
}

check('5.6i', 'permanent failures throw', async (t) => {
  for (const [status, headers] of [
    [401, {}],
    [404, {}],
    [499, {}],
    [200, { 'Content-Type': 'text/html' }],
  ] as const) {
    const server = await scriptedServer(t)
    server.answer(status, headers, { endsBody: false })
    const follower = await followTimed(t, { server })
    const { states } = follower
    follower.mayEnd()
    const answer = `${status}${'Content-Type' in headers ? ` with ${headers['Content-Type']}` : ''}`
    const goesOn = (): boolean => ['open', 'waiting'].includes(states.at(-1)?.name ?? '')
    await t.waitFor(() => follower.ended || goesOn(), {
      seen: `The server answered ${answer}, and followQuakes() did nothing.`,
      expected: 'Expected followQuakes() to throw.',
    })
    must(follower.error !== undefined, {
      seen: `The server answered ${answer}, and followQuakes() ${follower.ended ? 'returned without an error' : 'continued'}.`,
      expected:
        'Expected it to throw, because the next answer would be the same and the caller has to know.',
      often: 'your client treats all statuses alike, or its own catch swallows the error.',
    })
    await t.waitFor(() => server.openResponses === 0, {
      seen: `The server answered ${answer}, followQuakes() threw, and that response was still open.`,
      expected: 'Expected the request to be cancelled, because nothing reads its body.',
    })
    await follower.close()
  }
})

check('5.6j', 'a silent connection is cancelled after stallMs', async (t) => {
  const follower = await followTimed(t, { stallMs: 9000 })
  const { server, clock, delivers, hasCursor, opens, backsOff, backsOffFor, armsWatchdog } =
    follower
  const [quake] = quakes(1)
  await opens(1)
  await delivers(quake, 'n-0')
  await armsWatchdog(9000)
  clock.advance(9000)
  const ms = await backsOff(1, 'Nothing arrived for stallMs')
  await t.waitFor(() => server.openResponses === 0, {
    seen: 'Nothing arrived for stallMs, and the old request stayed open.',
    expected: 'Expected the request to be cancelled.',
    often: 'your client opens a new connection without cancelling the old request.',
  })
  clock.advance(ms)
  await opens(2)
  hasCursor(2, 'n-0')
  server.cut()
  await backsOffFor(
    1000,
    2,
    'random() is 0.5, a connection was silent for too long, and the next one was cut',
    'your client does not count a silent connection as a failure.',
  )
  await follower.close()
  const unset = await followTimed(t, { stallMs: undefined })
  await unset.opens(1)
  await t.waitFor(() => unset.clock.nextDueMs !== undefined, {
    seen: 'stallMs is left out, and the client waits for bytes without a sleep of its clock.',
    expected: 'Expected a watchdog of 45 seconds.',
  })
  must(unset.clock.nextDueMs === 45_000, {
    seen: `stallMs is left out, and the client would give up in ${unset.clock.nextDueMs} ms.`,
    expected: 'Expected 45,000 ms, three times the usual heartbeat.',
  })
})

const ONLY_WHOLE =
  'your watchdog waits for whole blocks. A long event may take longer than stallMs to arrive.'

edgeCase('5.6k', 'every byte restarts the watchdog', async (t) => {
  const { server, clock, opens, armsWatchdog } = await followTimed(t, {
    stallMs: 9000,
    random: () => 0,
  })
  await opens(1)
  for (const [sent, what, often] of [
    [':\n\n', 'a heartbeat', 'your watchdog is restarted only by events. A quiet hour has none.'],
    ['id: n-0\nda', 'a part of an event', ONLY_WHOLE],
    ['ta: {', 'a part of an event', ONLY_WHOLE],
  ] as const) {
    await armsWatchdog(9000)
    clock.advance(8000)
    const { sleepCount } = clock
    server.send(sent)
    await t.waitFor(() => clock.sleepCount > sleepCount && (clock.nextDueMs ?? 0) === 9000, {
      seen: () =>
        `8 of 9 seconds had passed when ${what} arrived, and the client would give up in ${clock.nextDueMs} ms.`,
      expected: 'Expected another 9 seconds: a new clock.sleep(stallMs, …) whenever bytes arrive.',
      often,
    })
  }
  must(server.requests.length === 1, {
    seen: 'Bytes arrived in time, and the client reconnected.',
    expected: 'Expected the client to stay connected.',
  })
})

edgeCase('5.6l', 'the watchdog also runs while no head has arrived', async (t) => {
  const server = await scriptedServer(t)
  server.stopAnswering()
  const { clock, requested, backsOff, armsWatchdog } = await followTimed(t, {
    server,
    stallMs: 9000,
    random: () => 0,
  })
  await requested(1)
  await armsWatchdog(9000)
  clock.advance(9000)
  await backsOff(1, 'Nothing arrived for stallMs')
  clock.advance(0)
  await requested(2)
  await t.waitFor(() => server.openResponses === 1, {
    seen: 'No head arrived for stallMs, the client reconnected, and the old request stayed open.',
    expected: 'Expected the request to be cancelled.',
  })
})

edgeCase('5.6m', 'a slow caller does not trigger the watchdog', async (t) => {
  const server = await scriptedServer(t)
  const clock = new ControlledClock(t.transcript)
  const abort = new AbortController()
  const options = { signal: abort.signal, clock, stallMs: 9000, random: () => 0 }
  const reading = followQuakes(server.url, options)[Symbol.asyncIterator]()
  t.atEnd(() => {
    abort.abort()
    // A client that does not heed the signal is another check's matter.
    return Promise.race([reading.return?.(undefined).catch(() => {}), turns()])
  })
  const [first, second] = quakes(2)
  t.transcript.step('followQuakes() is called, and asked for a quake')
  const one = reading.next()
  await waitForRequest(t, server, 1, one)
  server.send(eventOf(first, 'n-0'))
  await t.withTimeout(one, notGiven(first))
  t.transcript.step('the caller is slow with the quake')
  for (let beat = 0; beat < 3; beat += 1) {
    clock.advance(8000)
    server.send(':\n\n')
    // A client that reads ahead has the heartbeat, and one that does not read has no watchdog.
    await t.waitFor(() => clock.nextDueMs === undefined || clock.nextDueMs === 9000, {
      seen: () =>
        `The caller was slow with a quake, heartbeats arrived, and the client would give up in ${clock.nextDueMs} ms.`,
      expected:
        'Expected no watchdog while the caller is busy, or one that every heartbeat restarts.',
      often:
        'your watchdog keeps running while the caller is busy, and nothing reads the heartbeats then.',
    })
  }
  const two = reading.next()
  server.send(eventOf(second, 'n-1'))
  const { value } = await t.withTimeout(two, {
    seen: 'The caller took 24 seconds for a quake, and the next quake was not yielded.',
    expected: 'Expected the next quake on the same connection, because only the caller was slow.',
  })
  must(deepEqual(value, second) && server.requests.length === 1, {
    seen: `The caller took 24 seconds for a quake, and the client made ${counted(server.requests.length, 'request')}.`,
    expected: 'Expected one request, because no connection was lost.',
  })
})

edgeCase('5.6n', 'no sleep continues when its work is done', async (t) => {
  const follower = await followTimed(t, { stallMs: 9000 })
  const { server, got, clock, opens, ends, backsOff } = follower
  const [quake] = quakes(1)
  await opens(1)
  server.send(`:\n\n${eventOf(quake, 'n-0')}`)
  await t.waitFor(() => got.length === 1, notGiven(quake))
  server.cut()
  await backsOff()
  must(clock.sleeperCount === 1, {
    seen: `The client waited before reconnecting, and ${clock.sleeperCount} sleeps were running.`,
    expected: 'Expected one sleep, because the watchdog has nothing to watch.',
    often: 'your watchdog keeps sleeping. Abort its signal when bytes have arrived.',
  })
  follower.abort()
  await ends('The signal aborted while the client waited')
  await t.waitFor(() => clock.nextDueMs === undefined && server.requests.length === 1, {
    seen: 'The signal aborted while the client waited, and a sleep was still running, or another request was made.',
    expected: 'Expected no sleep and no request.',
    often:
      'your client does not pass the signal to clock.sleep(), or does not check the signal after it.',
  })
})

check('5.6o', '204 ends the loop', async (t) => {
  const follower = await followTimed(t)
  const { server, states, clock, opens, ends, backsOff } = follower
  await opens(1)
  follower.mayEnd()
  server.answer(204)
  server.end()
  const ms = await backsOff()
  clock.advance(ms)
  await ends('The server answered 204')
  const last = states.at(-1)
  must(last?.name === 'over' && server.requests.length === 2, {
    seen: `The server answered 204. The last state that onState() was called with is ${last?.name ?? 'missing'}, and the client made ${counted(server.requests.length, 'request')}.`,
    expected: 'Expected the state over, and 2 requests.',
  })
})

edgeCase('5.6p', 'a finished connection leaves no listener at the signal', async (t) => {
  const { server, clock, signal, delivers, opens, backsOff } = await followTimed(t)
  let first: number | undefined
  for (const [n, quake] of quakes(4).entries()) {
    await opens(n + 1)
    await delivers(quake, `n-${n}`)
    server.cut()
    const ms = await backsOff(n + 1)
    const listeners = getEventListeners(signal, 'abort').length
    first ??= listeners
    must(listeners <= first, {
      seen: `After its first connection the client had ${counted(first, 'listener')} at the signal, and later it had ${listeners}.`,
      expected:
        'Expected no more than after the first, because the client may follow the stream for months.',
      often:
        'your client does not call removeEventListener() when the request is over, or it passes the signal itself to fetch().',
    })
    clock.advance(ms)
  }
})

// 5.7 Any cut

check('5.7a', 'each quake is yielded once, wherever a response is cut', async (t) => {
  const { ids, responseLength, headLength, startClient } = await cuttingServer(t)
  const plans = [
    ...cutAfterEachByte('response', 0, headLength - 1, ONE_IN_A_HEAD),
    ...cutAfterEachByte('response', headLength, responseLength - 1),
  ].map((cut) => [cut])
  await runCutPlans(t, plans, startClient, {
    ids,
    often:
      'your client moves its cursor when it reads the id line, and not when the event is complete.',
    sign: 'early id',
  })
})

edgeCase(
  '5.7b',
  'each quake is yielded once, even if the next connections are cut as well',
  async (t) => {
    const { ids, responseLength, headLength, startClient } = await cuttingServer(t)
    // The next cut: at once, in the head, in the middle of an event, between two events.
    const next = [1, headLength - 30, headLength + 30, headLength + 44]
    const twice = cutAfterEachByte('response', headLength, responseLength - 1).map(
      (cut, n): Cut[] => [cut, { of: 'response', after: next[n % next.length]! }],
    )
    // The client cannot know how many bytes of its request have arrived.
    const inARow: Cut[] = [
      { of: 'response', after: headLength + 50 },
      ...cutAfterEachByte('request', 1, 12),
    ]
    await runCutPlans(t, [...twice, inARow], startClient, {
      ids,
      often: 'your client forgets its cursor after one connection.',
      sign: 'forgotten id',
    })
  },
)

check(
  '5.7c',
  'the server continues after the last complete event, wherever a client is cut off',
  async (t) => {
    const history = fakeHistory(SILENT, { capacity: 2 })
    const ids = idsOf(history.append(...shortQuakes(4)))
    const { port } = await t.serve(createApp(history))
    const begin = (cuts: Cut[]): InterruptedRun =>
      resumingClient(port, PATH, { cuts, cursor: ids[0]!, last: ids.at(-1)! })
    const { response, request } = await rehearse(t, begin)
    const head = response.indexOf('\r\n\r\n') + 4
    const cuts = [
      ...cutAfterEachByte('response', 0, head - 1, ONE_IN_A_HEAD),
      ...cutAfterEachByte('response', head, response.length - 1),
      ...cutAfterEachByte('request', 1, request.length, ONE_IN_A_HEAD),
    ]
    const plans = cuts.map((cut) => [cut])
    await runCutPlans(t, plans, begin, {
      ids: ids.slice(2),
      afterGap: true,
      often: 'your server sends an ID before the event that it belongs to.',
      sign: 'early id',
    })
  },
)

edgeCase('5.7d', 'two cuts during the switch from history to live lose nothing', async (t) => {
  const apps: RequestHandler[] = []
  const server = await t.serve((request, response, next) =>
    apps[Number(request.query.app)]!(request, response, next),
  )
  const happened = shortQuakes(3)
  const ids = idsOf(fakeHistory(SILENT).append(...happened))
  const begin = (cuts: Cut[]): InterruptedRun => {
    const history = fakeHistory(SILENT)
    history.append(happened[0]!)
    history.blockReads(apps.length % 2 === 0 ? 'as it was' : 'as it is')
    const path = `${PATH}?app=${apps.push(createApp(history)) - 1}`
    const run = resumingClient(server.port, path, { cuts, last: ids.at(-1)! })
    playHandover(history, run, happened[1]!, happened[2]!).catch(() => {})
    return run
  }
  const { response } = await rehearse(t, begin)
  const head = response.indexOf('\r\n\r\n') + 4
  const next = [1, head - 30, head + 30, head + 70]
  const plans = cutAfterEachByte('response', head, response.length - 1).map((cut, n): Cut[] => [
    cut,
    // Changes now and then, because the chunks begin where Node decides.
    { of: 'response', after: next[Math.floor(n / 24) % next.length]! },
  ])
  await runCutPlans(t, plans, begin, {
    ids,
    often: 'your server keeps the queue or the read of one request for the next request.',
    sign: 'wrong quakes',
  })
})

check(
  '5.7e',
  'in random stories, nothing is lost without a gap, and nothing arrives twice',
  async (t) => {
    const numRuns = Math.ceil(100 / sampleEvery())
    const counterexample = await runScenarios(t, { seed, numRuns, stock: stock() })
    for (const step of counterexample?.steps ?? []) t.transcript.step(step)
    if (counterexample) throw counterexample.error
    t.transcript.step(`${numRuns} stories: everything arrived`)
  },
)

// 5.8 Ends

check('5.8a', 'after the history has ended, a client that has everything gets 204', async (t) => {
  const history = fakeHistory(t.transcript)
  const [first, last] = history.append(...quakes(2))
  history.end()
  const server = await t.serve(createApp(history))
  const missed = await subscribe(t, server, {
    name: 'client B',
    lastEventId: first.id,
    when: 'The history is over, and client B has not got its last entry. ',
  })
  await mustBeNext(missed.events, last, {
    often:
      'your handler answers 204 to every client after the end, even if entries are left to send.',
  })
  await mustEnd(missed, 'client B')
  const client = t.connect(server, 'client C')
  const story = { seen: 'Client C got no response head.', expected: 'Expected 204.' }
  const { status } = await client.get(PATH, story, { lastEventId: last.id })
  must(status === 204, {
    seen: `The history is over, client C has everything, and was answered ${status}.`,
    expected: 'Expected 204, because the client keeps reconnecting after any other answer.',
  })
  await keepsRulesWhenOver(t)
})

/** Checks that gaps and backpressure work as usual after the history has ended. */
async function keepsRulesWhenOver(t: Tools): Promise<void> {
  const evicting = fakeHistory(t.transcript, { capacity: 1 })
  const [first, , kept] = evicting.append(...quakes(3))
  evicting.end()
  for (const lastEventId of [first.id, 'of-another-life']) {
    const { client, events } = await serveAndSubscribe(t, evicting, { lastEventId })
    const when = `The history is over, the client connected with "${lastEventId}", and the next entries may have been evicted`
    await mustTellGap(events, when)
    await mustBeNext(events, kept)
    await mustEnd(client, 'the client')
  }
  const large = fakeHistory(SILENT)
  const entries = large.append(...largeQuakes(16))
  t.transcript.step(`another history has ${entries.length} entries of 256 KB, and is over`)
  large.end()
  const jammed = await jammedServer(t, createApp(large), (_request, response, next) => {
    unblock = blockSocket(response.socket!)
    next()
  })
  let unblock = (): void => {}
  const client = t.connect(jammed.server, 'slow client')
  client.request(PATH)
  await jammed.mustQueue()
  must(jammed.queued() < 2 * MEGABYTE, {
    seen: 'The history is over, a client was stalled, and most of a history of 4 MB waited in the memory of your server.',
    expected: 'Expected a few hundred KB: one entry, and the bytes that fit into the socket.',
    often: 'your handler does not wait for "drain" when the history is over.',
  })
  t.transcript.step('the slow client reads')
  unblock()
  const events = new EventClient(client, SILENT)
  for (const entry of entries) await mustBeNext(events, entry)
}

check('5.8b', 'the stream ends when the history ends', async (t) => {
  const history = fakeHistory(t.transcript)
  const { client, events } = await serveAndSubscribe(t, history)
  const [entry] = history.append(...quakes(1))
  await mustBeNext(events, entry)
  history.end()
  await mustEnd(client, 'the client')
  await mustStopHeartbeat(t)
})

/** Checks that no heartbeat follows the end. For a stalled client, the response has ended but is not finished. */
async function mustStopHeartbeat(t: Tools): Promise<void> {
  const timers = t.controlTimers()
  const history = fakeHistory(t.transcript)
  const { server, jam, responses } = await jammedServer(t, createApp(history))
  const slow = await subscribe(t, server, { name: 'slow client' })
  const [entry] = history.append(...quakes(1))
  await mustBeNext(slow.events, entry)
  jam()
  history.end()
  const response = responses[0]!
  let error: unknown
  response.on('error', (thrown) => (error = thrown))
  await t.waitFor(() => response.writableEnded || response.destroyed, {
    seen: 'The history is over, a stalled client has everything, and its response did not end.',
    expected: 'Expected the response to end.',
  })
  timers.runPending()
  await someTurns()
  must(error === undefined, {
    seen: `The response to a stalled client had ended, and the next heartbeat failed: ${describeError(error)}.`,
    expected:
      'Expected no heartbeat after the end, because that error is not caught and the server crashes.',
    often:
      "your handler clears the heartbeat at 'close' or 'finish'. For a stalled client both happen long after res.end().",
  })
}

edgeCase('5.8c', 'a shutdown ends the responses and closes the connections', async (t) => {
  const { shutDown, server, client } = await serveUntilShutdown(t)
  shutDown()
  const how = await client.ended({
    seen: 'The shutdown began, and the stream stayed open.',
    expected: 'Expected the stream to end, so that its client finds another server.',
    often: 'your handler is waiting for the next quake, and the signal does not wake it.',
  })
  must(how === 'complete', {
    seen: 'The shutdown began, and the connection was cut.',
    expected: 'Expected the response to end normally, with the last chunk.',
    often: 'your handler calls res.destroy() instead of res.end().',
  })
  await t.waitFor(() => server.connections === 0, {
    seen: 'The shutdown began, the stream ended, and the connection stayed open.',
    expected:
      'Expected the connection to be closed, because server.close() waits for it and the next request would reach this server again.',
    often:
      'your handler only calls res.end(), which keeps the connection open for another request.',
  })
  must(client.events.unexpected === undefined, {
    seen: 'An unexpected event arrived.',
    expected: 'Expected no event.',
  })
})

edgeCase('5.8d', 'a client that connects during a shutdown can reconnect elsewhere', async (t) => {
  const { shutDown, server } = await serveUntilShutdown(t)
  shutDown()
  const client = t.connect(server, 'client B')
  client.request(PATH)
  const how = await client.ended({
    seen: 'The shutdown had begun, and client B got a stream that stayed open.',
    expected: 'Expected the response to end, or the connection to be closed.',
    often:
      'your handler only listens for "abort". The signal had aborted before client B connected.',
  })
  const status = client.hasHead
    ? (await client.head({ seen: 'Client B got no head.', expected: 'Expected a head.' })).status
    : undefined
  must(how === 'cut' || status === 200, {
    seen: `The shutdown had begun, and client B was answered ${status}.`,
    expected:
      'Expected a stream that ends, or no answer, because an EventSource never reconnects after any other status.',
    often: 'your handler answers 503. Most clients retry after it, but an EventSource does not.',
  })
  await t.waitFor(() => server.connections === 0, {
    seen: 'The shutdown had begun, the stream of client B ended, and its connection stayed open.',
    expected:
      'Expected the connection to be closed, because the next request of client B would reach this server again.',
    often: 'your handler ends late clients with res.end(), which keeps the connection open.',
  })
})

edgeCase(
  '5.8e',
  'a shutdown leaves no listener, and does not wait for stalled clients',
  async (t) => {
    const history = fakeHistory(t.transcript)
    const leftovers = trackLeftovers(t, history)
    const shutdown = new AbortController()
    const app = createApp(history, { shutdown: shutdown.signal, heartbeatMs: OFTEN })
    const { server, jam, mustQueue } = await jammedServer(t, app)
    await subscribe(t, server, { name: 'slow client' })
    jam()
    const [, last] = history.append(...largeQuakes(2))
    await mustQueue()
    // Client B has everything. The entry that it then does not read must not make the handler wait for "drain".
    await subscribe(t, server, { name: 'client B', lastEventId: last!.id })
    jam()
    history.append(...quakes(1))
    await someTurns()
    t.transcript.step('the shutdown begins')
    shutdown.abort()
    await t.waitFor(leftovers.areNone, {
      seen: () => `The shutdown began, and ${leftovers.describe()} left.`,
      expected: 'Expected no listener and no timer, because timers keep the process alive.',
      often:
        'your handler for a stalled client still waits for "drain", or a timer is never cleared.',
    })
    await t.waitFor(() => server.connections === 0, {
      seen: () =>
        `The shutdown began, and ${server.connections === 1 ? 'the connection of a stalled client' : 'the connections of stalled clients'} stayed open.`,
      expected: 'Expected stalled clients to be cut, because server.close() waits for them.',
      often:
        'your handler calls res.end(), which waits until the client has read everything. A stalled client does not read.',
    })
    const late = t.connect(server, 'client C')
    late.request(PATH)
    await late.ended({
      seen: 'The shutdown had begun, and client C got a stream that stayed open.',
      expected: 'Expected the response to end, or the connection to be closed.',
    })
    await t.waitFor(leftovers.areNone, {
      seen: () => `Client C connected during the shutdown, and ${leftovers.describe()} left.`,
      expected: 'Expected no listener and no timer, because timers keep the process alive.',
      often:
        'your cleanup listens to a signal that has already aborted. An aborted signal fires no more events.',
    })
  },
)

check('5.8f', 'an EventSource reconnects with the last ID, and reports each quake', async (t) => {
  const server = await scriptedServer(t)
  const { got, states } = watch(t, server)
  for (const [n, quake] of quakes(3).entries()) {
    await waitForRequest(t, server, n + 1)
    mustHaveCursor(server, n + 1, n === 0 ? undefined : `n-${n - 1}`)
    server.send(`retry: 5\n\n${eventOf(quake, `n-${n}`)}`)
    await t.waitFor(() => got.length === n + 1, {
      seen: `The server sent ${describeQuake(quake)}, and onQuake() was not called.`,
      expected: 'Expected that quake.',
    })
    must(deepEqual(got[n], quake), {
      seen: `onQuake() was given ${excerptJson(got[n])}`,
      expected: `Expected ${excerptJson(quake)}`,
    })
    if (n < 2) server.cut()
  }
  const wanted = ['connecting', 'open', 'connecting', 'open', 'connecting', 'open']
  must(deepEqual(states, wanted), {
    seen: `The connection was lost twice, and onState() was called with ${listed(states)}.`,
    expected: `Expected ${wanted.join(', ')}.`,
    ...(states.includes('closed') && {
      often:
        "your code treats 'error' as the end. While readyState is CONNECTING, the EventSource is reconnecting.",
    }),
  })
})

edgeCase('5.8g', 'gaps and data that is not JSON are not reported as quakes', async (t) => {
  const server = await scriptedServer(t)
  const { got, gaps } = watch(t, server)
  const [quake] = quakes(1)
  await waitForRequest(t, server, 1)
  server.send(`${GAP_EVENT}data: no JSON\n\n${eventOf(quake, 'n-0')}`)
  await t.waitFor(() => got.length > 0, {
    seen: 'A gap, data that is not JSON and a quake arrived, and onQuake() was not called.',
    expected: 'Expected that quake.',
  })
  must(deepEqual(gaps, [0]) && deepEqual(got, [quake]), {
    seen: `A gap, data that is not JSON and a quake arrived. onGap() was called ${counted(gaps.length, 'time')}, and onQuake() with ${excerptJson(got[0])}`,
    expected: 'Expected one call of onGap(), then one of onQuake() with the quake.',
    often: 'your code listens only for "message". Named events need a listener with their name.',
  })
})

check('5.8h', 'the EventSource closes after 204, and when the caller stops it', async (t) => {
  const server = await scriptedServer(t)
  const { states, stop } = watch(t, server)
  await waitForRequest(t, server, 1)
  server.send('retry: 5\n\n')
  server.answer(204)
  server.end()
  await t.waitFor(() => states.at(-1) === 'closed', {
    seen: () => `The server answered 204, and onState() was called with ${listed(states)}.`,
    expected:
      'Expected "closed" as the last state, because the EventSource does not reconnect any more.',
  })
  stop()
  const other = await scriptedServer(t)
  const watcher = watch(t, other)
  await waitForRequest(t, other, 1)
  t.transcript.step('the function that watchQuakes() returned is called')
  watcher.stop()
  await t.waitFor(() => other.openResponses === 0, {
    seen: 'The function that watchQuakes() returned was called, and the client stayed connected.',
    expected: 'Expected the function to close the connection.',
  })
})

edgeCase(
  '5.8i',
  'a client that disconnected leaves no listener at the shutdown signal',
  async (t) => {
    const history = fakeHistory(t.transcript)
    const shutdown = new AbortController()
    const server = await t.serve(createApp(history, { shutdown: shutdown.signal }))
    const listeners = (): number => getEventListeners(shutdown.signal, 'abort').length
    const { connectAndLeave } = trackLeftovers(t, history)
    await connectAndLeave(server, 'client 1')
    // One listener for all clients may stay.
    const first = listeners()
    await connectAndLeave(server, 'client 2')
    await connectAndLeave(server, 'client 3')
    await t.waitFor(() => listeners() <= first, {
      seen: 'Three clients connected and disconnected, and their listeners are left at the shutdown signal.',
      expected:
        'Expected no listener, because the signal lives as long as the server and keeps everything that its listeners use.',
      often:
        'your handler does not call removeEventListener(). { once: true } removes a listener only when it is called.',
    })
  },
)

edgeCase('5.8j', 'an entry that is appended right before the end is sent', async (t) => {
  const history = fakeHistory(t.transcript)
  history.blockReads('as it was')
  const { client, events } = await serveAndSubscribe(t, history)
  await waitForRead(t, history)
  const [entry] = history.append(...quakes(1))
  history.end()
  history.unblockReads()
  await mustBeNext(events, entry, {
    often:
      'your handler checks isOver after the read. Another entry may have been appended meanwhile, right before the end.',
  })
  await mustEnd(client, 'the client')
})

edgeCase('5.8k', 'a failed read of a history that is over cuts the connection', async (t) => {
  const history = fakeHistory(t.transcript)
  history.append(...quakes(1))
  history.end()
  const server = await t.serve(createApp(history))
  history.failNext('the disk is gone', 2)
  const client = t.connect(server)
  client.request(PATH)
  const goesOn: Story = {
    seen: 'The history is over and could not be read, and the connection stayed open.',
    expected: 'Expected the connection to be cut, so that the client reconnects and asks again.',
  }
  const head = await client.head(goesOn).catch(() => undefined)
  must(head === undefined || head.status === 200, {
    seen: `The history is over and could not be read, and the client was answered ${head?.status}.`,
    expected:
      'Expected the connection to be cut, because an EventSource never reconnects after any status but 200.',
    often:
      'your handler does not catch the error of the read that decides about 204, so Express answers 500.',
  })
  if (head) await client.ended(goesOn)
  else await t.waitFor(() => server.connections === 0, goesOn)
})

const MEGABYTE = 1024 * 1024

/** How many entries a history keeps by default. */
const DEFAULT_CAPACITY = 1000

/** Valid IDs that break code which treats an ID as a number, as a key, or as part of a URL. */
const ODD_IDS = [
  '0',
  '-1',
  '007',
  '1e3',
  'a b',
  '100%',
  '%41',
  '"q"',
  ':x',
  '__proto__',
  'constructor',
  'null',
]

/** Blocks without a quake, and the last ID after each of them if the event before had the ID `before`. */
const IDS_IN_BLOCKS = [
  ['event: weather\nid: named\ndata: {"rain":true}\n\n', 'named'],
  ['event: gap\nid: no-gap\n\n', 'no-gap'],
  ['id: bad\ndata: no JSON\n\n', 'bad'],
  ['id: again\nretry: 9\n\n', 'again'],
  ['event: weather\ndata: x\n\n:\n\ndata: no JSON\n\nretry: 9\n\n', 'before'],
] as const

/** More quakes than a server should keep for one client. */
const VERY_MANY = 10_000

/** No client may remember more ids. */
const MOST_IDS = 10_000

const AS = fc.constantFrom('as it was' as const, 'as it is' as const)

const GAP_EVENT = 'event: gap\ndata: lost\n\n'

// Messages that several checks share

const BEHIND = {
  often:
    'your handler ignores the header, changes its text, or skips the first entry that after() returns. That entry is already after the cursor.',
  oftenAtGap: 'your handler sends a gap to every client that reconnects. Look at isGap.',
}

const READ_THEN_LISTEN = {
  often:
    'your handler subscribes, or creates the promise of its bell, after the read. Quakes in between are lost.',
}

const TWICE = {
  often:
    'your handler sends every queued entry after the read, even those that the answer already contained.',
}

const GAP_UNTOLD: Story = {
  seen: 'The server sent a gap, and onGap() was not called.',
  expected: 'Expected a call of onGap().',
}

const ID_CHANGED =
  'your handler treats the ID as a number or as the key of an object, or encodes or decodes it. Pass it on unchanged.'

const AS_IT_CAME =
  'The client sends the last ID back unchanged, because the server looks for that text.'

const ID_LOST =
  'your client does not keep the ID, keeps it only until the connection is lost, or encodes it.'

/** Returns IDs of no history: from another history, from the future, or malformed. */
function strangeIds(): string[] {
  const made = fc.sample(
    fc.string({ unit: fc.constantFrom('a', '0', '9', '-', '.'), minLength: 1, maxLength: 9 }),
    { seed, numRuns: 3 },
  )
  return ['99999999', '0', '-1', '1e3', 'undefined', 'NaN', 'n/0 =%', ...made]
}

/** Starts a server that can be shut down, with one client that has got a quake. */
async function serveUntilShutdown(
  t: Tools,
): Promise<{ client: RawClient; server: TestServer; shutDown(): void }> {
  const history = fakeHistory(t.transcript)
  const shutdown = new AbortController()
  const { client, server } = await serveAndSubscribe(t, history, { shutdown: shutdown.signal })
  const [entry] = history.append(...quakes(1))
  await mustBeNext(client.events, entry)
  return {
    client,
    server,
    shutDown() {
      t.transcript.step('the shutdown begins')
      shutdown.abort()
    },
  }
}

/** Returns the quakes of a scenario with short IDs, `q1`, `q2` and so on, to make its steps easy to read. */
function stock(): Quake[] {
  const all: Quake[] = quakes(MAX_QUAKES)
  return all.map((quake, n) => ({ ...quake, id: `q${n + 1}` }))
}

/** Returns quakes that differ only in their IDs, because many different ones would take a while to make. */
function numberedQuakes(count: number): Quake[] {
  const [quake] = shortQuakes(1)
  return Array.from({ length: count }, (_, n) => ({ ...quake!, id: `m-${n}` }))
}

/** Returns quakes that are short enough to be cut after each byte. */
function shortQuakes(count: number): Quake[] {
  return quakes(count).map(({ id, magnitude }) => ({ id, magnitude, place: '' }) as Quake)
}

/**
 * Lets one quake happen during a read of the history, and one after it. A client that is cut off in between also reconnects
 * in between.
 */
async function playHandover(
  history: FakeHistory,
  { attempts }: InterruptedRun,
  meanwhile: Quake,
  then: Quake,
): Promise<void> {
  const { waitFor } = waiting(SILENT)
  // If the history is never read, the run reports that.
  const untold = { seen: '', expected: '' }
  await waitFor(() => history.blockedReads > 0, untold)
  history.append(meanwhile)
  const [first] = attempts
  if (first!.response.length === first!.cut?.after) await waitFor(() => attempts.length > 1, untold)
  await turns(10)
  history.unblockReads()
  history.append(then)
}

/** Runs without a cut, and returns the request and the response. */
async function rehearse(t: Tools, begin: (cuts: Cut[]) => InterruptedRun): Promise<Attempt> {
  const { attempts, done } = begin([])
  await t.withTimeout(done, {
    seen: 'A client connected, nothing was cut, and the last quake did not arrive.',
    expected: 'Expected every quake.',
  })
  return attempts[0]!
}

type Watched = { got: unknown[]; gaps: number[]; states: string[]; stop(): void }

/** Watches a server with watchQuakes() until the script ends. */
function watch(t: Tools, { url }: ScriptedServer): Watched {
  const got: unknown[] = []
  const gaps: number[] = []
  const states: string[] = []
  t.transcript.step('watchQuakes() is called')
  const stop = watchQuakes(url, {
    onQuake: (quake) => got.push(quake),
    onGap: () => gaps.push(got.length),
    onState: (state) => states.push(state),
  })
  t.atEnd(stop)
  return { got, gaps, states, stop }
}
