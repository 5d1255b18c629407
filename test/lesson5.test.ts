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

/** Where a check waits for heartbeats: so short that nobody waits. */
const OFTEN = 2

/** So many lines that two of them are heartbeats, whatever a server says at the beginning. */
const SOME = 5

// 5.1 The history

check('5.1a', 'everything that is kept comes oldest first', async (t) => {
  const { history, happened } = filledHistory(t, 3)
  const { entries, isGap } = await readAfter(t, history, undefined)
  const gave = entries.map(({ quake }) => quake?.id ?? 'no quake')
  must(deepEqual(gave, idsOf(happened)) && !isGap, {
    seen: `after(undefined) gave ${listed(gave)}${isGap ? ' and a gap' : ''}.`,
    expected: `Expected ${listed(idsOf(happened))}, and no gap: who has nothing misses nothing.`,
  })
})

check('5.1b', 'an entry is the quake and its id', async (t) => {
  const { history, happened } = filledHistory(t, 3)
  const { entries } = await readAfter(t, history, undefined)
  for (const [n, quake] of happened.entries()) {
    const entry = entries[n]
    must(entry?.id === quake.id && deepEqual(entry.quake, quake), {
      seen: `The entry of quake ${quake.id} is ${excerptJson(entry, 100)}`,
      expected: `Expected { id: "${quake.id}", quake: … }, with the whole quake.`,
      often:
        'ids are counted. After a restart the count begins anew, and the same id means another quake.',
    })
  }
})

check('5.1c', 'behind an id come the entries that are newer', async (t) => {
  const { history, happened } = filledHistory(t, 5)
  for (const [n, { id }] of happened.entries()) {
    const { ids, isGap, told } = await readAfter(t, history, id)
    const newer = idsOf(happened.slice(n + 1))
    must(deepEqual(ids, newer) && !isGap, {
      seen: `after("${id}") gave ${told}, of ${listed(idsOf(happened))}.`,
      expected: `Expected ${listed(newer)}, and no gap: the client has "${id}".`,
      often: 'the entry with that id is among them, or one too many is left out.',
    })
  }
  // As many as a history keeps by itself, and one more than a search that gives up would look through.
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

check('5.1d', 'so many entries are kept as there is capacity', async (t) => {
  const { history, happened } = filledHistory(t, 8, 3)
  const { ids, isGap } = await readAfter(t, history, undefined)
  const kept = idsOf(happened.slice(-3))
  must(deepEqual(ids, kept), {
    seen: `The capacity is 3, ${happened.length} quakes happened, and after(undefined) gave ${listed(ids)}.`,
    expected: `Expected the last 3: ${listed(kept)}.`,
    often: 'nothing is ever thrown away, or the newest is.',
  })
  must(!isGap, {
    seen: `The last 3 of ${happened.length} quakes are kept, and after(undefined) gave a gap.`,
    expected: 'Expected none: who has nothing misses nothing.',
    often: 'once something was thrown away there is a gap for everybody.',
  })
  await forgetsEvicted(t)
})

/** What is not kept is left to the garbage collector. */
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
    expected: 'Expected the history to let go of what it does not keep: it runs for months.',
  })
  must(!history.isOver, { seen: 'The history is over.', expected: 'Expected it to go on.' })
}

edgeCase('5.1e', 'whoever has all but what is kept has no gap', async (t) => {
  const { history, happened } = filledHistory(t, 8, 3)
  const { id } = happened.at(-4)!
  const { ids, isGap, told } = await readAfter(t, history, id)
  must(!isGap && deepEqual(ids, idsOf(happened.slice(-3))), {
    seen: `The last 3 are kept, and after("${id}"), of the one before them, gave ${told}.`,
    expected: 'Expected the 3, and no gap: none between is missing.',
    often:
      'only the entries that are kept are looked through. Remember the id that was thrown away last: behind it nothing is missing.',
  })
})

check('5.1f', 'when entries behind an id are not kept any more, there is a gap', async (t) => {
  const { history, happened } = filledHistory(t, 8, 3)
  const kept = idsOf(happened.slice(-3))
  for (const { id } of happened.slice(0, -4)) {
    const { ids, isGap } = await readAfter(t, history, id)
    must(isGap, {
      seen: `The last 3 are kept, and after("${id}"), of an older one, gave no gap.`,
      expected: 'Expected a gap: entries between that one and the 3 are lost.',
      often: 'the entries that are left are given without a word.',
    })
    must(deepEqual(ids, kept), {
      seen: `after("${id}") gave a gap and ${listed(ids)}.`,
      expected: `Expected a gap and all that are kept: ${listed(kept)}.`,
    })
  }
})

edgeCase('5.1g', 'an id that nobody knows is a gap', async (t) => {
  for (const count of [3, 0]) {
    const { history, happened } = filledHistory(t, count)
    for (const id of strangeIds()) {
      const { ids, isGap } = await readAfter(t, history, id)
      must(isGap && deepEqual(ids, idsOf(happened)), {
        seen: `${count === 0 ? 'Nothing is' : `${count} entries are`} kept, and after(${JSON.stringify(id)}) gave ${listed(ids)}${isGap ? ' and a gap' : ' and no gap'}.`,
        expected: 'Expected a gap, and all that are kept: nobody can tell what the client has.',
        often: 'an id that is not found is taken for the beginning or for the end.',
      })
    }
  }
})

check('5.1h', 'a listener hears of each entry, when it is in the history', async (t) => {
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
    seen: `${listed(idsOf(happened))} were appended, and the listener heard of ${listed(heard)}.`,
    expected: 'Expected it to hear of each once, in order, before append() comes back.',
  })
  const areThere = await Promise.all(found)
  must(areThere.every(Boolean), {
    seen: 'A listener heard of an entry, asked for the history, and the entry was not in it.',
    expected: 'Expected it there: a server that reads when it hears of it would miss it.',
    often: 'listeners are called before the entry is stored.',
  })
})

edgeCase('5.1i', 'one who stops listening hears no more, and the others do', async (t) => {
  const history = createHistory()
  const heard = { leaves: [] as string[], stays: [] as string[] }
  const stop = history.subscribe({ onEntry: ({ id }) => heard.leaves.push(id), onOver() {} })
  history.subscribe({ onEntry: ({ id }) => heard.stays.push(id), onOver() {} })
  const [first, second, third] = quakes(3)
  append(t, history, first)
  t.transcript.step('listener 1 stops')
  stop()
  append(t, history, second)
  must(deepEqual(heard, { leaves: [first.id], stays: [first.id, second.id] }), {
    seen: `Listener 1 stopped after the first of two entries. It heard of ${listed(heard.leaves)}, listener 2 of ${listed(heard.stays)}.`,
    expected: 'Expected one entry for listener 1, and both for listener 2.',
  })
  t.transcript.step('listener 1 stops once more')
  stop()
  append(t, history, third)
  must(heard.stays.length === 3, {
    seen: 'Listener 1 stopped twice, and listener 2 hears no more.',
    expected: 'Expected the second time to do nothing.',
    often: 'splice(-1, 1) takes the last one out, whoever that is. indexOf() gives -1 for none.',
  })
})

check('5.1j', 'at the end it is over, and listeners hear of it', async (t) => {
  const history = createHistory()
  let wasOver: boolean | undefined
  history.subscribe({ onEntry() {}, onOver: () => (wasOver = history.isOver) })
  const [quake] = quakes(1)
  append(t, history, quake)
  must(!history.isOver && wasOver === undefined, {
    seen: 'An entry was appended, and the history is over.',
    expected: 'Expected it to go on until end() is called.',
  })
  t.transcript.step('end() is called')
  history.end()
  must(history.isOver && wasOver === true, {
    seen: `end() was called, isOver is ${history.isOver}, and onOver() was ${wasOver === undefined ? 'not called' : `called while isOver was ${wasOver}`}.`,
    expected: 'Expected isOver to be true, and onOver() to be called then.',
  })
  const { ids } = await readAfter(t, history, undefined)
  must(deepEqual(ids, [quake.id]), {
    seen: `end() was called, and after(undefined) gave ${listed(ids)}.`,
    expected: `Expected ${quake.id}: who has missed something still gets it.`,
    often: 'what is kept is thrown away at the end.',
  })
})

edgeCase('5.1k', 'what was given stays as it was', async (t) => {
  for (const id of [undefined, quakes(1)[0].id, 'of-another-life']) {
    const { history, happened } = filledHistory(t, 4, 3)
    const { entries } = await readAfter(t, history, id)
    append(t, history, quakes(5)[4])
    must(deepEqual(idsOf(entries), idsOf(happened.slice(-3))), {
      seen: `after(${JSON.stringify(id)}) gave 3 entries, another quake was appended, and the 3 have become ${listed(idsOf(entries))}.`,
      expected: 'Expected them as they were: somebody is sending them to a slow client.',
      often: 'the array of the history itself is handed out. entries.slice() is another one.',
    })
  }
})

edgeCase('5.1l', 'one who stops while it is called takes the entry from nobody', async (t) => {
  const history = createHistory()
  const heard: string[] = []
  const stop = history.subscribe({ onEntry: () => stop(), onOver() {} })
  history.subscribe({ onEntry: ({ id }) => heard.push(id), onOver() {} })
  t.transcript.step('listener 1 will stop when it is called')
  const [quake] = quakes(1)
  append(t, history, quake)
  must(deepEqual(heard, [quake.id]), {
    seen: `Listener 1 stopped when it heard of "${quake.id}", and listener 2 heard of ${listed(heard)}.`,
    expected: 'Expected listener 2 to hear of it once.',
    often: 'an array is walked along while one is taken out of it, and the next one moves up.',
  })
})

// 5.2 Replay

check('5.2a', 'the head and retry come while the history is still being read', async (t) => {
  const history = fakeHistory(t.transcript)
  history.append(...quakes(1))
  history.blockReads('as it was')
  const client = t.connect(await t.serve(createApp(history, { retryMs: 1234 })))
  const head = await client.get(PATH, {
    seen: 'Reading the history takes long, and the client has not got the head of the response.',
    expected: 'Expected status and headers at once: an EventSource is not open before.',
    often: 'nothing is written until the history has been read.',
  })
  must(head.status === 200 && isEventStream(head), {
    seen: `GET ${PATH} was answered ${head.status}, Content-Type: ${head.headers.get('content-type')}.`,
    expected: 'Expected 200 and text/event-stream.',
  })
  const control = head.headers.get('cache-control')
  must(hasToken(control, 'no-store', 'no-cache'), {
    seen: `The Cache-Control is ${control}.`,
    expected: 'Expected no-store or no-cache: a cache on the way would replay old quakes.',
  })
  must(hasToken(head.headers.get('x-accel-buffering'), 'no'), {
    seen: 'The response has no X-Accel-Buffering: no.',
    expected: 'Expected it, as in lesson 4: nginx would hold events back.',
  })
  const expected = 'Expected retry: 1234 with the head. It says when to come back.'
  const retry = await client.events.retry({
    seen: 'retryMs is 1234, and no field retry came.',
    expected,
    often: 'retry is sent behind the history, or not at all.',
  })
  must(retry === 1234, { seen: `retryMs is 1234, and the field says ${retry}.`, expected })
})

check('5.2b', 'whoever has nothing gets all that is kept, then what happens', async (t) => {
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
          ? 'a client without a cursor gets only what happens from now on.'
          : 'what was kept is sent, and nobody waits for what happens then: task 5.3.',
    })
    must(data.includes(quake.id), {
      seen: `The client read ${excerpt(data)}`,
      expected: `Expected quake ${quake.id}: first the oldest that is kept.`,
    })
  }
})

edgeCase('5.2c', 'the data is the quake as JSON, and the event has no name', async (t) => {
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

check('5.2d', 'an id is that of the entry, whatever it looks like', async (t) => {
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
      seen: `The id of the entry is "${id}", and the event has "${excerpt(lastEventId)}".`,
      expected: 'Expected the id of the entry: the history knows no other.',
      often: 'ids are counted for each connection, or taken from the quake.',
    })
  }
})

check(
  '5.2e',
  'whoever comes back gets what is behind Last-Event-ID, then what happens',
  async (t) => {
    const happened = quakes(5)
    for (const has of [1, 2, 4]) {
      const history = fakeHistory(t.transcript)
      const entries = history.append(...happened.slice(0, 4))
      const { events } = await serveAndSubscribe(t, history, { lastEventId: entries[has - 1]!.id })
      for (const entry of entries.slice(has)) await mustBeNext(events, entry, BEHIND)
      const [entry] = history.append(happened[4])
      await mustBeNext(events, entry)
    }
    // The header is text, and the history gets it as it came.
    const history = fakeHistory(t.transcript, { ids: ODD_IDS })
    const entries = history.append(...quakes(ODD_IDS.length))
    const server = await t.serve(createApp(history))
    for (const [n, { id }] of entries.slice(0, -1).entries()) {
      const client = await subscribe(t, server, { lastEventId: id })
      await mustBeNext(client.events, entries[n + 1]!, { often: ID_CHANGED })
      await disconnect(t, server, client)
    }
  },
)

check('5.2f', 'two clients get the same quakes with the same ids', async (t) => {
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

check('5.2g', 'heartbeats come while nothing happens, and change no id', async (t) => {
  const history = fakeHistory(t.transcript)
  const [entry] = history.append(...quakes(1))
  const { events } = await serveAndSubscribe(t, history, { heartbeatMs: OFTEN })
  await mustBeNext(events, entry)
  await events.heartbeats(SOME, {
    seen: `heartbeatMs is ${OFTEN}, nothing happens, and the client sees no sign of life, or only the first.`,
    expected: 'Expected a comment every few milliseconds.',
  })
  must(events.unexpected === undefined && events.lastEventId === entry.id, {
    seen: `A heartbeat came, and ${events.unexpected ? `was an event: ${describeEvent(events.unexpected)}` : `made the id "${events.lastEventId}"`}.`,
    expected: `Expected no event, and the id "${entry.id}" to stay: with it the client comes back.`,
  })
  history.blockReads('as it was')
  const other = await serveAndSubscribe(t, history, { heartbeatMs: OFTEN })
  await waitForRead(t, history)
  await other.events.heartbeats(SOME, {
    seen: 'Reading the history takes long, and the client sees no sign of life.',
    expected: 'Expected heartbeats: its watchdog knows nothing of your history.',
    often: 'the heartbeat begins when the history has been read.',
  })
  await hasDefaults(t)
})

/** Without options there is a heartbeat all the same, and retry. */
async function hasDefaults(t: Tools): Promise<void> {
  const delays = t.recordTimerDelays()
  const history = fakeHistory(t.transcript)
  const { events } = await serveAndSubscribe(t, history)
  await events.retry({
    seen: 'retryMs is left out, and the stream has no field retry with a number.',
    expected: 'Expected a default, such as 2000.',
  })
  const [first] = history.append(...quakes(1))
  await mustBeNext(events, first)
  delays.stop()
  await turns(20)
  const [last] = history.append(...quakes(1))
  await mustBeNext(events, last)
  must(events.comments < SOME && !delays.ms.some((ms) => ms <= 1), {
    seen: `heartbeatMs is left out, and a timer of the server runs every millisecond.`,
    expected: 'Expected a default of a minute at most, such as 15 seconds.',
    often: 'heartbeatMs is undefined, and setInterval(…, undefined) beats every millisecond.',
  })
  must(
    delays.ms.some((ms) => ms <= 60_000),
    {
      seen: `heartbeatMs is left out, and no timer is set for a minute or less${delays.ms.length > 0 ? `: the shortest takes ${Math.min(...delays.ms)} ms` : ''}.`,
      expected: 'Expected a default of a minute at most, such as 15 seconds.',
    },
  )
}

check('5.2h', 'while the client does not read, the replay waits', async (t) => {
  const { queued } = await pausedReplay(t)
  must(queued() < 2 * MEGABYTE, {
    seen: 'The client does not read, and most of a history of 16 MB waits for it in your memory.',
    expected: 'Expected a few hundred KB: one entry, and what fits into the socket.',
    often: 'nobody looks at what res.write() returns. false means: wait for drain.',
  })
})

check('5.2i', 'a client that reads again gets each entry once, in order', async (t) => {
  const { client, ids, clear } = await pausedReplay(t, 16)
  clear()
  const events = new EventClient(client, SILENT)
  for (const [n, id] of ids.slice(0, ids.length / sampleEvery()).entries()) {
    const { lastEventId } = await events.next({
      seen: 'The client reads again, and does not get all the entries.',
      expected: 'Expected the replay to go on where it stopped.',
      often: 'write() returning false is taken for the end. It only says: not now.',
    })
    must(lastEventId === id, {
      seen: `Event ${n + 1} has the id "${excerpt(lastEventId)}".`,
      expected: `Expected "${id}": each entry once, in order.`,
      often:
        'an entry is written again after drain. write() has kept it although it returned false.',
    })
  }
  t.transcript.step('client read each entry once, in order')
})

check('5.2j', 'a client that leaves leaves no listener and no timer', async (t) => {
  const history = fakeHistory(t.transcript)
  const leftovers = trackLeftovers(t, history)
  history.append(...quakes(1))
  const server = await t.serve(createApp(history, { heartbeatMs: OFTEN }))
  for (const name of ['client 1', 'client 2', 'client 3', 'client 4']) {
    await leftovers.connectAndLeave(server, name)
  }
  await leftovers.mustBeGone('Four clients came and went')
})

edgeCase('5.2k', 'nor does one that leaves while the history is read', async (t) => {
  const history = fakeHistory(t.transcript)
  const leftovers = trackLeftovers(t, history)
  history.append(...quakes(1))
  const server = await t.serve(createApp(history, { heartbeatMs: OFTEN }))
  await leftovers.connectAndLeave(server, 'client 1')
  const [last] = history.append(...quakes(1))
  await leavesDuringRead({ name: 'client 2' })
  await leftovers.mustBeGone('A client left while the history was read')
  await leavesDuringRead({ name: 'client 3', lastEventId: last.id })
  await leftovers.mustBeGone(
    'A client that has everything left while the history was read',
    'the handler waits, when it has read, for an abort that has been. Such a signal calls nobody any more.',
  )

  async function leavesDuringRead(coming: { name: string; lastEventId?: string }): Promise<void> {
    history.blockReads('as it was')
    const client = await subscribe(t, server, coming)
    await waitForRead(t, history)
    await disconnect(t, server, client)
    history.unblockReads()
    await someTurns()
  }
})

edgeCase('5.2l', 'nor does one that left and did not read, or was gone before', async (t) => {
  const history = fakeHistory(t.transcript)
  const leftovers = trackLeftovers(t, history)
  const login = slowLogin()
  const app = createApp(history, { heartbeatMs: OFTEN })
  const { server, jam, mustQueue } = await jammedServer(t, app, login.handler)
  const gone = await requestLogin(t, server, login, PATH, 'client 1')
  await leftovers.connectAndLeave(server, 'client 2')
  await disconnect(t, server, gone)
  t.transcript.step('a login before your handler lets the request of client 1 pass')
  login.finish()
  await someTurns()
  await t.waitFor(leftovers.areNone, {
    seen: 'A client was gone when your handler was called, and there is a listener or a timer for it.',
    expected: 'Expected none: nobody will ever take them away.',
    often: "'close' of the response came before anybody listened to it. res.destroyed tells.",
  })
  const slow = await subscribe(t, server, { name: 'slow client' })
  jam()
  history.append(...largeQuakes(2))
  await mustQueue()
  slow.disconnect()
  await leftovers.mustBeGone('A client left that did not read')
})

edgeCase(
  '5.2m',
  'each event reaches the client whole, also when every write has to wait',
  async (t) => {
    const timers = t.controlTimers()
    const history = fakeHistory(t.transcript)
    const entries = history.append(...quakes(3))
    let fellInto: string | undefined
    const server = await t.serve(createApp(history), (_request, response, next) => {
      t.transcript.step(
        'every write of this response returns false, and drain comes right behind it',
      )
      everyWriteWaits(response, (begun) => {
        if (/(\n\n|\r\r|\r\n\r\n)$/.test(begun())) return
        timers.runPending()
        // Whatever else goes on when the timers run out, it is a comment that closes what had begun.
        if (/\n:[^\n]*\n\n$/.test(begun())) fellInto ??= begun().split('\n\n').at(-2)!
      })
      next()
    })
    const { events } = await subscribe(t, server)
    for (const entry of entries) {
      await mustBeNext(events, entry, {
        often:
          'a write that returned false is taken for one that did not write. It is only asked to wait before the next one.',
      })
    }
    must(fellInto === undefined, {
      seen: `The heartbeat came between two lines of an event: ${excerpt(fellInto ?? '', 60)}`,
      expected:
        'Expected each event in one piece: the blank line of the heartbeat makes the id count before the quake has come.',
      often: 'the lines of an event are written one by one, and the handler waits between them.',
    })
    await replaysAll(t)
  },
)

/** However many entries are kept. */
async function replaysAll(t: Tools): Promise<void> {
  const full = fakeHistory(t.transcript)
  const kept = full.append(...numberedQuakes(DEFAULT_CAPACITY))
  const { client } = await serveAndSubscribe(t, full)
  const replayed = new EventClient(client, SILENT)
  for (const [n, { quake }] of kept.entries()) {
    const { data } = await replayed.next({
      seen: `${kept.length} entries are kept, and a client without a cursor got ${n} of them.`,
      expected: 'Expected all of them.',
    })
    must(data.includes(`"${quake.id}"`), {
      seen: `${kept.length} entries are kept, and event ${n + 1} for a client without a cursor is ${excerpt(data)}`,
      expected: `Expected quake ${quake.id}: all of them, the oldest first.`,
    })
  }
  t.transcript.step(`client read all ${kept.length}`)
}

edgeCase('5.2n', 'HEAD gets the head, ends, and leaves no listener', async (t) => {
  const history = fakeHistory(t.transcript)
  history.append(...quakes(1))
  const server = await t.serve(createApp(history))
  // An app may listen from the start, once for all clients.
  const before = history.listenerCount
  const client = t.connect(server)
  const story = { expected: 'Expected what GET gets.', often: GET_FOR_HEAD }
  const { status } = await client.get(
    PATH,
    { seen: 'HEAD got no head.', ...story },
    { method: 'HEAD' },
  )
  must(status === 200, { seen: `HEAD was answered ${status}.`, ...story })
  await mustEndHead(t, server, client, PATH)
  await t.waitFor(() => history.listenerCount <= before, {
    seen: 'HEAD was answered, and a listener is left at the history.',
    expected: 'Expected none: there is no body to put quakes in.',
    often: GET_FOR_HEAD,
  })
})

edgeCase(
  '5.2o',
  'after many clients have come and gone, the next ones are served like the first',
  async (t) => {
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
        `Many clients have come and gone: ${counted(history.listenerCount, 'listener')} at the history and ${counted(timers.alive(), 'timer')} are left.`,
      expected: `Expected no more than the ${mayStay} that were there after the first few clients.`,
    })
    const often = 'a variable outside the handler remembers what happened to one client.'
    const a = await subscribe(t, server, { name: 'client A' })
    for (const entry of kept) await mustBeNext(a.events, entry, { often })
    const b = await subscribe(t, server, { name: 'client B' })
    for (const entry of kept) await mustBeNext(b.events, entry, { often })
    const [entry] = history.append(...quakes(1))
    await mustBeNext(a.events, entry, { often })
    await mustBeNext(b.events, entry, { often })
    await disconnect(t, server, a, 1, 'Client A')
    await b.events.heartbeats(SOME, {
      seen: 'Client A disconnected, nothing happens, and client B gets no more heartbeats.',
      expected: 'Expected a heartbeat every few milliseconds for each client that is there.',
      often: 'one timer beats for all clients, and the first that disconnects clears it.',
    })
    await disconnect(t, server, b, 0, 'Client B')
    history.append(...largeQuakes(4))
    history.blockReads('as it was')
    await subscribe(t, server, { name: 'client C' })
    await waitForRead(t, history)
    server.blockNetwork()
    history.unblockReads()
    await t.waitFor(() => visited.queued > LARGE / 2, {
      seen: 'Client C does not read, and nothing waits for it.',
      expected: 'Expected an entry to wait.',
    })
    await someTurns()
    must(visited.queued < 3 * LARGE, {
      seen: 'Client C does not read, and 1 MB waits for it in your memory.',
      expected: 'Expected one entry of 256 KB, and what fits into the socket.',
      often,
    })
  },
)

// 5.3 The hand-over

check('5.3a', 'what happens while the history is read is not lost', async (t) => {
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

check('5.3b', 'what happens while the history is read comes once', async (t) => {
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

edgeCase('5.3c', 'each client has a hand-over of its own', async (t) => {
  const history = fakeHistory(t.transcript)
  const happened = quakes(7)
  const entries = history.append(...happened.slice(0, 4))
  const server = await t.serve(createApp(history))
  history.blockReads('as it was')
  const a = await subscribe(t, server, { name: 'client A', lastEventId: entries[0]!.id })
  const b = await subscribe(t, server, { name: 'client B', lastEventId: entries[2]!.id })
  await t.waitFor(() => history.blockedReads === 2, {
    seen: 'Two clients came back, and the history is read for one of them.',
    expected: 'Expected a reading for each: each has another last id.',
    often: 'one cursor, or one reading, serves all clients.',
  })
  entries.push(...history.append(happened[4]))
  history.unblockReads()
  entries.push(...history.append(happened[5]))
  const often = 'the queue or the cursor of one client is used for another as well.'
  for (const entry of entries.slice(1)) await mustBeNext(a.events, entry, { often })
  for (const entry of entries.slice(3)) await mustBeNext(b.events, entry, { often })
  // Both have everything. What comes next is for one who has nothing to wait for.
  history.blockReads('as it was')
  const late = await subscribe(t, server, { name: 'client C' })
  await waitForRead(t, history)
  const [last] = history.append(happened[6])
  history.unblockReads()
  for (const { events } of [a, b]) {
    await mustBeNext(events, last, {
      often: 'client C came, and the cursor of the others is where it begins.',
    })
  }
  for (const entry of [...entries, last]) await mustBeNext(late.events, entry)
})

check('5.3d', 'quakes that happen at any moment of it come once, in order', async (t) => {
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
      `a client comes. Quakes that have happened: ${before}; that happen while the history is read: ${meanwhile.length}; right after that: ${rest.length}`,
    )
    history.blockReads(as)
    const { client } = await serveAndSubscribe(t, history)
    const events = new EventClient(client, SILENT)
    await waitForRead(t, history)
    entries.push(...history.append(...meanwhile))
    history.unblockReads()
    for (const quake of rest) {
      entries.push(...history.append(quake))
      // One lets what waits for a promise go on, the other what waits for the event loop.
      await Promise.resolve()
      if (after % 2) await turns()
    }
    for (const entry of entries) {
      await mustBeNext(events, entry, {
        often: 'while what was heard is sent, more is heard. That has to be sent as well.',
      })
    }
  }
  t.transcript.step(`${moments.length} clients came while quakes happened, and read each once`)
})

edgeCase('5.3e', 'a history that cannot be read cuts the connection', async (t) => {
  const history = fakeHistory(t.transcript)
  const [quake, next] = quakes(2)
  const [entry] = history.append(quake)
  const server = await t.serve(createApp(history))
  history.failNext('the disk is gone')
  const client = t.connect(server)
  client.request(PATH)
  const story = {
    expected: 'Expected the connection to be cut: the client comes back, and asks again.',
    often: 'the error is caught and forgotten. The client waits for quakes that never come.',
  }
  const how = await client.ended({
    ...story,
    seen: 'The history could not be read, and the response goes on.',
  })
  must(how === 'cut', {
    seen: 'The history could not be read, and the response ended as if all were well.',
    expected: 'Expected the connection to be cut.',
    often: 'res.end() stands in a finally.',
  })
  const again = await subscribe(t, server)
  await mustBeNext(again.events, entry)
  history.failNext('the disk is gone')
  const [{ id }] = history.append(next)
  // Who sends what it hears does not read.
  await t.waitFor(() => server.connections === 0 || again.unread().includes(id), {
    ...story,
    seen: 'The history could be read at first and not later, and the response goes on.',
  })
})

edgeCase('5.3f', 'what was heard and is not kept any more does not come late', async (t) => {
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
        seen: `The history keeps 4, and 5 quakes happened while it was read. The client read "${excerpt(lastEventId)}" behind "${entries[last]?.id}".`,
        expected: 'Expected each once, in order.',
        often:
          'what was heard is sent when it is not in the answer. Everything up to the last id of the answer is in it, or was not kept any more.',
      })
      last = at
    }
  }
})

// 5.4 Gaps

check('5.4a', 'a client whose place is not kept any more is told of the gap first', async (t) => {
  const history = fakeHistory(t.transcript, { capacity: 3 })
  const happened = quakes(7)
  const entries = history.append(...happened.slice(0, 6))
  const { id } = entries[0]!
  const { events } = await serveAndSubscribe(t, history, { lastEventId: id })
  await mustTellGap(events, `The client has "${id}", and what followed is not kept any more`)
  for (const entry of entries.slice(3)) await mustBeNext(events, entry)
  const [entry] = history.append(happened[6])
  await mustBeNext(events, entry)
})

check('5.4b', 'a client that missed nothing is told of no gap', async (t) => {
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
      seen: `A client came ${has ? `with Last-Event-ID: ${has}` : 'with nothing'}, and read an event: ${describeEvent(event)}.`,
      expected: `Expected ${ids[from]}, and no gap: it misses nothing.`,
      often: has
        ? 'a gap is told whenever somebody comes back. The history knows better.'
        : 'no header, or an empty one, is taken for an id that nobody knows.',
    })
    await disconnect(t, server, client)
  }
  // One that comes back each time, for every quake. Its last id is kept, or the one that was evicted last.
  let last = ids.at(-1)!
  for (let n = 0; n < Math.ceil(24 / sampleEvery()); n += 1) {
    const [...entries] = history.append(...quakes(n % 3 === 2 ? 3 : 1))
    const client = await subscribe(t, server, { name: 'client A', lastEventId: last })
    for (const entry of entries) {
      await mustBeNext(client.events, entry, {
        oftenAtGap: 'a gap is told whenever somebody comes back. The history knows better.',
      })
    }
    await disconnect(t, server, client)
    last = entries.at(-1)!.id
  }
})

check('5.4c', 'an id that nobody knows is a gap, and all that is kept follows', async (t) => {
  const history = fakeHistory(t.transcript)
  const entries = history.append(...quakes(2))
  const server = await t.serve(createApp(history))
  const strange = strangeIds()
  // The first ones again: whoever comes back with such an id is told again.
  for (const lastEventId of [...strange, ...strange.slice(0, 2)]) {
    const client = await subscribe(t, server, { lastEventId })
    const { events } = client
    const which = `"${excerpt(lastEventId)}", which the history does not know`
    await mustTellGap(events, `The client has ${which}`)
    for (const entry of entries) await mustBeNext(events, entry)
    await disconnect(t, server, client)
  }
})

edgeCase('5.4d', 'a gap is told once, also when nothing is kept', async (t) => {
  const history = fakeHistory(t.transcript)
  const { events } = await serveAndSubscribe(t, history, { lastEventId: 'of-another-life' })
  await mustTellGap(
    events,
    'The client has an id that the history does not know, and the history is empty',
  )
  for (const quake of quakes(2)) {
    const [entry] = history.append(quake)
    await mustBeNext(events, entry, {
      often:
        'the id that nobody knows is asked for again and again. Behind a gap it has done its work.',
    })
  }
})

check('5.4e', 'a client that reads too slowly loses nothing without a gap', async (t) => {
  for (const capacity of [4, Infinity]) await readsTooSlowly(t, capacity)
})

/** Each time that the client reads again, some of what happened is not kept any more, or everything is. */
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
    t.transcript.step('client read the last one')
    // One more, for which nothing has to wait.
    const [entry] = history.append(...quakes(1))
    entries.push(entry)
    await readsTheRest()
  }

  async function readsTheRest(): Promise<void> {
    let hasGap = false
    while (next < entries.length) {
      const { type, lastEventId } = await events.next({
        seen: 'The client did not read in time. Now it does, and does not get the last entry.',
        expected: 'Expected what is kept, and a gap before it when something is missing.',
        often: 'what was to be sent is forgotten while the client is slow.',
      })
      if (type === 'gap') {
        must(isEvicting, {
          seen: 'The client did not read in time, and now it reads an event named gap, although the history keeps every entry.',
          expected: 'Expected no gap, and each entry once: nothing is missing.',
        })
        hasGap = true
        continue
      }
      const at = idsOf(entries).indexOf(lastEventId)
      must(at === next || (at > next && hasGap), {
        seen: `The client did not read in time. Now it reads ${at < next ? 'an entry that it has already read' : isEvicting ? 'one of the last entries behind one of the first, and no event named gap between them' : `an entry, and ${at - next} before it never came, although the history keeps every entry`}.`,
        expected: isEvicting
          ? 'Expected to be told: those between are lost.'
          : 'Expected each entry once, in order.',
        ...(isEvicting &&
          at > next && { often: 'only the first reading of the history is asked about a gap.' }),
      })
      hasGap = false
      next = at + 1
    }
  }
}

edgeCase('5.4f', 'what waits for a client that does not read has a limit', async (t) => {
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
      seen: 'The client did not read. Now it does, and does not get the last entry.',
      expected: 'Expected what is kept, and a gap before it.',
      often: 'what was to be sent is forgotten while the client is slow.',
    })
    if (type === 'gap') {
      hasGap = true
      continue
    }
    last = lastEventId
    const place = ids.indexOf(last, at + 1)
    must(place === at + 1 || (place > at && hasGap), {
      seen: `${ids.length} quakes happened while the client did not read. Now it reads ${place === -1 ? `"${excerpt(last)}"` : `number ${place + 1}`} right after number ${at + 1}, and no event named gap between them.`,
      expected: 'Expected a gap at that place: the client is to know that quakes may be missing.',
    })
    hasGap = false
    at = place
    got += 1
  }
  t.transcript.step(`client read ${got} of the last ${VERY_MANY}`)
  must(got < VERY_MANY / 2, {
    seen: `${VERY_MANY} quakes happened while the client did not read. The history keeps 4, and ${got} were kept for the client.`,
    expected:
      'Expected fewer than half of them, and a gap: a thousand such clients would take all memory.',
    often: 'what was heard is queued, and nobody counts how much of it waits.',
  })
})

// 5.5 The client comes back

check('5.5a', 'each quake is given when its event is here', async (t) => {
  const { got, requested, delivers } = await follow(t)
  await requested(1)
  for (const [n, quake] of awkwardQuakes().slice(0, -1).entries()) {
    await delivers(quake, `n-${n}`)
    must(deepEqual(got[n], quake), {
      seen: `The server sent ${excerptJson(quake)} and followQuakes() gave ${excerptJson(got[n])}`,
      expected: 'Expected the quake.',
    })
  }
})

check('5.5b', 'the first request has no Last-Event-ID, the next ones have the last', async (t) => {
  const { server, requested, delivers, hasCursor } = await follow(t)
  const odd = ['n/0 =%', ...ODD_IDS]
  for (const [n, quake] of quakes(odd.length).entries()) {
    await requested(n + 1)
    hasCursor(n + 1, odd[n - 1], AS_IT_CAME, ID_LOST)
    must(n > 0 || server.requests[0]!.get('Last-Event-ID') === undefined, {
      seen: 'Request 1 has a Last-Event-ID with nothing in it.',
      expected: 'Expected no such header: the client has nothing.',
    })
    await delivers(quake, odd[n])
    server.cut()
  }
  await requested(odd.length + 1)
  hasCursor(odd.length + 1, odd.at(-1), AS_IT_CAME, ID_LOST)
})

check('5.5c', 'a response that ends is a connection that was lost', async (t) => {
  const { server, requested, delivers, hasCursor } = await follow(t)
  const [first, second] = quakes(2)
  await requested(1)
  await delivers(first, 'n-0')
  server.end()
  await requested(2)
  hasCursor(2, 'n-0')
  await delivers(second, 'n-1')
})

check('5.5d', 'an event that was cut off has not been', async (t) => {
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
    seen: `An event was cut off before its blank line, came again as a whole, and followQuakes() gave ${counted(got.length - 1, 'quake')} of it.`,
    expected: 'Expected it once.',
  })
})

check('5.5e', 'an event that comes twice is given once', async (t) => {
  const { server, got, requested } = await follow(t)
  const happened = quakes(4)
  const events = happened.map((quake, n) => eventOf(quake, `n-${n}`))
  await requested(1)
  server.send(events.slice(0, 2).join(''), 'events n-0 and n-1')
  await t.waitFor(() => got.length === 2, notGiven(happened[1]!))
  server.cut()
  await requested(2)
  // Of the replay, the first has been corrected. Its id is the same, so it is the same event.
  const corrected = eventOf({ ...happened[0]!, magnitude: happened[0]!.magnitude + 0.5 }, 'n-0')
  server.send([corrected, ...events.slice(1)].join(''), 'events n-0, n-1, n-2 and n-3')
  await t.waitFor(() => deepEqual(got.at(-1), happened[3]), {
    seen: 'The server sent n-3, and followQuakes() did not give it.',
    expected: 'Expected its quake.',
  })
  const gave = got.map(({ id }) => `n-${idsOf(happened).indexOf(id)}`)
  must(deepEqual(got, happened), {
    seen: `The server sent n-0 and n-1 again, and followQuakes() gave ${listed(gave)}.`,
    expected: 'Expected each once: n-0, n-1, n-2, n-3.',
    often: 'the server is trusted. One that promises at least once may repeat itself.',
  })
})

check('5.5f', 'an event without a quake is left out, and its id counts', async (t) => {
  const { server, got, requested, hasCursor } = await follow(t)
  const [quake, next] = quakes(2)
  await requested(1)
  server.send('id: bad\ndata: {"id":\n\n')
  server.send(eventOf(quake, 'bad'))
  const story = {
    expected: 'Expected nothing for that event, and the quake behind it.',
    often: 'the error of JSON.parse() is taken for one of the connection.',
  }
  await t.waitFor(() => got.length === 1, {
    seen: 'An event came whose data is not JSON, then a quake with the same id, and followQuakes() did not give it.',
    expected: 'Expected nothing for the first, and the quake: no event with its id has been given.',
    often:
      'the error of JSON.parse() ends the connection, or the id of what was left out is remembered.',
  })
  must(deepEqual(got[0], quake) && server.requests.length === 1, {
    seen: `An event came whose data is not JSON, and followQuakes() gave ${excerptJson(got[0])}${server.requests.length > 1 ? ' on another connection' : ''}.`,
    ...story,
  })
  server.send('event: weather\nid: other\ndata: {"rain":true}\n\nid: silent\n\n')
  server.send(eventOf(next))
  await t.waitFor(() => got.length >= 2, notGiven(next))
  must(deepEqual(got[1], next), {
    seen: `An event named weather came, and followQuakes() gave ${excerptJson(got[1])}.`,
    expected: 'Expected quakes alone: events without a name.',
  })
  server.cut()
  await requested(2)
  hasCursor(2, 'silent', 'The last id came in a block without data.')
  for (const [n, [block, wanted]] of IDS_IN_BLOCKS.entries()) {
    server.send(eventOf(quake, 'before'))
    server.send(block)
    // Without an id: it shows that the block has been read.
    const count = got.length
    server.send(eventOf({ ...next, id: `m-${n}` }))
    await t.waitFor(() => got.length > count, notGiven(next))
    server.cut()
    await requested(n + 3)
    hasCursor(n + 3, wanted, `The server had sent ${excerpt(block)} before the connection was cut.`)
  }
})

edgeCase('5.5g', 'an empty id takes the last one back', async (t) => {
  const { server, got, requested, hasCursor } = await follow(t)
  const [first, second] = quakes(2)
  await requested(1)
  server.send(eventOf(first, 'n-0'))
  server.send(eventOf(second, ''))
  await t.waitFor(() => got.length === 2, notGiven(second))
  server.cut()
  await requested(2)
  hasCursor(2, undefined, 'The last id was an empty one.')
  for (const [n, block] of ['id\n\n', 'id:\ndata: no JSON\n\n', GAP_EVENT + 'id: \n\n'].entries()) {
    server.send(eventOf(first, 'before'))
    server.send(block)
    const count = got.length
    server.send(eventOf({ ...second, id: `m-${n}` }))
    await t.waitFor(() => got.length > count, notGiven(second))
    server.cut()
    await requested(n + 3)
    hasCursor(n + 3, undefined, `The server had sent ${excerpt(block)}, which has an empty id.`)
  }
})

check('5.5h', 'a gap is told, between the quakes where it is', async (t) => {
  const { server, got, gaps, requested } = await follow(t)
  const [first, second] = quakes(2)
  await requested(1)
  server.send(`${eventOf(first, 'n-0')}${GAP_EVENT}${eventOf(second, 'n-1')}`)
  await t.waitFor(() => got.length === 2, notGiven(second))
  must(deepEqual(gaps, [1]), {
    seen: `A quake, a gap and a quake came, and onGap() was called ${gaps.length === 0 ? 'never' : `when ${gaps.join(', ')} quakes had been given`}.`,
    expected: 'Expected onGap() once, between the two.',
    often: 'nobody looks at the name of the event, or each connection is taken for a gap.',
  })
  for (const [n, [sent, name, often]] of (
    [
      [
        'event: gapless\ndata: {"rain":true}\n\n',
        'An event named gapless',
        'every event with a name is taken for a gap, or every name that begins like it.',
      ],
      [
        'event: gap\n\n',
        'A block with event: gap and without data',
        'only the name is looked at. Without data there is no event.',
      ],
    ] as const
  ).entries()) {
    const quake = quakes(n + 3).at(-1)!
    server.send(sent)
    server.send(eventOf(quake, `n-${n + 2}`))
    await t.waitFor(() => got.length === n + 3, notGiven(quake))
    must(gaps.length === 1, {
      seen: `${name} came, and onGap() was called.`,
      expected: 'Expected it for events named gap alone.',
      often,
    })
  }
})

edgeCase('5.5i', 'each request has the method, the headers and the body', async (t) => {
  const server = await scriptedServer(t)
  // Nothing that one could copy with `{ ...headers }`.
  const headers = new Headers({ Authorization: 'Bearer x' })
  const init = { method: 'POST', headers, body: '{"min":5}' }
  const { requested, delivers, hasCursor } = await follow(t, { server, init })
  for (const [n, quake] of quakes(2).entries()) {
    await requested(n + 1)
    const request = server.requests[n]!
    const body = await t.withTimeout(request.toArray(), {
      seen: `Request ${n + 1} has no end.`,
      expected: 'Expected one.',
    })
    const authorization = request.get('Authorization')
    const isWhole = body.join('') === init.body && authorization === 'Bearer x'
    must(request.method === 'POST' && isWhole, {
      seen: `Request ${n + 1} is a ${request.method}, Authorization: ${authorization}, with the body "${excerpt(body.join(''))}".`,
      expected: 'Expected what init says, each time: POST, Bearer x, {"min":5}.',
      often:
        'init is given to the first request alone, or its headers are replaced by yours, or copied with { ...headers }: of a Headers object that copies nothing.',
    })
    hasCursor(n + 1, n === 0 ? undefined : 'n-0')
    await delivers(quake, `n-${n}`)
    server.cut()
  }
  const names = [...headers.keys()]
  must(deepEqual(names, ['authorization']), {
    seen: `The Headers object of init has become ${names.join(', ')}.`,
    expected: 'Expected it as it was: it is not yours, and may be used for something else.',
    often: 'Last-Event-ID is set in init.headers itself. new Headers(init.headers) is another one.',
  })
})

check('5.5j', 'leaving the loop ends the request', async (t) => {
  const server = await scriptedServer(t)
  const [quake] = quakes(1)
  const abort = new AbortController()
  t.atEnd(() => abort.abort())
  const leaves = async (): Promise<void> => {
    for await (const _ of followQuakes(server.url, { ...QUICK, signal: abort.signal })) break
  }
  t.transcript.step('followQuakes() is called, to leave after the first quake')
  const left = leaves()
  await waitForRequest(t, server, 1, left)
  server.send(eventOf(quake, 'n-0'))
  await t.withTimeout(left, {
    seen: 'The reader left the loop after a quake, and the loop does not end.',
    expected: 'Expected it to end.',
  })
  await t.waitFor(() => server.openResponses === 0, {
    seen: 'The reader left the loop, and the request goes on.',
    expected: 'Expected it to be cancelled.',
    often: 'the request is not aborted in a finally.',
  })
})

check('5.5k', 'the signal ends it, also while nothing comes', async (t) => {
  const follower = await follow(t)
  const { server, requested, delivers, ends } = follower
  const [quake] = quakes(1)
  await requested(1)
  await delivers(quake, 'n-0')
  follower.abort()
  await ends('The signal aborted while nothing came')
  await t.waitFor(() => server.openResponses === 0, {
    seen: 'The signal aborted, and the request goes on.',
    expected: 'Expected it to be cancelled.',
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
  t.transcript.step('followQuakes() is called, by who aborts the signal at the first quake')
  const reading = reads()
  await waitForRequest(t, other, 1, reading)
  const events = quakes(3).map((each, n) => eventOf(each, `n-${n}`))
  other.send(events.join(''), 'events n-0, n-1 and n-2')
  await t.withTimeout(reading, {
    seen: 'The signal aborted at the first quake of three, and the loop goes on.',
    expected: 'Expected it to end.',
  })
  must(given === 1, {
    seen: `The signal aborted at the first quake of three that came together, and followQuakes() gave ${given}.`,
    expected: 'Expected that one: who aborts wants no more.',
    often: 'the signal ends the request, and what has come before goes on being given.',
  })
  await endsInGap(t)
  await endsBeforeHead(t)
})

/** Who aborts in `onGap()` gets no quake that came with the gap. */
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
    seen: 'The signal aborted in onGap(), and the loop goes on.',
    expected: 'Expected it to end.',
  })
  must(given === 0, {
    seen: 'The signal aborted in onGap(), and followQuakes() gave the quake that came with the gap.',
    expected: 'Expected no quake after the signal has aborted.',
  })
}

/** The signal may have aborted before the first request, or abort while no head has come. */
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
      seen: `${when}, and the loop goes on.`,
      expected: 'Expected it to end.',
    })
    must(failed === undefined, {
      seen: `${when}, and followQuakes() threw ${describeError(failed?.error)}.`,
      expected: 'Expected it to end without an error.',
    })
    await t.waitFor(() => server.openResponses === 0, {
      seen: `${when}, and the request goes on.`,
      expected: 'Expected it to be cancelled.',
    })
    must(!isEarly || server.requests.length === 0, {
      seen: `${when}, and it made a request.`,
      expected: 'Expected none.',
    })
  }
}

edgeCase('5.5l', 'whether an event has come before, its id tells and nothing else', async (t) => {
  const { server, got, requested } = await follow(t)
  const [quake, last] = quakes(2)
  const again = eventOf(quake)
  for (const [sent, how, often] of [
    [
      [eventOf(quake, 'n-0'), eventOf(quake, 'n-1')],
      'with the ids n-0 and n-1, the same quake in both',
      'the id of the quake is looked at. What makes an event another one is the id of the event.',
    ],
    [
      [again, again],
      'without an id, the same quake in both',
      'an event without an id is told by something else. Nobody can tell that it has come before.',
    ],
    [
      [eventOf(quake, ''), eventOf(quake, '')],
      'with an empty id, the same quake in both',
      'the empty id is remembered. It is none.',
    ],
  ] as const) {
    const before = got.length
    await requested(1)
    server.send(sent.join(''), `two events ${how}`)
    server.send(eventOf(last, `behind-${before}`))
    await t.waitFor(() => deepEqual(got.at(-1), last) && got.length > before, notGiven(last))
    must(got.length === before + 3, {
      seen: `Two events came ${how}, then one more, and followQuakes() gave ${counted(got.length - before, 'quake')}.`,
      expected: 'Expected 3.',
      often,
    })
  }
})

edgeCase('5.5m', 'it remembers at least the last hundred ids', async (t) => {
  const server = await scriptedServer(t)
  const { got } = await follow({ ...t, transcript: SILENT }, { server })
  const count = Math.ceil(1400 / sampleEvery())
  const happened = numberedQuakes(count + 1)
  const events = happened.map((quake, n) => eventOf(quake, `n-${n}`))
  await waitForRequest(t, server, 1)
  let sent = 0
  // Not in steps of a round number: a set that is emptied when it is full has room again right behind that.
  while (sent < count) {
    const end = Math.min(sent + (sent === 0 ? 100 : 90), count)
    server.send(events.slice(sent, end).join(''), `events n-${sent} to n-${end - 1}`)
    server.send(events.slice(end - 100, end).join(''), 'the last hundred again')
    sent = end
    server.send(eventOf(happened[end]!, `n-${end}`))
    await t.waitFor(() => got.at(-1)?.id === happened[end]!.id, notGiven(happened[end]!))
    sent += 1
    must(got.length === sent, {
      seen: `The server sent n-0 to n-${end - 1}, the last hundred of them again, and n-${end}: followQuakes() gave ${counted(got.length, 'quake')}.`,
      expected: `Expected ${sent}, each once.`,
      often:
        sent < 200
          ? 'too few ids are remembered. A server may repeat all that it keeps.'
          : undefined,
    })
  }
  if (sampleEvery() === 1) await forgetsIds(t)
})

/** A client that runs for months cannot remember every id. */
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
      seen: `The server sent ${end} events with ids of their own, and followQuakes() gave ${counted(given, 'quake')}.`,
      expected: 'Expected a quake for each.',
    })
  }
  t.transcript.step(`the server sent ${count} events with ids of their own, then the first again`)
  server.send(`${event(0)}data: {}\n\n`)
  await t.waitFor(() => given > count, {
    seen: 'The server sent an event without an id, and followQuakes() did not give it.',
    expected: 'Expected its quake.',
  })
  await turns(5)
  must(given === count + 2, {
    seen: `The server sent ${count} events with ids of their own, then the first again, and the client still knew its id.`,
    expected: `Expected it to have forgotten that id: of a stream that runs for months, at most the last ${MOST_IDS} ids are kept.`,
    often: 'the ids that were given are never taken out of the set.',
  })
}

edgeCase('5.5n', 'behind a gap it still knows what it has', async (t) => {
  const { server, got, gaps, requested, hasCursor } = await follow(t)
  const [first, second] = quakes(2)
  await requested(1)
  server.send(eventOf(first, 'n-0'))
  server.send(`${GAP_EVENT}${eventOf(first, 'n-0')}${eventOf(second, 'n-1')}`)
  await t.waitFor(() => deepEqual(got.at(-1), second), notGiven(second))
  must(got.length === 2, {
    seen: 'The event n-0 came, a gap, and n-0 again: followQuakes() gave its quake twice.',
    expected: 'Expected it once. Behind a gap comes all that is kept, also what the client has.',
    often: 'the ids that have come are forgotten at a gap.',
  })
  server.send(GAP_EVENT)
  await t.waitFor(() => gaps.length === 2, GAP_UNTOLD)
  server.cut()
  await requested(2)
  hasCursor(2, 'n-1', 'A gap without an id changes nothing about the last one.')
  server.send(`${eventOf(second, 'n-2')}id: of-a-gap\n${GAP_EVENT}`)
  await t.waitFor(() => gaps.length === 3, GAP_UNTOLD)
  server.cut()
  await requested(3)
  hasCursor(3, 'of-a-gap', 'An id in a gap counts as in any other block.')
})

// 5.6 The client waits

check('5.6a', 'after a loss the client waits, and says so', async (t) => {
  const { server, states, clock, opens, backsOffFor } = await followTimed(t)
  await opens(1)
  server.cut()
  const ms = await backsOffFor(500, 1, 'random() is 0.5, baseMs is 1000, and a connection was lost')
  clock.advance(ms)
  await opens(2)
  const names = states.map(({ name }) => name)
  const wanted = ['connecting', 'open', 'waiting', 'connecting', 'open']
  must(deepEqual(names, wanted), {
    seen: `onState() was told ${listed(names)}.`,
    expected: `Expected ${wanted.join(', ')}.`,
  })
  const { why } = states[2] as { why: string }
  must(typeof why === 'string' && why !== '', {
    seen: `The state waiting has why: ${excerptJson(why)}.`,
    expected: 'Expected a sentence: who looks at it wants to know what is wrong.',
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
    await backsOffFor(expected, n + 1, `random() is 0.5, and ${n + 1} in a row have failed`)
  }
  // However often it fails: 1 << 31 is less than nothing.
  for (let n = 6; n < 42; n += 1) {
    clock.advance(clock.nextDueMs!)
    await requested(n + 1)
    await backsOffFor(5000, n + 1, `random() is 0.5, and ${n + 1} in a row have failed`)
  }
})

check('5.6c', 'the wait is anything from nothing to the longest', async (t) => {
  for (const [share, expected] of [
    [0, 0],
    [0.25, 250],
    [0.999, 999],
  ] as const) {
    const server = await scriptedServer(t)
    server.answer(500)
    const { backsOffFor, close } = await followTimed(t, { server, random: () => share })
    await backsOffFor(expected, 1, `random() is ${share}, baseMs is 1000, and one has failed`)
    await close()
  }
})

check('5.6d', 'a quake ends the row of failures', async (t) => {
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
    'Three in a row had failed, then a quake came, and the connection was lost',
  )
})

edgeCase('5.6e', 'a connection without a new quake does not', async (t) => {
  const { server, gaps, clock, opens, backsOffFor } = await followTimed(t)
  const [quake] = quakes(1)
  const longest = Array.from({ length: 7 }, () => 15_000)
  for (const [n, expected] of [500, 1000, 2000, 4000, 8000, ...longest].entries()) {
    await opens(n + 1)
    // New on the first one, and not on the others. The last ones bring nothing at all.
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
        ? 'random() is 0.5, a quake came, and the connection was lost'
        : `random() is 0.5, and ${n + 1} connections in a row were opened and lost. Since the first came that quake again, what is no JSON, and a gap`,
      'the count of failures begins anew with the head, or with any event, or with a quake that has come before, or a response that ends is not counted.',
    )
    clock.advance(ms)
  }
})

check('5.6f', 'retry sets the longest first wait, from then on', async (t) => {
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
    'nobody reads block.retry, or it is taken for seconds.',
  )
  clock.advance(first)
  await opens(2)
  server.cut()
  await backsOffFor(
    80,
    2,
    'The server said retry: 80 on the connection before, and two were lost',
    'what retry said is known for one connection only.',
  )
  for (const [n, [retry, expected, often]] of (
    [
      [80, 160, 'retry ends the row of failures. Only a quake does.'],
      [100_000, 15_000, 'what the server says is not held against maxMs.'],
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
      `random() is 0.5, maxMs is 30000, the server said retry: ${retry}, and ${n + 3} in a row were lost`,
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
    seen: `random() is 0.5, the server said retry: 0, 5 connections in a row were lost, and the client waits ${ms} ms.`,
    expected: 'Expected a wait: a retry of 0 must not switch the backoff off. Take at least 1 ms.',
    ...(ms === 0 && { often: '0 × 2 ^ failures is 0, however many connections have failed.' }),
  })
})

check('5.6g', 'Retry-After is waited first, and then the wait of its own', async (t) => {
  for (const isDate of [false, true]) {
    const header = isDate ? 'Retry-After in 7 seconds, as a date' : 'Retry-After: 7'
    const server = await scriptedServer(t)
    const clock = new ControlledClock(t.transcript)
    const later = isDate ? new Date(clock.now() + 7000).toUTCString() : '7'
    server.answer(503, { 'Retry-After': later })
    const { backsOff, backsOffFor, close } = await followTimed(t, { server, clock })
    const ms = await backsOff()
    must(ms === 7500 && clock.nextDueMs === ms, {
      seen: `The server answered 503 with ${header}, and the client waits ${clock.nextDueMs} ms.`,
      expected: 'Expected 7 seconds and a wait of its own on top: 7,500 ms with random() 0.5.',
      often:
        'the header is not read, is taken for milliseconds, or is a date: that gives NaN, or is compared with Date.now() and not with clock.now(). Or one of the two waits is left out.',
    })
    server.answer(503)
    clock.advance(ms)
    const next = await backsOffFor(
      1000,
      2,
      `random() is 0.5, the server answered 503 with ${header}, then without that header`,
      'what Retry-After said is kept. It is for one wait.',
    )
    const empty = isDate ? new Date(clock.now() - 60_000).toUTCString() : 'soon'
    server.answer(503, { 'Retry-After': empty })
    clock.advance(next)
    await backsOffFor(
      2000,
      3,
      `random() is 0.5, three in a row have failed, the last with Retry-After: ${isDate ? 'a date of a minute ago' : 'soon'}`,
      'what it says is less than nothing, or NaN, and is added all the same.',
    )
    await close()
  }
})

check('5.6h', 'what may pass is tried again', async (t) => {
  for (const status of [500, 502, 503, 504, 520, 599, 429, 408]) {
    const server = await scriptedServer(t)
    server.answer(status, { 'Retry-After': '7' })
    const { clock, opens, backsOff, close } = await followTimed(t, { server })
    const ms = await backsOff(1, `The server answered ${status}`)
    must(clock.nextDueMs === 7500, {
      seen: `The server answered ${status} with Retry-After: 7, and the client waits ${clock.nextDueMs} ms.`,
      expected: 'Expected 7,500 ms with random() 0.5: the header holds for whatever status.',
      often: 'Retry-After is read for some statuses only.',
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

/** A refusal has a body, too, and its connection is kept until somebody has read that, or has cancelled it. */
async function leavesNoBody(t: Tools): Promise<void> {
  const server = await scriptedServer(t)
  server.answer(503, {}, { endsBody: false })
  const { backsOff, close } = await followTimed(t, { server })
  await backsOff(1, 'The server answered 503 with a body that has not ended')
  await t.waitFor(() => server.openResponses === 0, {
    seen: 'The server answered 503 with a body that has not ended, the client waits, and that response is still open.',
    expected:
      'Expected the request to be cancelled: each failure would leave one more connection open.',
    often:
      'your code reads the status and ignores the body. Abort the request, or cancel response.body.',
  })
  await close()
}

check('5.6i', 'what will not pass is an error', async (t) => {
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
      seen: `The server answered ${answer}, and nothing came of it.`,
      expected: 'Expected followQuakes() to throw.',
    })
    must(follower.error !== undefined, {
      seen: `The server answered ${answer}, and followQuakes() ${follower.ended ? 'ended without a word' : 'goes on'}.`,
      expected:
        'Expected it to throw: it would be the same the next time, and somebody has to know.',
      often: 'every status is treated alike, or a catch of your own swallows the error.',
    })
    await t.waitFor(() => server.openResponses === 0, {
      seen: `The server answered ${answer}, followQuakes() threw, and that response is still open.`,
      expected: 'Expected the request to be cancelled: nobody reads its body.',
    })
    await follower.close()
  }
})

check('5.6j', 'a connection that is silent for too long is given up', async (t) => {
  const follower = await followTimed(t, { stallMs: 9000 })
  const { server, clock, delivers, hasCursor, opens, backsOff, backsOffFor, armsWatchdog } =
    follower
  const [quake] = quakes(1)
  await opens(1)
  await delivers(quake, 'n-0')
  await armsWatchdog(9000)
  clock.advance(9000)
  const ms = await backsOff(1, 'Nothing came for stallMs')
  await t.waitFor(() => server.openResponses === 0, {
    seen: 'Nothing came for stallMs, and the old request goes on.',
    expected: 'Expected it to be cancelled.',
    often: 'the client tries again beside it. Both would be open.',
  })
  clock.advance(ms)
  await opens(2)
  hasCursor(2, 'n-0')
  server.cut()
  await backsOffFor(
    1000,
    2,
    'random() is 0.5, a connection was silent for too long, and the next one was cut',
    'a connection that was given up is not counted as a failure.',
  )
  await follower.close()
  const unset = await followTimed(t, { stallMs: undefined })
  await unset.opens(1)
  await t.waitFor(() => unset.clock.nextDueMs !== undefined, {
    seen: 'stallMs is left out, the client waits for bytes, and it does not sleep by its clock.',
    expected: 'Expected a watchdog of 45 seconds.',
  })
  must(unset.clock.nextDueMs === 45_000, {
    seen: `stallMs is left out, and the client would give up in ${unset.clock.nextDueMs} ms.`,
    expected: 'Expected 45,000 ms, three times the heartbeat of a server.',
  })
})

const ONLY_WHOLE =
  'the watchdog stands around the blocks. A long event may take longer to come than stallMs.'

edgeCase('5.6k', 'every byte shows that the connection lives', async (t) => {
  const { server, clock, opens, armsWatchdog } = await followTimed(t, {
    stallMs: 9000,
    random: () => 0,
  })
  await opens(1)
  for (const [sent, what, often] of [
    [':\n\n', 'a heartbeat', 'only events count. In a quiet hour there are none.'],
    ['id: n-0\nda', 'a part of an event', ONLY_WHOLE],
    ['ta: {', 'a part of an event', ONLY_WHOLE],
  ] as const) {
    await armsWatchdog(9000)
    clock.advance(8000)
    const { sleepCount } = clock
    server.send(sent)
    await t.waitFor(() => clock.sleepCount > sleepCount && (clock.nextDueMs ?? 0) === 9000, {
      seen: () =>
        `8 of 9 seconds had passed when ${what} came, and the client would give up in ${clock.nextDueMs} ms.`,
      expected: 'Expected 9 seconds more: clock.sleep(stallMs, …) anew whenever bytes come.',
      often,
    })
  }
  must(server.requests.length === 1, {
    seen: 'Bytes came in time, and the client connected anew.',
    expected: 'Expected it to stay connected.',
  })
})

edgeCase('5.6l', 'a server that does not answer is given up, too', async (t) => {
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
  await backsOff(1, 'Nothing came for stallMs')
  clock.advance(0)
  await requested(2)
  await t.waitFor(() => server.openResponses === 1, {
    seen: 'No head came for stallMs, the client tried again, and the old request goes on.',
    expected: 'Expected it to be cancelled.',
  })
})

edgeCase('5.6m', 'a reader that takes its time is no stall', async (t) => {
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
  t.transcript.step('the reader takes its time with the quake')
  for (let beat = 0; beat < 3; beat += 1) {
    clock.advance(8000)
    server.send(':\n\n')
    // Who reads ahead has got it; who does not read sleeps for nothing.
    await t.waitFor(() => clock.nextDueMs === undefined || clock.nextDueMs === 9000, {
      seen: () =>
        `The reader takes its time with a quake, heartbeats come, and the client would give up in ${clock.nextDueMs} ms.`,
      expected: 'Expected no watchdog while nobody reads, or one that every heartbeat feeds.',
      often: 'the watchdog goes on while the reader works, and nobody reads the heartbeats then.',
    })
  }
  const two = reading.next()
  server.send(eventOf(second, 'n-1'))
  const { value } = await t.withTimeout(two, {
    seen: 'The reader took 24 seconds for a quake, and then the next one did not come.',
    expected: 'Expected it on the same connection: it was the reader who was slow.',
  })
  must(deepEqual(value, second) && server.requests.length === 1, {
    seen: `The reader took 24 seconds for a quake, and the client made ${counted(server.requests.length, 'request')}.`,
    expected: 'Expected one.',
  })
})

edgeCase('5.6n', 'nothing sleeps when the work is done', async (t) => {
  const follower = await followTimed(t, { stallMs: 9000 })
  const { server, got, clock, opens, ends, backsOff } = follower
  const [quake] = quakes(1)
  await opens(1)
  server.send(`:\n\n${eventOf(quake, 'n-0')}`)
  await t.waitFor(() => got.length === 1, notGiven(quake))
  server.cut()
  await backsOff()
  must(clock.sleeperCount === 1, {
    seen: `The client waits before it comes back, and ${clock.sleeperCount} sleeps are going on.`,
    expected: 'Expected that one: the watchdog has nothing to watch.',
    often: 'the sleep of the watchdog goes on. Abort its signal when something has come.',
  })
  follower.abort()
  await ends('The signal aborted while the client waited')
  await t.waitFor(() => clock.nextDueMs === undefined && server.requests.length === 1, {
    seen: 'The signal aborted while the client waited, and a sleep goes on, or another request was made.',
    expected: 'Expected neither.',
    often: 'clock.sleep() is not given the signal, or nobody looks at the signal behind it.',
  })
})

check('5.6o', 'after 204 it is over', async (t) => {
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
    seen: `The server answered 204. The last state that onState() was told is ${last?.name ?? 'none at all'}, and the client made ${counted(server.requests.length, 'request')}.`,
    expected: 'Expected the state over, and 2 requests.',
  })
})

edgeCase('5.6p', 'a connection that is over leaves nothing at the signal', async (t) => {
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
      seen: `The client waits after its first connection, and has ${first} listeners at the signal. After its second it has ${listeners}.`,
      expected: 'Expected as many: it may follow the stream for months.',
      often:
        'removeEventListener() is missing where the request is over. Or fetch() is given the signal itself, and listens to it for long: AbortSignal.any() makes one for each request.',
    })
    clock.advance(ms)
  }
})

// 5.7 Any cut

check('5.7a', 'wherever its response is cut, the client gets each quake once', async (t) => {
  const { ids, responseLength, headLength, startClient } = await cuttingServer(t)
  const plans = [
    ...cutAfterEachByte('response', 0, headLength - 1, ONE_IN_A_HEAD),
    ...cutAfterEachByte('response', headLength, responseLength - 1),
  ].map((cut) => [cut])
  await runCutPlans(t, plans, startClient, {
    ids,
    often: 'the id counts when its line is read, and not when its event is whole.',
    sign: 'early id',
  })
})

edgeCase('5.7b', 'the same when the next response is cut as well, or many requests', async (t) => {
  const { ids, responseLength, headLength, startClient } = await cuttingServer(t)
  // The next one at once, in its head, in the middle of an event, between two.
  const next = [1, headLength - 30, headLength + 30, headLength + 44]
  const twice = cutAfterEachByte('response', headLength, responseLength - 1).map(
    (cut, n): Cut[] => [cut, { of: 'response', after: next[n % next.length]! }],
  )
  // How far a request came is nothing that its client can see.
  const inARow: Cut[] = [
    { of: 'response', after: headLength + 50 },
    ...cutAfterEachByte('request', 1, 12),
  ]
  await runCutPlans(t, [...twice, inARow], startClient, {
    ids,
    often: 'the id of the last event is known for one connection, and not to the one behind it.',
    sign: 'forgotten id',
  })
})

check(
  '5.7c',
  'wherever a client is cut off, the server goes on behind its last event',
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
      often: 'an id reaches the client before the event that it belongs to.',
      sign: 'early id',
    })
  },
)

edgeCase('5.7d', 'also when it is cut off, twice, during the hand-over', async (t) => {
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
    // Another one now and then: where the chunks begin is for Node to say, and is to change nothing.
    { of: 'response', after: next[Math.floor(n / 24) % next.length]! },
  ])
  await runCutPlans(t, plans, begin, {
    ids,
    often: 'what one visit has heard or read is kept for the next one.',
    sign: 'wrong quakes',
  })
})

check(
  '5.7e',
  'whatever happens to both, nothing is lost without a gap, or comes twice',
  async (t) => {
    const numRuns = Math.ceil(100 / sampleEvery())
    const counterexample = await runScenarios(t, { seed, numRuns, stock: stock() })
    for (const step of counterexample?.steps ?? []) t.transcript.step(step)
    if (counterexample) throw counterexample.error
    t.transcript.step(`${numRuns} stories: everything came`)
  },
)

// 5.8 Ends

check('5.8a', 'who has everything of a history that is over gets 204', async (t) => {
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
    often: 'whoever comes when it is over gets 204, also with something left to read.',
  })
  await mustEnd(missed, 'client B')
  const client = t.connect(server, 'client C')
  const story = { seen: 'Client C got no head.', expected: 'Expected 204.' }
  const { status } = await client.get(PATH, story, { lastEventId: last.id })
  must(status === 204, {
    seen: `The history is over, client C has everything, and was answered ${status}.`,
    expected: 'Expected 204: after anything else it comes back for ever.',
  })
  await keepsRulesWhenOver(t)
})

/** A history that is over is read like any other: with a gap where something is missing, and as fast as a client reads. */
async function keepsRulesWhenOver(t: Tools): Promise<void> {
  const evicting = fakeHistory(t.transcript, { capacity: 1 })
  const [first, , kept] = evicting.append(...quakes(3))
  evicting.end()
  for (const lastEventId of [first.id, 'of-another-life']) {
    const { client, events } = await serveAndSubscribe(t, evicting, { lastEventId })
    const when = `The history is over, the client came with "${lastEventId}", and quakes after that may not be kept any more`
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
    seen: 'The history is over, a client does not read, and most of a history of 4 MB waits for it in your memory.',
    expected: 'Expected a few hundred KB: one entry, and what fits into the socket.',
    often: 'the entries of a history that is over are sent without waiting for drain.',
  })
  t.transcript.step('the slow client reads')
  unblock()
  const events = new EventClient(client, SILENT)
  for (const entry of entries) await mustBeNext(events, entry)
}

check('5.8b', 'at the end of the history the stream ends', async (t) => {
  const history = fakeHistory(t.transcript)
  const { client, events } = await serveAndSubscribe(t, history)
  const [entry] = history.append(...quakes(1))
  await mustBeNext(events, entry)
  history.end()
  await mustEnd(client, 'the client')
  await mustStopHeartbeat(t)
})

/** Of somebody who does not read, the response has ended and is not over. */
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
    seen: 'The history is over, a client that has everything does not read, and the response to it does not end.',
    expected: 'Expected it to end.',
  })
  timers.runPending()
  await someTurns()
  must(error === undefined, {
    seen: `A client does not read, the response to it had ended, and the next heartbeat failed: ${describeError(error)}.`,
    expected:
      'Expected no heartbeat behind the end: nobody catches that error, and the server crashes.',
    often:
      "the heartbeat stops at 'close', or when all has gone out. For who does not read that is long after res.end().",
  })
}

edgeCase('5.8c', 'a shutdown ends the streams, and the connections', async (t) => {
  const { shutDown, server, client } = await serveUntilShutdown(t)
  shutDown()
  const how = await client.ended({
    seen: 'The shutdown began, and the stream goes on.',
    expected: 'Expected it to end: its client finds another server.',
    often: 'the signal reaches a loop that waits for the next quake, and does not wake it.',
  })
  must(how === 'complete', {
    seen: 'The shutdown began, and the connection was cut.',
    expected: 'Expected the response to end as HTTP ends one.',
    often: 'res.destroy() is called where res.end() belongs.',
  })
  await t.waitFor(() => server.connections === 0, {
    seen: 'The shutdown began, the stream ended, and the connection is kept.',
    expected:
      'Expected it to be closed: server.close() waits for it, and the next request would come here again.',
    often: 'res.end() keeps the connection for another request.',
  })
  must(client.events.unexpected === undefined, {
    seen: 'An event came that nobody knows.',
    expected: 'Expected none.',
  })
})

edgeCase(
  '5.8d',
  'who comes during a shutdown is sent away in a way that it comes back',
  async (t) => {
    const { shutDown, server } = await serveUntilShutdown(t)
    shutDown()
    const client = t.connect(server, 'client B')
    client.request(PATH)
    const how = await client.ended({
      seen: 'The shutdown had begun, and client B has an open stream.',
      expected: 'Expected the response to end, or the connection to be closed.',
      often: 'the signal is only listened to. It had aborted before client B came.',
    })
    const status = client.hasHead
      ? (await client.head({ seen: 'No head.', expected: 'Expected one.' })).status
      : undefined
    must(how === 'cut' || status === 200, {
      seen: `The shutdown had begun, and client B was answered ${status}.`,
      expected:
        'Expected a stream that ends, with retry, or no answer: after any other status an EventSource never comes back.',
      often: '503 says the right thing to every client but this one.',
    })
    await t.waitFor(() => server.connections === 0, {
      seen: 'The shutdown had begun, the stream of client B ended, and its connection is kept.',
      expected:
        'Expected it to be closed, as those of the others: its next request would come here again.',
      often: 'who comes late has a way out of its own, and res.end() keeps the connection.',
    })
  },
)

edgeCase('5.8e', 'a shutdown leaves nothing, and does not wait for slow clients', async (t) => {
  const history = fakeHistory(t.transcript)
  const leftovers = trackLeftovers(t, history)
  const shutdown = new AbortController()
  const app = createApp(history, { shutdown: shutdown.signal, heartbeatMs: OFTEN })
  const { server, jam, mustQueue } = await jammedServer(t, app)
  await subscribe(t, server, { name: 'slow client' })
  jam()
  const [, last] = history.append(...largeQuakes(2))
  await mustQueue()
  // One that has everything, and waits for what happens. What it then does not read is no reason to wait for drain.
  await subscribe(t, server, { name: 'client B', lastEventId: last!.id })
  jam()
  history.append(...quakes(1))
  await someTurns()
  t.transcript.step('the shutdown begins')
  shutdown.abort()
  await t.waitFor(leftovers.areNone, {
    seen: () => `The shutdown began; ${leftovers.describe()} left.`,
    expected: 'Expected none: they keep the process alive.',
    often: 'the handler of a slow client waits for drain, or one timer is never cleared.',
  })
  await t.waitFor(() => server.connections === 0, {
    seen: () =>
      `The shutdown began, and ${server.connections === 1 ? 'the connection of a client that does not read is' : 'the connections of clients that do not read are'} kept.`,
    expected: 'Expected them to be cut: server.close() waits for them.',
    often:
      'res.end() waits until all that was written has gone out. What a client does not read does not.',
  })
  const late = t.connect(server, 'client C')
  late.request(PATH)
  await late.ended({
    seen: 'The shutdown had begun, and client C has an open stream.',
    expected: 'Expected the response to end, or the connection to be closed.',
  })
  await t.waitFor(leftovers.areNone, {
    seen: () => `Client C came during the shutdown; ${leftovers.describe()} left.`,
    expected: 'Expected none: they keep the process alive.',
    often:
      'what tidies up listens to a signal that had aborted before. Such a signal calls nobody any more.',
  })
})

check('5.8f', 'an EventSource comes back with the last id, and gives each quake', async (t) => {
  const server = await scriptedServer(t)
  const { got, states } = watch(t, server)
  for (const [n, quake] of quakes(3).entries()) {
    await waitForRequest(t, server, n + 1)
    mustHaveCursor(server, n + 1, n === 0 ? undefined : `n-${n - 1}`)
    server.send(`retry: 5\n\n${eventOf(quake, `n-${n}`)}`)
    await t.waitFor(() => got.length === n + 1, {
      seen: `The server sent ${describeQuake(quake)}, and onQuake() was not called.`,
      expected: 'Expected the quake.',
    })
    must(deepEqual(got[n], quake), {
      seen: `onQuake() was given ${excerptJson(got[n])}`,
      expected: `Expected ${excerptJson(quake)}`,
    })
    if (n < 2) server.cut()
  }
  const wanted = ['connecting', 'open', 'connecting', 'open', 'connecting', 'open']
  must(deepEqual(states, wanted), {
    seen: `The connection was lost twice, and onState() was told ${listed(states)}.`,
    expected: `Expected ${wanted.join(', ')}.`,
    ...(states.includes('closed') && {
      often:
        "'error' is taken for the end. While readyState is CONNECTING it comes back by itself.",
    }),
  })
})

edgeCase('5.8g', 'a gap is told, and neither it nor what is no JSON is a quake', async (t) => {
  const server = await scriptedServer(t)
  const { got, gaps } = watch(t, server)
  const [quake] = quakes(1)
  await waitForRequest(t, server, 1)
  server.send(`${GAP_EVENT}data: no JSON\n\n${eventOf(quake, 'n-0')}`)
  await t.waitFor(() => got.length > 0, {
    seen: 'A gap, an event that is not JSON and a quake came, and onQuake() was not called.',
    expected: 'Expected the quake.',
  })
  must(deepEqual(gaps, [0]) && deepEqual(got, [quake]), {
    seen: `A gap, an event that is not JSON and a quake came: onGap() was called ${counted(gaps.length, 'time')}, onQuake() with ${excerptJson(got[0])}`,
    expected: 'Expected onGap() once, then the quake.',
    often: 'an event with a name is heard only by who listens for that name.',
  })
})

check('5.8h', 'it is closed when the server says so, and when it is told to stop', async (t) => {
  const server = await scriptedServer(t)
  const { states, stop } = watch(t, server)
  await waitForRequest(t, server, 1)
  server.send('retry: 5\n\n')
  server.answer(204)
  server.end()
  await t.waitFor(() => states.at(-1) === 'closed', {
    seen: () => `The server answered 204, and onState() was told ${listed(states)}.`,
    expected: 'Expected closed at the end: it does not come back any more.',
  })
  stop()
  const other = await scriptedServer(t)
  const watcher = watch(t, other)
  await waitForRequest(t, other, 1)
  t.transcript.step('the function that watchQuakes() returned is called')
  watcher.stop()
  await t.waitFor(() => other.openResponses === 0, {
    seen: 'The returned function was called, and the client is still connected.',
    expected: 'Expected it to close the connection.',
  })
})

edgeCase('5.8i', 'a client that left leaves nothing at the signal of the shutdown', async (t) => {
  const history = fakeHistory(t.transcript)
  const shutdown = new AbortController()
  const server = await t.serve(createApp(history, { shutdown: shutdown.signal }))
  const listeners = (): number => getEventListeners(shutdown.signal, 'abort').length
  const { connectAndLeave } = trackLeftovers(t, history)
  await connectAndLeave(server, 'client 1')
  // One for all may stay.
  const first = listeners()
  await connectAndLeave(server, 'client 2')
  await connectAndLeave(server, 'client 3')
  await t.waitFor(() => listeners() <= first, {
    seen: 'Three clients came and went, and listeners for them are left at the signal of the shutdown.',
    expected: 'Expected none: that signal lives as long as the server, and keeps what they know.',
    often:
      'removeEventListener() is missing. { once: true } takes a listener away when it is called, and no sooner.',
  })
})

edgeCase('5.8j', 'what happened right before the end is sent', async (t) => {
  const history = fakeHistory(t.transcript)
  history.blockReads('as it was')
  const { client, events } = await serveAndSubscribe(t, history)
  await waitForRead(t, history)
  const [entry] = history.append(...quakes(1))
  history.end()
  history.unblockReads()
  await mustBeNext(events, entry, {
    often:
      'isOver is looked at when the history has been read. It may have become true meanwhile, behind one more entry.',
  })
  await mustEnd(client, 'the client')
})

edgeCase('5.8k', 'a history that is over and cannot be read turns nobody away', async (t) => {
  const history = fakeHistory(t.transcript)
  history.append(...quakes(1))
  history.end()
  const server = await t.serve(createApp(history))
  history.failNext('the disk is gone', 2)
  const client = t.connect(server)
  client.request(PATH)
  const goesOn: Story = {
    seen: 'The history is over and could not be read, and the connection is kept.',
    expected: 'Expected it to be cut: the client comes back, and asks again.',
  }
  const head = await client.head(goesOn).catch(() => undefined)
  must(head === undefined || head.status === 200, {
    seen: `The history is over and could not be read, and the client was answered ${head?.status}.`,
    expected:
      'Expected the connection to be cut, as ever: after any status but 200 an EventSource never comes back.',
    often:
      'the reading that decides about 204 may fail as well. Express answers 500 for what a handler throws.',
  })
  if (head) await client.ended(goesOn)
  else await t.waitFor(() => server.connections === 0, goesOn)
})

const MEGABYTE = 1024 * 1024

/** How many entries a history keeps that was not told how many. */
const DEFAULT_CAPACITY = 1000

/** Printable ASCII like any other, for code that takes an id for a number, a key or a part of a URL. */
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

/** Blocks that are no quake, and the last id when they have been read after an event with the id `before`. */
const IDS_IN_BLOCKS = [
  ['event: weather\nid: named\ndata: {"rain":true}\n\n', 'named'],
  ['event: gap\nid: no-gap\n\n', 'no-gap'],
  ['id: bad\ndata: no JSON\n\n', 'bad'],
  ['id: again\nretry: 9\n\n', 'again'],
  ['event: weather\ndata: x\n\n:\n\ndata: no JSON\n\nretry: 9\n\n', 'before'],
] as const

/** More quakes than anybody means to keep for one client. */
const VERY_MANY = 10_000

/** No client may remember more ids. */
const MOST_IDS = 10_000

const AS = fc.constantFrom('as it was' as const, 'as it is' as const)

const GAP_EVENT = 'event: gap\ndata: lost\n\n'

// What is said in more than one check

const BEHIND = {
  often:
    'the header is not read, or not as it is, or the first of what after() gives is left out: that is behind the cursor already.',
  oftenAtGap: 'a gap is told whenever somebody comes back. isGap says whether there is one.',
}

const READ_THEN_LISTEN = {
  often: 'the server listens, or makes its bell, after the reading. What happens between is lost.',
}

const TWICE = {
  often:
    'what was heard while the history was read is sent behind it, also what the history had already.',
}

const GAP_UNTOLD: Story = {
  seen: 'The server sent a gap, and onGap() was not called.',
  expected: 'Expected it to be called.',
}

const ID_CHANGED =
  'an id is taken for a number or a key of an object, or is encoded or decoded. It is text, and only the history compares it.'

const AS_IT_CAME = 'The client says what it has, as it came: the server looks for that text.'

const ID_LOST =
  'the id is not kept, or only until the connection is lost, or it is not sent as it is: nothing is to be encoded.'

/** Of no history: of another life, of the future, malformed. */
function strangeIds(): string[] {
  const made = fc.sample(
    fc.string({ unit: fc.constantFrom('a', '0', '9', '-', '.'), minLength: 1, maxLength: 9 }),
    { seed, numRuns: 3 },
  )
  return ['99999999', '0', '-1', '1e3', 'undefined', 'NaN', 'n/0 =%', ...made]
}

/** A server that can be shut down, with one client that has got a quake. */
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

/** The quakes of a scenario: `q1`, `q2` and so on, for it is to be read. */
function stock(): Quake[] {
  const all: Quake[] = quakes(MAX_QUAKES)
  return all.map((quake, n) => ({ ...quake, id: `q${n + 1}` }))
}

/** So many that making each by itself would take its time: they differ in their ids. */
function numberedQuakes(count: number): Quake[] {
  const [quake] = shortQuakes(1)
  return Array.from({ length: count }, (_, n) => ({ ...quake!, id: `m-${n}` }))
}

/** So short that they can be cut behind each byte. */
function shortQuakes(count: number): Quake[] {
  return quakes(count).map(({ id, magnitude }) => ({ id, magnitude, place: '' }) as Quake)
}

/**
 * Lets one quake happen while the history is read for somebody, and one when it has been read. Who is cut off in
 * between comes back in between.
 */
async function playHandover(
  history: FakeHistory,
  { attempts }: InterruptedRun,
  meanwhile: Quake,
  then: Quake,
): Promise<void> {
  const { waitFor } = waiting(SILENT)
  // When nobody reads the history, that is for the run to tell.
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
    seen: 'A client came, nothing was cut, and the last quake did not come.',
    expected: 'Expected every quake.',
  })
  return attempts[0]!
}

type Watched = { got: unknown[]; gaps: number[]; states: string[]; stop(): void }

/** Watches a server with an EventSource of the work as long as the script runs. */
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
