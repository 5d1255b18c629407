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
import { sampleEvery } from './harness/sampling.ts'
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

check(
  '5.4g',
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
    // Changes now and then, because the chunks begin where Node decides.
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

edgeCase('5.5c', 'a shutdown ends the responses and closes the connections', async (t) => {
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

edgeCase('5.5d', 'a client that connects during a shutdown can reconnect elsewhere', async (t) => {
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

edgeCase(
  '5.5f',
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

edgeCase('5.5g', 'an entry that is appended right before the end is sent', async (t) => {
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

edgeCase('5.5h', 'a failed read of a history that is over cuts the connection', async (t) => {
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

edgeCase('5.5i', 'in random stories, a client that resumes loses nothing without a gap', (t) =>
  mustEndWell(t, { createHistory, createApp, followQuakes }),
)

const MEGABYTE = 1024 * 1024

/** How many entries a history keeps by default. */
const DEFAULT_CAPACITY = 1000

/** More quakes than a server should keep for one client. */
const VERY_MANY = 10_000

const AS = fc.constantFrom('as it was' as const, 'as it is' as const)

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

const ID_CHANGED =
  'your handler treats the ID as a number or as the key of an object, or encodes or decodes it. Pass it on unchanged.'

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
