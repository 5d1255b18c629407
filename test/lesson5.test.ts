import { getEventListeners } from 'node:events'
import * as fc from 'fast-check'
import type { RequestHandler } from 'express'
import type { Quake } from '#feed'
import { createHistory, type Entry } from '#work/05-replay/history.ts'
import { createApp } from '#work/05-replay/server.ts'
import { blockSocket } from './harness/block-socket.ts'
import { followQuakes } from '../solutions/06-resume/client.ts'
import { check, must, type Tools, edgeCase } from './harness/check.ts'
import { describeEvent, EventClient } from './harness/event-client.ts'
import { deepEqual, tryParseJson } from './harness/equality.ts'
import { turns } from './harness/event-loop.ts'
import { collectGarbage } from './harness/garbage.ts'
import { describeError, type Story } from './harness/failure.ts'
import { hasToken } from './harness/header-tokens.ts'
import { disconnect, requestLogin, slowLogin } from './harness/login.ts'
import { GET_FOR_HEAD, isEventStream, mustEndHead } from './harness/methods.ts'
import {
  awkwardQuakes,
  describeQuake,
  LARGE,
  largeQuakes,
  numberedQuakes,
  quakes,
  seed,
  shortQuakes,
} from './harness/quakes.ts'
import type { RawClient } from './harness/raw-client.ts'
import {
  cutAfterEachByte,
  ONE_IN_A_HEAD,
  type Attempt,
  type Cut,
} from './harness/reconnection/cut.ts'
import { runCutPlans, type InterruptedRun } from './harness/reconnection/cut-plans.ts'
import { fakeHistory, type FakeHistory } from './harness/reconnection/fake-history.ts'
import { append, filledHistory, readAfter } from './harness/reconnection/history-calls.ts'
import { jammedServer, pausedReplay } from './harness/reconnection/jammed-server.ts'
import { someTurns, trackLeftovers } from './harness/reconnection/leftovers.ts'
import { counted, idsOf, listed } from './harness/reconnection/wording.ts'
import { ODD_IDS } from './harness/reconnection/odd-ids.ts'
import { resumingClient } from './harness/reconnection/resuming-client.ts'
import { mustEndWell } from './harness/reconnection/scenarios.ts'
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
import { sampleSize } from './harness/sampling.ts'
import type { TestServer } from './harness/serve.ts'
import { excerpt, excerptJson, SILENT } from './harness/transcript.ts'
import { waiting } from './harness/waiting.ts'

/** The `heartbeatMs` for checks that wait for heartbeats. */
const OFTEN = 2

/** The number of comments that include at least two heartbeats, even if the server begins with other comments. */
const SOME = 5

// 5.1 The history

check('5.1a', 'after(undefined) returns all kept entries, oldest first', async (t) => {
  const { history, happened } = filledHistory(t, 3)
  const { entries, isGap } = await readAfter(t, history, undefined)
  const gave = entries.map(({ quake }) => quake?.id ?? 'no quake')
  must(deepEqual(gave, idsOf(happened)) && !isGap, {
    seen: `after(undefined) returned ${listed(gave)}${isGap ? ' and a gap' : ''}.`,
    expected: `Expected after(undefined) to return ${listed(idsOf(happened))} and no gap, because a client without a cursor cannot have missed anything.`,
  })
})

check('5.1b', 'an entry holds the quake and its ID', async (t) => {
  const { history, happened } = filledHistory(t, 3)
  const { entries } = await readAfter(t, history, undefined)
  for (const [n, quake] of happened.entries()) {
    const entry = entries[n]
    must(entry?.id === quake.id && deepEqual(entry.quake, quake), {
      seen: `The entry for quake ${quake.id} was ${excerptJson(entry, 100)}`,
      expected: `Expected the entry to be { id: "${quake.id}", quake: … }, with the whole quake.`,
      often:
        'your history numbers its entries. After a restart the count starts over, so the same ID refers to a different quake.',
    })
  }
})

check('5.1c', 'after(id) returns the entries after that ID', async (t) => {
  const { history, happened } = filledHistory(t, 5)
  for (const [n, { id }] of happened.entries()) {
    const { ids, isGap, told } = await readAfter(t, history, id)
    const newer = idsOf(happened.slice(n + 1))
    must(deepEqual(ids, newer) && !isGap, {
      seen: `The history keeps ${listed(idsOf(happened))}, and after("${id}") returned ${told}.`,
      expected: `Expected after("${id}") to return ${listed(newer)} and no gap, because the client already has everything up to "${id}".`,
      often:
        'your slice is off by one, so it includes the entry with that ID, or leaves out the entry after it.',
    })
  }
  // Use the default capacity, and cursors at places that a limited search does not reach.
  const large = createHistory()
  const many = numberedQuakes(DEFAULT_CAPACITY)
  for (const quake of many) large.append(quake)
  t.transcript.step(`${many.length} quakes are appended to a history with the default capacity`)
  for (const at of [0, 1, 63, 64, 99, 100, 255, 256, 500, 743, 871, 935, 998, 999]) {
    const { id } = many[at]!
    const { entries, isGap } = await large.after(id)
    must(!isGap && deepEqual(idsOf(entries), idsOf(many.slice(at + 1))), {
      seen: `${many.length} quakes were appended, and after() with the ID of quake ${at + 1} returned ${counted(entries.length, 'entry', 'entries')}${isGap ? ' and a gap' : ''}.`,
      expected: `Expected after() to return the ${many.length - at - 1} entries after that quake and no gap, because by default a history keeps ${DEFAULT_CAPACITY} entries and finds each of them.`,
    })
  }
})

check('5.1d', 'a history keeps as many entries as its capacity', async (t) => {
  const { history, happened } = filledHistory(t, 8, 3)
  const { ids, isGap } = await readAfter(t, history, undefined)
  const kept = idsOf(happened.slice(-3))
  must(deepEqual(ids, kept), {
    seen: `The capacity is 3, ${happened.length} quakes were appended, and after(undefined) returned ${listed(ids)}.`,
    expected: `Expected after(undefined) to return the last 3 entries: ${listed(kept)}.`,
    often: 'your history never evicts an entry, or it evicts the newest entry.',
  })
  must(!isGap, {
    seen: `The history keeps the last 3 of ${happened.length} quakes, but after(undefined) returned a gap.`,
    expected:
      'Expected after() to report no gap, because a client without a cursor cannot have missed anything.',
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
  t.transcript.step(
    `${appended.length} quakes are appended to another history, with a capacity of 3`,
  )
  // A WeakRef keeps its object alive until the end of the turn.
  await turns(2)
  collectGarbage()
  const alive = appended.filter((each) => each.deref() !== undefined).length
  must(alive < 30, {
    seen: `The capacity is 3, ${appended.length} quakes were appended, and ${alive} of them were still in memory.`,
    expected:
      'Expected the history to hold no reference to evicted quakes, because the server runs for months.',
  })
  must(!history.isOver, {
    seen: 'end() was not called, but isOver was true.',
    expected: 'Expected isOver to be false until end() is called.',
  })
}

edgeCase(
  '5.1e',
  'a cursor at the most recently evicted entry does not count as a gap',
  async (t) => {
    const { history, happened } = filledHistory(t, 8, 3)
    const { id } = happened.at(-4)!
    const { ids, isGap, told } = await readAfter(t, history, id)
    must(!isGap && deepEqual(ids, idsOf(happened.slice(-3))), {
      seen: `The history keeps the last 3 entries. The entry before them has the ID "${id}", and after("${id}") returned ${told}.`,
      expected:
        'Expected after() to return these 3 entries and no gap, because no entry after that ID is missing.',
      often:
        'your history searches only the entries that it keeps. Also remember the ID that was evicted last, because nothing after it is missing.',
    })
  },
)

check('5.1f', 'an evicted entry after the cursor counts as a gap', async (t) => {
  const { history, happened } = filledHistory(t, 8, 3)
  const kept = idsOf(happened.slice(-3))
  for (const { id } of happened.slice(0, -4)) {
    const { ids, isGap } = await readAfter(t, history, id)
    must(isGap, {
      seen: `The history keeps the last 3 entries. The ID "${id}" belongs to an older entry, but after("${id}") returned no gap.`,
      expected:
        'Expected after() to report a gap, because entries between that entry and the last 3 have been evicted.',
      often: 'your history returns the remaining entries without setting isGap.',
    })
    must(deepEqual(ids, kept), {
      seen: `after("${id}") returned a gap and ${listed(ids)}.`,
      expected: `Expected after() to return a gap and every entry that the history still keeps: ${listed(kept)}.`,
    })
  }
})

edgeCase('5.1g', 'an unknown ID counts as a gap', async (t) => {
  for (const count of [3, 0]) {
    const { history, happened } = filledHistory(t, count)
    for (const id of strangeIds()) {
      const { ids, isGap } = await readAfter(t, history, id)
      must(isGap && deepEqual(ids, idsOf(happened)), {
        seen: `${count === 0 ? 'The history is empty' : `The history keeps ${count} entries`}, and after(${JSON.stringify(id)}) returned ${listed(ids)}${isGap ? ' and a gap' : ' and no gap'}.`,
        expected:
          'Expected after() to return a gap and every entry that the history still keeps, because it cannot know which entries the client has received.',
        often: 'your history treats an unknown ID as the beginning or as the end of the history.',
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
    seen: `${listed(idsOf(happened))} were appended, but the listener received ${listed(heard)}.`,
    expected:
      'Expected the listener to be called once for each entry, in order, before append() returns.',
  })
  const areThere = await Promise.all(found)
  must(areThere.every(Boolean), {
    seen: 'A listener was called for an entry, but after() did not return that entry.',
    expected:
      'Expected after() to return the entry. Otherwise a server whose listener reads the history misses that entry.',
    often: 'your append() calls the listeners before it stores the entry.',
  })
})

edgeCase('5.1i', 'unsubscribing one listener does not affect the others', async (t) => {
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
    seen: `Listener 1 unsubscribed after the first of two entries. Listener 1 received ${listed(heard.leaves)}, and listener 2 received ${listed(heard.stays)}.`,
    expected: 'Expected listener 1 to be called once, and listener 2 to be called twice.',
  })
  t.transcript.step('listener 1 unsubscribes again')
  stop()
  append(t, history, third)
  must(heard.stays.length === 3, {
    seen: 'Listener 1 unsubscribed twice, and then listener 2 was no longer called.',
    expected: 'Expected unsubscribing a second time to have no effect.',
    often:
      'your code passes the -1 from indexOf() to splice(), and splice(-1, 1) removes the last listener.',
  })
})

check('5.1j', 'end() sets isOver to true and calls the listeners', async (t) => {
  const history = createHistory()
  let wasOver: boolean | undefined
  history.subscribe({ onEntry() {}, onOver: () => (wasOver = history.isOver) })
  const [quake] = quakes(1)
  append(t, history, quake)
  must(!history.isOver && wasOver === undefined, {
    seen: 'An entry was appended and end() was not called, but isOver was true or onOver() was called.',
    expected: 'Expected isOver to be false, and onOver() not to be called, until end() is called.',
  })
  t.transcript.step('end() is called')
  history.end()
  must(history.isOver && wasOver === true, {
    seen: `end() was called, isOver was ${history.isOver} afterwards, and onOver() was ${wasOver === undefined ? 'not called' : `called while isOver was ${wasOver}`}.`,
    expected: 'Expected end() to set isOver to true first, and then to call onOver().',
  })
  const { ids } = await readAfter(t, history, undefined)
  must(deepEqual(ids, [quake.id]), {
    seen: `end() was called, and then after(undefined) returned ${listed(ids)}.`,
    expected: `Expected after(undefined) to return ${quake.id}, because a client that missed that quake can still ask for it.`,
    often: 'your end() clears the entries.',
  })
})

edgeCase('5.1k', 'an array that after() returned does not change later', async (t) => {
  for (const id of [undefined, quakes(1)[0].id, 'of-another-life']) {
    const { history, happened } = filledHistory(t, 4, 3)
    const { entries } = await readAfter(t, history, id)
    append(t, history, quakes(5)[4])
    must(deepEqual(idsOf(entries), idsOf(happened.slice(-3))), {
      seen: `after(${JSON.stringify(id)}) returned 3 entries. Then another quake was appended, and the returned array changed to ${listed(idsOf(entries))}.`,
      expected:
        'Expected the array to stay the same, because the server may still be sending it to a slow client.',
      often:
        'your after() returns the internal array of the history. Return a copy, such as entries.slice().',
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
    seen: `Listener 1 unsubscribed while it was being called for "${quake.id}". Listener 2 received ${listed(heard)}.`,
    expected: 'Expected listener 2 to be called once for that entry.',
    often:
      'your append() loops over an array while a listener is removed from it, so the next listener moves up and is skipped.',
  })
})

// 5.2 Replay

check(
  '5.2a',
  'the head and the "retry" field are sent before the history has been read',
  async (t) => {
    const history = fakeHistory(t.transcript)
    history.append(...quakes(1))
    history.blockReads('as it was')
    const client = t.connect(await t.serve(createApp(history, { retryMs: 1234 })))
    const head = await client.get(PATH, {
      seen: 'While the history was being read, the client did not receive the response head.',
      expected:
        'Expected the response head to be sent at once, because an EventSource does not open until the head arrives.',
      often: 'your handler writes nothing until the history has been read.',
    })
    must(head.status === 200 && isEventStream(head), {
      seen: `GET ${PATH} was answered with status ${head.status} and the Content-Type ${head.headers.get('content-type')}.`,
      expected: 'Expected status 200 and the Content-Type text/event-stream.',
    })
    const control = head.headers.get('cache-control')
    must(hasToken(control, 'no-store', 'no-cache'), {
      seen: `The Cache-Control header was ${control}.`,
      expected:
        'Expected the Cache-Control header to contain no-store or no-cache. Otherwise a cache between server and client may replay old quakes.',
    })
    must(hasToken(head.headers.get('x-accel-buffering'), 'no'), {
      seen: 'The response did not have the header X-Accel-Buffering: no.',
      expected:
        'Expected the response to have this header, as in lesson 4. Otherwise nginx buffers the events.',
    })
    const expected =
      'Expected retry: 1234 to be sent right after the head, because this field says how long the client waits before it reconnects.'
    const retry = await client.events.retry({
      seen: 'retryMs was 1234, but no "retry" field arrived.',
      expected,
      often: 'your handler sends the "retry" field after the history, or does not send it at all.',
    })
    must(retry === 1234, {
      seen: `retryMs was 1234, but the "retry" field said ${retry}.`,
      expected,
    })
  },
)

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
          : 'your handler sends the kept entries but does not wait for new ones. Waiting for them is part of task 5.3.',
    })
    must(data.includes(quake.id), {
      seen: `The client got an event with the data ${excerpt(data)}`,
      expected: `Expected the data to be quake ${quake.id}, because the kept entries come first, oldest first, and new entries follow.`,
    })
  }
})

edgeCase('5.2c', 'an event has the quake as JSON in its data, and no name', async (t) => {
  const history = fakeHistory(t.transcript)
  // Values that break code. The last quake corrects the first, so it has the same ID but other data.
  const happened = awkwardQuakes()
  history.append(...happened.slice(0, -1))
  const { events } = await serveAndSubscribe(t, history)
  for (const quake of happened) {
    if (quake === happened.at(-1)) history.append(quake)
    const event = await events.next(noEvent({ quake }))
    must(event.type === 'message' && deepEqual(tryParseJson(event.data), quake), {
      seen: `The event for ${describeQuake(quake)} was ${describeEvent(event)}.`,
      expected: `Expected an event without a name, and with the data ${excerpt(JSON.stringify(quake))}`,
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
      seen: `The ID of the entry was "${id}", but its event had the ID "${excerpt(lastEventId)}".`,
      expected:
        'Expected the event to have the ID of its entry, because the history does not know any other ID.',
      often: 'your handler numbers the events of each connection, or uses the ID of the quake.',
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

check(
  '5.2g',
  'heartbeats are sent while the stream is idle, and do not change the last ID',
  async (t) => {
    const history = fakeHistory(t.transcript)
    const [entry] = history.append(...quakes(1))
    const { events } = await serveAndSubscribe(t, history, { heartbeatMs: OFTEN })
    await mustBeNext(events, entry)
    await events.heartbeats(SOME, {
      seen: `heartbeatMs was ${OFTEN} and the stream was idle, but the client got at most one heartbeat.`,
      expected: 'Expected the client to get a heartbeat every few milliseconds.',
    })
    must(events.unexpected === undefined && events.lastEventId === entry.id, {
      seen: `A heartbeat arrived, and ${events.unexpected ? `it was an event: ${describeEvent(events.unexpected)}` : `it changed the last ID to "${events.lastEventId}"`}.`,
      expected: `Expected a heartbeat that is not an event. The last ID must stay "${entry.id}", because the client sends it when it reconnects.`,
    })
    history.blockReads('as it was')
    const other = await serveAndSubscribe(t, history, { heartbeatMs: OFTEN })
    await waitForRead(t, history)
    await other.events.heartbeats(SOME, {
      seen: 'While the history was being read, the client got no heartbeat.',
      expected:
        'Expected heartbeats to be sent during the read as well. Otherwise the watchdog of the client cancels the connection.',
      often: 'your handler starts the heartbeat after the history has been read.',
    })
    await hasDefaults(t)
  },
)

/** Checks the defaults of heartbeatMs and retryMs. */
async function hasDefaults(t: Tools): Promise<void> {
  const delays = t.recordTimerDelays()
  const history = fakeHistory(t.transcript)
  const { events } = await serveAndSubscribe(t, history)
  await events.retry({
    seen: 'retryMs was left out, and the stream had no "retry" field with a number.',
    expected: 'Expected retryMs to have a default, such as 2000.',
  })
  const [first] = history.append(...quakes(1))
  await mustBeNext(events, first)
  delays.stop()
  await turns(20)
  const [last] = history.append(...quakes(1))
  await mustBeNext(events, last)
  must(events.comments < SOME && !delays.ms.some((ms) => ms <= 1), {
    seen: 'heartbeatMs was left out, and a timer of the server fired every millisecond.',
    expected: 'Expected heartbeatMs to have a default of at most a minute, such as 15 seconds.',
    often: 'your code passes undefined to setInterval(), which then fires every millisecond.',
  })
  must(
    delays.ms.some((ms) => ms <= 60_000),
    {
      seen: `heartbeatMs was left out, and the server started no timer of a minute or less${delays.ms.length > 0 ? `. Its shortest timer had ${Math.min(...delays.ms)} ms` : ''}.`,
      expected: 'Expected heartbeatMs to have a default of at most a minute, such as 15 seconds.',
    },
  )
}

check('5.2h', 'the replay waits for a stalled client', async (t) => {
  const { queued } = await pausedReplay(t)
  must(queued() < 2 * MEGABYTE, {
    seen: 'The client stalled, and your server queued most of a 16 MB history in memory.',
    expected:
      'Expected your server to queue a few hundred KB: one entry, and the bytes that fit into the socket.',
    often:
      'your handler ignores the return value of res.write(). If it is false, wait for "drain".',
  })
})

check('5.2i', 'a stalled client that resumes reading gets each entry once, in order', async (t) => {
  const { client, ids, clear } = await pausedReplay(t, 16)
  clear()
  const events = new EventClient(client, SILENT)
  for (const [n, id] of ids.slice(0, sampleSize(ids.length)).entries()) {
    const { lastEventId } = await events.next({
      seen: 'The client resumed reading, but did not get all entries.',
      expected: 'Expected the replay to continue where it had stopped.',
      often:
        'your handler stops when res.write() returns false. That value only means that you should wait for "drain".',
    })
    must(lastEventId === id, {
      seen: `Event ${n + 1} had the ID "${excerpt(lastEventId)}".`,
      expected: `Expected the ID "${id}", because each entry is sent once, in order.`,
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
      'your handler waits for an abort that already happened during the read. An aborted signal fires no more events.',
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
  'a client that disconnects early or while stalled leaves no listener and no timer',
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
      seen: 'A client had disconnected before your handler was called, and a listener or a timer for that client was left.',
      expected:
        'Expected no listener and no timer to be left, because nothing would ever remove them.',
      often:
        "your handler listens for 'close' after that event has fired. Check res.destroyed as well.",
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
      // Count only comments, because other timers of the learner's code may write as well.
      if (/\n:[^\n]*\n\n$/.test(begun())) fellInto ??= begun().split('\n\n').at(-2)!
    })
    next()
  })
  const { events } = await subscribe(t, server)
  for (const entry of entries) {
    await mustBeNext(events, entry, {
      often:
        'your handler assumes that nothing has been written if res.write() returns false. The bytes have been accepted, and only the next write should wait.',
    })
  }
  must(fellInto === undefined, {
    seen: `A heartbeat was sent between two lines of an event: ${excerpt(fellInto ?? '', 60)}`,
    expected:
      'Expected each event to be sent in one piece. Otherwise the blank line of a heartbeat makes the client store the ID before the quake has arrived.',
    often: 'your handler writes the lines of an event one by one, and waits between them.',
  })
  await replaysAll(t)
})

/** Checks that the replay contains all entries of a full history. */
async function replaysAll(t: Tools): Promise<void> {
  const full = fakeHistory(t.transcript)
  const kept = full.append(...numberedQuakes(sampleSize(DEFAULT_CAPACITY)))
  const { client } = await serveAndSubscribe(t, full)
  const replayed = new EventClient(client, SILENT)
  for (const [n, { quake }] of kept.entries()) {
    const { data } = await replayed.next({
      seen: `The history keeps ${kept.length} entries, but a client without a cursor got only ${n} of them.`,
      expected: 'Expected the client to get all entries.',
    })
    must(data.includes(`"${quake.id}"`), {
      seen: `The history keeps ${kept.length} entries, but event ${n + 1} for a client without a cursor was ${excerpt(data)}`,
      expected: `Expected quake ${quake.id}, because the client gets all entries, oldest first.`,
    })
  }
  t.transcript.step(`the client got all ${kept.length} entries`)
}

edgeCase(
  '5.2n',
  'a HEAD request gets the response head, ends, and leaves no listener',
  async (t) => {
    const history = fakeHistory(t.transcript)
    history.append(...quakes(1))
    const server = await t.serve(createApp(history))
    // An app may subscribe once for all clients.
    const before = history.listenerCount
    const client = t.connect(server)
    const story = { expected: 'Expected the same head as for GET.', often: GET_FOR_HEAD }
    const { status } = await client.get(
      PATH,
      { seen: 'A HEAD request got no response head.', ...story },
      { method: 'HEAD' },
    )
    must(status === 200, { seen: `A HEAD request was answered with status ${status}.`, ...story })
    await mustEndHead(t, server, client, PATH)
    await t.waitFor(() => history.listenerCount <= before, {
      seen: 'A HEAD request was answered, but a listener was left on the history.',
      expected: 'Expected no listener to be left, because the answer to HEAD has no body.',
      often: GET_FOR_HEAD,
    })
  },
)

edgeCase('5.2o', 'clients that have disconnected do not affect later clients', async (t) => {
  const timers = t.trackTimers()
  const visited = await visitedServer(t, { heartbeatMs: OFTEN })
  const { server, history } = visited
  const left = (): number => history.listenerCount + timers.alive()
  await visited.visit(1)
  await someTurns()
  // One listener and one timer for all clients may stay.
  const mayStay = left()
  const kept = await visited.visit(sampleSize(3))
  await t.waitFor(() => left() <= mayStay, {
    seen: () =>
      `Many clients connected and disconnected, and ${counted(history.listenerCount, 'listener')} on the history and ${counted(timers.alive(), 'timer')} were left.`,
    expected: `Expected at most ${mayStay} of them to be left, as after the first few clients.`,
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
    seen: 'Client A disconnected, and then client B got no more heartbeats while its stream was idle.',
    expected: 'Expected each connected client to get a heartbeat every few milliseconds.',
    often:
      'your server has one timer for all clients, and clears it when the first client disconnects.',
  })
  await disconnect(t, server, b, 0, 'Client B')
  history.append(...largeQuakes(4))
  history.blockReads('as it was')
  await subscribe(t, server, { name: 'client C' })
  await waitForRead(t, history)
  server.blockNetwork()
  history.unblockReads()
  await t.waitFor(() => visited.queued > LARGE / 2, {
    seen: 'Client C stalled, but no bytes were queued for it.',
    expected: 'Expected an entry to be queued for that client.',
  })
  await someTurns()
  must(visited.queued < 3 * LARGE, {
    seen: 'Client C stalled, and your server queued 1 MB for it in memory.',
    expected:
      'Expected your server to queue one entry of 256 KB, and the bytes that fit into the socket.',
    often,
  })
})

// 5.3 From history to live

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
    seen: 'Two clients reconnected, but the server read the history for only one of them.',
    expected:
      'Expected the history to be read once for each client, because the cursors of the clients differ.',
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

check('5.3d', 'quakes that happen during the switch to live are sent once, in order', async (t) => {
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
      `a client connects. Quakes before it connects: ${before}; during the read: ${meanwhile.length}; right after the read: ${rest.length}`,
    )
    history.blockReads(as)
    const { client } = await serveAndSubscribe(t, history)
    const events = new EventClient(client, SILENT)
    await waitForRead(t, history)
    entries.push(...history.append(...meanwhile))
    history.unblockReads()
    for (const quake of rest) {
      entries.push(...history.append(quake))
      // Let promises continue, and every other time the event loop as well.
      await Promise.resolve()
      if (after % 2) await turns()
    }
    for (const entry of entries) {
      await mustBeNext(events, entry, {
        often: 'your handler ignores quakes that happen while it sends the queued entries.',
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
    seen: 'The history could not be read, but the response stayed open.',
  })
  must(how === 'cut', {
    seen: 'The history could not be read, but the response ended as if nothing were wrong.',
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
    seen: 'A later read of the history failed, but the response stayed open.',
  })
})

edgeCase(
  '5.3f',
  'queued entries that have been evicted are not sent after newer entries',
  async (t) => {
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
          expected: 'Expected each entry to be sent once, in order.',
          often:
            'your handler sends every queued entry that after() did not return. Drop all queued entries up to the last ID that after() returned, because those were returned as well, or have been evicted.',
        })
        last = at
      }
    }
  },
)

// 5.4 Gaps

check('5.4a', 'a client that missed evicted entries gets a gap first', async (t) => {
  const history = fakeHistory(t.transcript, { capacity: 3 })
  const happened = quakes(7)
  const entries = history.append(...happened.slice(0, 6))
  const { id } = entries[0]!
  const { events } = await serveAndSubscribe(t, history, { lastEventId: id })
  await mustTellGap(
    events,
    `The client connected with the cursor "${id}", and the entries right after it had been evicted`,
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
      seen: `A client connected ${has ? `with Last-Event-ID: ${has}` : 'without a cursor'}, and got this event first: ${describeEvent(event)}.`,
      expected: `Expected the event with the ID "${ids[from]}" and no gap, because the client had missed nothing.`,
      often: has
        ? 'your handler sends a gap to every client that reconnects. Check isGap.'
        : 'your handler treats a missing or empty header as an unknown ID.',
    })
    await disconnect(t, server, client)
  }
  // This client reconnects for every quake. Its last ID is still kept, or was evicted last.
  let last = ids.at(-1)!
  for (let n = 0; n < sampleSize(24); n += 1) {
    const [...entries] = history.append(...quakes(n % 3 === 2 ? 3 : 1))
    const client = await subscribe(t, server, { name: 'client A', lastEventId: last })
    for (const entry of entries) {
      await mustBeNext(client.events, entry, {
        oftenAtGap: 'your handler sends a gap to every client that reconnects. Check isGap.',
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
  // Use the first IDs again, because a client that reconnects with such an ID gets the gap again.
  for (const lastEventId of [...strange, ...strange.slice(0, 2)]) {
    const client = await subscribe(t, server, { lastEventId })
    const { events } = client
    const which = `"${excerpt(lastEventId)}", which the history does not know`
    await mustTellGap(events, `The client connected with the cursor ${which}`)
    for (const entry of entries) await mustBeNext(events, entry)
    await disconnect(t, server, client)
  }
})

edgeCase('5.4d', 'a gap is sent once, even if the history is empty', async (t) => {
  const history = fakeHistory(t.transcript)
  const { events } = await serveAndSubscribe(t, history, { lastEventId: 'of-another-life' })
  await mustTellGap(events, 'The history was empty, so it did not know the cursor of the client')
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

/** Stalls a client several times. If the capacity is small, some entries are evicted each time. Otherwise none are. */
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
  for (let time = 0; time < sampleSize(3); time += 1) {
    jam()
    entries.push(...history.append(large!))
    await mustQueue()
    entries.push(...history.append(...others))
    clear()
    await readsTheRest()
    t.transcript.step('the client got the last entry')
    // Append another entry, without a stall.
    const [entry] = history.append(...quakes(1))
    entries.push(entry)
    await readsTheRest()
  }

  async function readsTheRest(): Promise<void> {
    let hasGap = false
    while (next < entries.length) {
      const { type, lastEventId } = await events.next({
        seen: 'The client stalled, then resumed reading, but did not get the last entry.',
        expected:
          'Expected the client to get all kept entries, with a gap before them if any entries are missing.',
        often: 'your handler drops entries while the client is stalled.',
      })
      if (type === 'gap') {
        must(isEvicting, {
          seen: 'The client stalled, then resumed reading, and got an event named "gap", although the history still keeps every entry.',
          expected:
            'Expected the client to get each entry once and no gap, because no entry is missing.',
        })
        hasGap = true
        continue
      }
      const at = idsOf(entries).indexOf(lastEventId)
      must(at === next || (at > next && hasGap), {
        seen: `The client stalled, then resumed reading, and got ${at < next ? 'an entry that it already had' : isEvicting ? 'one of the last entries right after one of the first, without an event named "gap" in between' : `an entry, but not the ${counted(at - next, 'entry', 'entries')} before it, although the history still keeps every entry`}.`,
        expected: isEvicting
          ? 'Expected each entry to be sent once, in order, with an event named "gap" in place of evicted entries.'
          : 'Expected each entry to be sent once, in order.',
        ...(isEvicting &&
          at > next && { often: 'your handler checks isGap only after the first read.' }),
      })
      hasGap = false
      next = at + 1
    }
  }
}

check('5.4f', 'only a limited number of entries is queued for a stalled client', async (t) => {
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
      seen: 'The client stalled, then resumed reading, but did not get the last entry.',
      expected: 'Expected the client to get a gap, and then all kept entries.',
      often: 'your handler drops entries while the client is stalled.',
    })
    if (type === 'gap') {
      hasGap = true
      continue
    }
    last = lastEventId
    const place = ids.indexOf(last, at + 1)
    must(place === at + 1 || (place > at && hasGap), {
      seen: `${ids.length} quakes happened while the client was stalled. Then it got ${place === -1 ? `"${excerpt(last)}"` : `quake number ${place + 1}`} right after quake number ${at + 1}, without an event named "gap" in between.`,
      expected:
        'Expected the client to get an event named "gap" in between, because quakes may be missing there.',
    })
    hasGap = false
    at = place
    got += 1
  }
  t.transcript.step(`the client got ${got} of the last ${VERY_MANY} quakes`)
  must(got < VERY_MANY / 2, {
    seen: `${VERY_MANY} quakes happened while the client was stalled. The history keeps 4 entries, but ${got} were queued for the client.`,
    expected:
      'Expected fewer than half of the quakes to be queued, and a gap to be sent, because a thousand such clients would use up the memory.',
    often: 'your queue has no limit.',
  })
})

check(
  '5.4g',
  'the server continues after the last complete event, wherever the client is cut off',
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

edgeCase('5.4h', 'two cuts during the switch from history to live lose nothing', async (t) => {
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
    // Change this place now and then, because Node decides where the chunks begin.
    { of: 'response', after: next[Math.floor(n / 24) % next.length]! },
  ])
  await runCutPlans(t, plans, begin, {
    ids,
    often: 'your server keeps the queue or the read of one request for the next request.',
    sign: 'wrong quakes',
  })
})

// 5.5 The end

check('5.5a', 'after the history has ended, a client that has everything gets 204', async (t) => {
  const history = fakeHistory(t.transcript)
  const [first, last] = history.append(...quakes(2))
  history.end()
  const server = await t.serve(createApp(history))
  const missed = await subscribe(t, server, {
    name: 'client B',
    lastEventId: first.id,
    when: 'The history had ended, but client B had not received the last entry. ',
  })
  await mustBeNext(missed.events, last, {
    often:
      'your handler answers 204 to every client after the history has ended, even if entries are left to send.',
  })
  await mustEnd(missed, 'client B')
  const client = t.connect(server, 'client C')
  const story = { seen: 'Client C got no response head.', expected: 'Expected status 204.' }
  const { status } = await client.get(PATH, story, { lastEventId: last.id })
  must(status === 204, {
    seen: `The history had ended and client C had received everything, but client C was answered with status ${status}.`,
    expected: 'Expected status 204, which tells the client to stop reconnecting.',
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
    const when = `The history had ended. A client connected with the cursor "${lastEventId}", and the entries right after it may have been evicted`
    await mustTellGap(events, when)
    await mustBeNext(events, kept)
    await mustEnd(client, 'the client')
  }
  const large = fakeHistory(SILENT)
  const entries = large.append(...largeQuakes(16))
  t.transcript.step(`another history has ${entries.length} entries of 256 KB, and has ended`)
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
    seen: 'The history had ended. A client stalled, and your server queued most of a 4 MB history in memory.',
    expected:
      'Expected your server to queue a few hundred KB: one entry, and the bytes that fit into the socket.',
    often: 'your handler does not wait for "drain" after the history has ended.',
  })
  t.transcript.step('the slow client reads')
  unblock()
  const events = new EventClient(client, SILENT)
  for (const entry of entries) await mustBeNext(events, entry)
}

check('5.5b', 'the stream ends when the history ends', async (t) => {
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
    seen: 'The history had ended and a stalled client had received everything, but the response to that client did not end.',
    expected: 'Expected the response to end.',
  })
  timers.runPending()
  await someTurns()
  must(error === undefined, {
    seen: `The response to a stalled client had ended, and the next heartbeat failed: ${describeError(error)}.`,
    expected:
      'Expected no heartbeat to be sent after the response has ended. Nothing catches the error, so the server crashes.',
    often:
      "your handler clears the heartbeat at 'close' or 'finish'. For a stalled client, both events fire long after res.end().",
  })
}

edgeCase('5.5c', 'a shutdown ends the responses and closes the connections', async (t) => {
  const { shutDown, server, client } = await serveUntilShutdown(t)
  shutDown()
  const how = await client.ended({
    seen: 'The shutdown began, but the stream stayed open.',
    expected: 'Expected the stream to end, so that the client can reconnect to another server.',
    often: 'your handler is waiting for the next quake, and the signal does not wake it.',
  })
  must(how === 'complete', {
    seen: 'The shutdown began, and the connection was cut.',
    expected: 'Expected the response to end normally, with the last chunk.',
    often: 'your handler calls res.destroy() instead of res.end().',
  })
  await t.waitFor(() => server.connections === 0, {
    seen: 'The shutdown began and the stream ended, but the connection stayed open.',
    expected:
      'Expected the connection to be closed. Otherwise server.close() waits for it, and the next request reaches this server again.',
    often:
      'your handler only calls res.end(), which keeps the connection open for another request.',
  })
  must(client.events.unexpected === undefined, {
    seen: 'An unexpected event arrived during the shutdown.',
    expected: 'Expected no event during the shutdown.',
  })
})

edgeCase('5.5d', 'a client that connects during a shutdown can reconnect elsewhere', async (t) => {
  const { shutDown, server } = await serveUntilShutdown(t)
  shutDown()
  const client = t.connect(server, 'client B')
  client.request(PATH)
  const how = await client.ended({
    seen: 'The shutdown had begun, and client B got a stream that stayed open.',
    expected: 'Expected the response to end, or the connection to be closed.',
    often:
      'your handler only listens for "abort". The signal had already aborted when client B connected.',
  })
  const status = client.hasHead
    ? (
        await client.head({
          seen: 'Client B got no response head.',
          expected: 'Expected a response head.',
        })
      ).status
    : undefined
  must(how === 'cut' || status === 200, {
    seen: `The shutdown had begun, and client B was answered with status ${status}.`,
    expected:
      'Expected client B to get a stream that ends, or no answer, because an EventSource never reconnects after a status other than 200.',
    often: 'your handler answers 503. Most clients retry after a 503, but an EventSource does not.',
  })
  await t.waitFor(() => server.connections === 0, {
    seen: 'The shutdown had begun and the stream of client B ended, but the connection stayed open.',
    expected:
      'Expected the connection to be closed. Otherwise the next request from client B reaches this server again.',
    often:
      'your handler ends the responses to late clients with res.end(), which keeps the connection open.',
  })
})

edgeCase(
  '5.5e',
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
    // Client B has everything. The next entry is small, so the handler does not wait for "drain" after it.
    await subscribe(t, server, { name: 'client B', lastEventId: last!.id })
    jam()
    history.append(...quakes(1))
    await someTurns()
    t.transcript.step('the shutdown begins')
    shutdown.abort()
    await t.waitFor(leftovers.areNone, {
      seen: () => `The shutdown began, and ${leftovers.describe()} left.`,
      expected:
        'Expected no listener and no timer to be left, because a timer keeps the process alive.',
      often:
        'your handler still waits for the "drain" event of a stalled client, or it never clears a timer.',
    })
    await t.waitFor(() => server.connections === 0, {
      seen: () =>
        `The shutdown began, but ${server.connections === 1 ? 'the connection of a stalled client' : 'the connections of stalled clients'} stayed open.`,
      expected:
        'Expected the connections of stalled clients to be cut, because server.close() waits for them.',
      often:
        'your handler only calls res.end(). The response finishes when the client has read everything, but a stalled client does not read.',
    })
    const late = t.connect(server, 'client C')
    late.request(PATH)
    await late.ended({
      seen: 'The shutdown had begun, and client C got a stream that stayed open.',
      expected: 'Expected the response to end, or the connection to be closed.',
    })
    await t.waitFor(leftovers.areNone, {
      seen: () => `Client C connected during the shutdown, and ${leftovers.describe()} left.`,
      expected:
        'Expected no listener and no timer to be left, because a timer keeps the process alive.',
      often:
        'your cleanup listens to a signal that has already aborted. An aborted signal fires no more events.',
    })
  },
)

edgeCase(
  '5.5f',
  'a client that disconnected leaves no listener on the shutdown signal',
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
      seen: 'Three clients connected and disconnected, but their listeners were left on the shutdown signal.',
      expected:
        'Expected no listener to be left, because the signal lives as long as the server and keeps everything that its listeners use in memory.',
      often:
        'your handler does not call removeEventListener(). { once: true } removes a listener only when the listener is called.',
    })
  },
)

edgeCase('5.5g', 'an entry that is appended right before end() is still sent', async (t) => {
  const history = fakeHistory(t.transcript)
  history.blockReads('as it was')
  const { client, events } = await serveAndSubscribe(t, history)
  await waitForRead(t, history)
  const [entry] = history.append(...quakes(1))
  history.end()
  history.unblockReads()
  await mustBeNext(events, entry, {
    often:
      'your handler checks isOver after the read. Another entry may have been appended during the read, right before the end.',
  })
  await mustEnd(client, 'the client')
})

edgeCase('5.5h', 'after the history has ended, a failed read cuts the connection', async (t) => {
  const history = fakeHistory(t.transcript)
  history.append(...quakes(1))
  history.end()
  const server = await t.serve(createApp(history))
  history.failNext('the disk is gone', 2)
  const client = t.connect(server)
  client.request(PATH)
  const goesOn: Story = {
    seen: 'The history had ended and could not be read, but the connection stayed open.',
    expected: 'Expected the connection to be cut, so that the client reconnects and asks again.',
  }
  const head = await client.head(goesOn).catch(() => undefined)
  must(head === undefined || head.status === 200, {
    seen: `The history had ended and could not be read, and the client was answered with status ${head?.status}.`,
    expected:
      'Expected the connection to be cut, because an EventSource never reconnects after a status other than 200.',
    often:
      'your handler does not catch the error from the read that decides whether to answer 204, so Express answers 500.',
  })
  if (head) await client.ended(goesOn)
  else await t.waitFor(() => server.connections === 0, goesOn)
})

edgeCase(
  '5.5i',
  'in random sequences of faults, a client that resumes gets every quake, or a gap in its place',
  (t) => mustEndWell(t, { createHistory, createApp, followQuakes }),
)

const MEGABYTE = 1024 * 1024

/** The number of entries that a history keeps by default. */
const DEFAULT_CAPACITY = 1000

/** More quakes than a server should keep for one client. */
const VERY_MANY = 10_000

const AS = fc.constantFrom('as it was' as const, 'as it is' as const)

const BEHIND = {
  often:
    'your handler ignores the Last-Event-ID header, changes its text, or skips the first entry that after() returns. That entry is already after the cursor.',
  oftenAtGap: 'your handler sends a gap to every client that reconnects. Check isGap.',
}

const READ_THEN_LISTEN = {
  often:
    'your handler subscribes, or creates the promise of its bell, only after the read. Quakes that happen before that are lost.',
}

const TWICE = {
  often:
    'your handler sends every queued entry after the read, even if after() has already returned that entry.',
}

const ID_CHANGED =
  'your handler treats the ID as a number or an object key, or it encodes or decodes the ID. Pass the ID on unchanged.'

/** Returns IDs that the history does not know: from another history, from the future, or malformed. */
function strangeIds(): string[] {
  const made = fc.sample(
    fc.string({ unit: fc.constantFrom('a', '0', '9', '-', '.'), minLength: 1, maxLength: 9 }),
    { seed, numRuns: 3 },
  )
  return ['99999999', '0', '-1', '1e3', 'undefined', 'NaN', 'n/0 =%', ...made]
}

/** Starts a server that can be shut down, and connects a client, which gets one quake. */
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

/**
 * Makes one quake happen during a read of the history, and another after it. If the client is cut off before the second
 * quake, it also reconnects before that quake.
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

/** Runs once without a cut, and returns the request and the response. */
async function rehearse(t: Tools, begin: (cuts: Cut[]) => InterruptedRun): Promise<Attempt> {
  const { attempts, done } = begin([])
  await t.withTimeout(done, {
    seen: 'A client connected and its connection was never cut, but the last quake did not arrive.',
    expected: 'Expected every quake to arrive.',
  })
  return attempts[0]!
}
