import * as fc from 'fast-check'
import type { Feed, Quake } from '#feed'
import { encodeEvent } from '#work/02-server-sent-events/encode.ts'
import { parseEventStream } from '#work/02-server-sent-events/parse.ts'
import { createApp } from '#work/02-server-sent-events/server.ts'
import { watchQuakes } from '#work/02-server-sent-events/watch.ts'
import { check, must, type Tools, edgeCase } from './harness/check.ts'
import { bodyOfChunks, controlledBody } from './harness/controlled-body.ts'
import type { ControlledFeed } from './harness/controlled-feed.ts'
import { deepEqual, tryParseJson } from './harness/equality.ts'
import { describeEvent } from './harness/event-client.ts'
import { parseEvents, type StreamEvent } from './harness/event-stream-parser.ts'
import { turns } from './harness/event-loop.ts'
import { describeError, Failure, type Story } from './harness/failure.ts'
import { gate } from './harness/gate.ts'
import { hasToken } from './harness/header-tokens.ts'
import { mustCostLinearly } from './harness/linear-cost.ts'
import {
  consumeRequest,
  disconnect,
  requestLogin,
  slowLogin,
  type SlowLogin,
} from './harness/login.ts'
import { GET_FOR_HEAD, isEventStream, mustEndHead, mustRefusePost } from './harness/methods.ts'
import { isNotWritten } from '../protocol/not-written.ts'
import {
  connectAndLeave,
  openStream,
  serveFeed,
  serveStream,
  stalledStream,
  type CreateApp,
  type OpenStream,
  type ServedFeed,
} from './harness/open-stream.ts'
import { outcomeOf } from './harness/outcome.ts'
import {
  awkwardQuakes,
  describeQuake,
  largeQuakes,
  ordinaryQuakes,
  quakes,
  seed,
} from './harness/quakes.ts'
import { scriptedServer, type ScriptedServer } from './harness/scripted-server.ts'
import type { TestServer } from './harness/serve.ts'
import {
  mustCloseWhenLeft,
  mustCloseWhenStalled,
  mustCutWithFeed,
  mustEndWithFeed,
  mustServeEach,
} from './harness/stream-rules.ts'
import { excerpt, excerptJson } from './harness/transcript.ts'
import { inOnePiece, mustReadEvents } from './harness/vector-runner.ts'
import {
  chunkingsForDecoder,
  splitsWithEmptyChunk,
  sseVectors,
  type SseVector,
} from './harness/vectors.ts'
import { visitedServer } from './harness/visits.ts'

const PATH = '/events'

/** Where a check waits for heartbeats: so short that nobody waits. */
const heartbeatMs = 2

/** So many lines that two of them are heartbeats, whatever a server says at the beginning. */
const SOME = 5

/** More than anybody counts to. */
const MANY: number = 1100

// 2.1 The encoder

check('2.1a', 'a line of data becomes one event', async (t) => {
  mustKeepData(
    t,
    ['hello', '0', 'null', 'a: b', ': a', 'data: a', '__proto__', '🌋 e\u0301'],
    textOf('a', 'b', ':', '{', 'é', '🌋'),
    {
      often: 'the blank line that ends an event is missing, or the field is not called data.',
    },
  )
})

check('2.1b', 'each line of data gets a field of its own', async (t) => {
  mustKeepData(t, ['first\n\nthird', 'a\nb', '\na', 'a\n', 'a\n\n', '\n'], textOf('a', 'b', '\n'), {
    often:
      'data goes out in one piece. Its second line is no field, and a blank one ends the event.',
  })
  // More than a call takes arguments.
  const lines = 200_000
  t.transcript.step(`encodeEvent({ data: … }) with ${lines} lines of data`)
  let encoded = ''
  try {
    encoded = encodeEvent({ data: '\n'.repeat(lines - 1) })
  } catch (error) {
    must(false, {
      seen: `encodeEvent() threw ${describeError(error)} for data of ${lines} lines.`,
      expected: 'Expected a field for each line, however many there are.',
      ...(error instanceof RangeError && {
        often: 'push(...lines) makes an argument of each line, and a call takes only so many.',
      }),
    })
  }
  const fields = encoded.match(/^data:/gm)?.length ?? 0
  must(fields === lines, {
    seen: `encodeEvent() gave ${fields} data fields for data of ${lines} lines.`,
    expected: 'Expected a field for each line, however many there are.',
  })
})

edgeCase('2.1c', 'a space at the beginning of a line of data survives', async (t) => {
  mustKeepData(t, [' world', '  two', ' ', 'a\n b'], textOf(' ', 'a'), { often: whyNoSpace })
})

edgeCase('2.1d', 'empty data is an event with empty data', async (t) => {
  mustKeepData(t, [''], fc.constant(''), {
    often: "if (data) is false for ''. Only undefined says that there is no data.",
  })
})

edgeCase('2.1e', 'CR and CRLF in data end a line, as LF does', async (t) => {
  mustKeepData(
    t,
    ['a\rid: 666\r\nb', 'a\rb', 'a\r\nb', 'a\r\rb', 'a\n\rb', 'a\r', 'a\r\n'],
    textOf('\r', '\n', 'a', 'id: 1', 'data: b', 'retry: 1'),
    {
      often: 'data is split at LF alone. A client ends a line at CR, too, whoever sent it.',
    },
  )
})

edgeCase('2.1f', 'what is left out leaves nothing on the wire', async (t) => {
  const next: StreamEvent = { type: 'message', data: 'next', lastEventId: '' }
  mustLeaveOut({ data: 'x' }, [{ type: 'message', data: 'x', lastEventId: '' }], next)
  mustLeaveOut({ retry: 2000 }, [], next)
  mustLeaveOut({ id: '7' }, [], { ...next, lastEventId: '7' })
  mustLeaveOut({ event: 'tick' }, [], next)

  function mustLeaveOut(fields: Fields, events: StreamEvent[], follows: StreamEvent): void {
    const encoded = encode(t, fields)
    must(deepEqual(parseEvents(encoded).events, events) && !encoded.includes('undefined'), {
      seen: `encodeEvent(${describeFields(fields)}) gave ${quote(encoded)}. For a client that is ${describeEvents(encoded)}.`,
      expected: `Expected ${events.length === 0 ? 'no event' : 'an event'}, and no field that was not asked for.`,
      often: 'a field is written although its value is undefined.',
    })
    must(fields.retry === undefined || parseEvents(encoded).parser.unfinished === '', {
      seen: `encodeEvent(${describeFields(fields)}) gave ${quote(encoded)}.`,
      expected: 'Expected a blank line at the end: it is there whatever the fields are.',
      often: 'the blank line is written only when there is data.',
    })
    // What comes behind it knows of its id, and of nothing else.
    const more = parseEvents(`${encoded}data: next\n\n`).events.slice(events.length)
    must(deepEqual(more, [follows]), {
      seen: `encodeEvent(${describeFields(fields)}) gave ${quote(encoded)}. With "data: next" behind it that is, for a client, ${describeEvents(`${encoded}data: next\n\n`)}.`,
      expected: `Expected, for what is behind it: ${describeAnEvent(follows)}.`,
      often: 'the blank line, or the field, is written only when there is data.',
    })
  }
})

check('2.1g', 'event and id reach the client with the data', async (t) => {
  for (const fields of [
    { data: 'x', event: 'tick', id: '7' },
    { data: 'x', event: '', id: '7' },
    { data: 'x', event: 'tick', id: ' 7' },
    { data: 'x', event: ' tick', id: '0' },
    { data: 'x', event: '0', id: 'a: b' },
    { data: 'x', event: '__proto__', id: 'constructor' },
    { data: 'x', event: 'error', id: '7 ' },
    { data: 'x', event: 'message ', id: 'null' },
    { data: 'x', event: '🌋', id: 'a\u2028b\u0085c' },
    ...fc.sample(
      fc.record({
        data: textOf('a', '🌋'),
        event: textOf('b', ' ', ':', '\u2028', '\u0085'),
        id: textOf('c', '-', ' ', ':', '\u2028', '\u0085'),
      }),
      { seed, numRuns: 50 },
    ),
  ]) {
    const encoded = encode(t, fields)
    const type = fields.event || 'message'
    const wanted = { type, data: fields.data, lastEventId: fields.id }
    must(deepEqual(parseEvents(encoded).events, [wanted]), {
      seen: `encodeEvent(${describeFields(fields)}) gave ${quote(encoded)}. For a client that is ${describeEvents(encoded)}.`,
      expected: `Expected one event: ${describeEvent(wanted)}.`,
      ...whyOther(fields, encoded),
    })
  }
  // To a client that remembers an id.
  const fields = { data: 'x', id: '' }
  const encoded = encode(t, fields)
  const { events } = parseEvents(`id: 7\n\n${encoded}`)
  must(deepEqual(events, [{ type: 'message', data: 'x', lastEventId: '' }]), {
    seen: `encodeEvent(${describeFields(fields)}) gave ${quote(encoded)}. For a client that had the id 7 that is ${describeEvents(`id: 7\n\n${encoded}`)}.`,
    expected: 'Expected an event without an id: an empty one takes back the one before.',
    often: "if (id) is false for ''. Only undefined says that there is no id.",
  })
})

/** What shows of the cause in what an event became. */
function whyOther(
  { event, id, data }: Required<Omit<Fields, 'retry'>>,
  encoded: string,
): Partial<Story> {
  if (/^ | $/m.test(`${id}\n${event}`)) return { often: whyNoSpace() }
  if (/[\u2028\u0085]/.test(id + event)) {
    return { often: 'U+2028 or U+0085 is taken for a line end. Only CR and LF are.' }
  }
  const isAllThere = [event, id, data].every((value) => encoded.includes(value))
  return isAllThere ? { often: 'a field has another name, or comes behind the blank line.' } : {}
}

/** Why a space at the beginning or the end of a value did not arrive. */
function whyNoSpace(): string {
  return /^(data|event|id):x/m.test(encodeEvent({ data: 'x', event: 'x', id: 'x' }))
    ? 'nothing stands between the colon and the value. A client takes one space away there.'
    : 'your code trims the value. Only the space that stands behind the colon belongs to the field.'
}

check('2.1h', 'a line end in event or id forges no field', async (t) => {
  const forgeries = fc
    .tuple(textOf('a', '\n', '\r', 'data: forged', 'id: 1'), fc.constantFrom('\n', '\r', '\r\n'))
    .map(([made, end]) => `tick${end}${made}`)
  for (const forgery of [
    'tick\ndata: forged',
    'tick\rdata: forged',
    'tick\r\n\r\ndata: forged',
    'tick\n\ndata: forged',
    'a\nb\ndata: forged',
    'a\rb\rdata: forged',
    '\ndata: forged',
    ...fc.sample(forgeries, { seed, numRuns: 50 }),
  ]) {
    mustBeHarmless({ data: 'x', event: forgery }, ({ lastEventId }) => lastEventId === '')
    mustBeHarmless({ data: 'x', id: forgery }, ({ type }) => type === 'message')
  }

  function mustBeHarmless(fields: Fields, holds: (event: StreamEvent) => boolean): void {
    const encoded = encodeOrThrow(t, fields)
    if (encoded === undefined) return
    const [event, next, ...more] = parseEvents(`${encoded}id: 8\ndata: next\n\n`).events
    const isWhole = event?.data === 'x' && holds(event) && more.length === 0
    must(isWhole && deepEqual(next, { type: 'message', data: 'next', lastEventId: '8' }), {
      seen: `encodeEvent(${describeFields(fields)}) gave ${quote(encoded)}. For a client that is ${describeEvents(encoded)}.`,
      expected: 'Expected an error, or an event whose data is "x" and nothing else.',
      often: 'the value goes out as it is, or only LF is looked for. CR ends a line, too.',
    })
  }
})

edgeCase('2.1i', 'an id with U+0000 in it does not reach the client', async (t) => {
  for (const id of [
    '7\0',
    '\0',
    '\0\0',
    '7\x008\x009',
    ...fc.sample(textOf('a', '\0'), { seed, numRuns: 20 }),
  ]) {
    const encoded = encodeOrThrow(t, { data: 'x', id })
    must(encoded === undefined || !encoded.includes('\0'), {
      seen: `encodeEvent(${describeFields({ data: 'x', id })}) gave ${quote(encoded ?? '')}.`,
      expected: 'Expected an error, or an id without it: clients ignore an id with U+0000.',
      often: id.replace('\0', '').includes('\0')
        ? "replace('\\0', '') takes out the first one alone. replaceAll() takes them all."
        : 'only line ends are looked for.',
    })
  }
})

edgeCase('2.1j', 'retry goes out as a whole number of milliseconds', async (t) => {
  for (const retry of [2000, 0, 1, 2 ** 31, ...fc.sample(fc.nat(), { seed, numRuns: 20 })]) {
    const encoded = encode(t, { retry })
    const its = parseEvents(encoded).parser.retry
    must(its === retry, {
      seen: `encodeEvent(${describeFields({ retry })}) gave ${quote(encoded)}. For a client that is ${describeRetry(encoded)}.`,
      expected: `Expected a field retry that says ${retry}.`,
      ...(retry === 0 && {
        often: 'if (retry) is false for 0. Only undefined says that there is no retry.',
      }),
      ...(its === retry / 1000 && retry > 0 && { often: 'it is counted in seconds.' }),
    })
  }
})

edgeCase('2.1k', 'a retry that is not digits alone is an error', async (t) => {
  for (const wrong of [
    1.5,
    NaN,
    Infinity,
    -Infinity,
    -1,
    -0.5,
    '5s',
    '',
    ' ',
    '0x10',
    '1e3',
    '2000\ndata: forged',
    '\u0663\u0660',
    true,
  ]) {
    const retry = wrong as number
    const encoded = encodeOrThrow(t, { retry })
    must(encoded === undefined, {
      seen: `encodeEvent({ retry: ${typeof wrong === 'string' ? `'${excerpt(wrong)}'` : wrong} }) gave ${quote(encoded ?? '')}.`,
      expected: 'Expected an error: it is no whole number of milliseconds, 0 or more.',
      ...(/^retry: [0-9]*$/m.test(encoded ?? '') &&
        typeof wrong !== 'number' &&
        !`${wrong}`.includes('\n') && {
          often: "Number() makes a number of anything: Number('') is 0, and Number(true) is 1.",
        }),
      ...(typeof wrong === 'number' && {
        often:
          wrong < 0
            ? 'the sign is not looked at: -1 is a whole number, too.'
            : 'the type is looked at and the value is not: 1.5 and NaN are numbers.',
      }),
    })
  }
  const retry = 1e21
  const encoded = encodeOrThrow(t, { retry })
  must(encoded === undefined || parseEvents(encoded).parser.retry === retry, {
    seen: `encodeEvent({ retry: 1e21 }) gave ${quote(encoded ?? '')}. For a client that is ${describeRetry(encoded ?? '')}.`,
    expected: 'Expected an error, or digits alone: a client ignores anything else.',
    often:
      'Number.isInteger(1e21) is true, and as a text it is 1e+21. Number.isSafeInteger(1e21) is false.',
  })
})

edgeCase('2.1l', 'only CR and LF are line ends in data, and all else stays', async (t) => {
  mustKeepData(
    t,
    ['a\u2028b', 'a\u2029b', 'a\u0085b', 'a\vb', 'a\fb', 'a\x1cb'],
    textOf('\u2028', '\u2029', '\u0085', '\v', '\f', 'a', '\n'),
    {
      often:
        'data is cut at U+2028, U+2029, U+0085, VT or FF, too. A regular expression with the flag m takes the first two for line ends.',
    },
  )
  mustKeepData(
    t,
    ['a\t', '\ta', '\ufeffa', 'a\ufeff', 'a\0b', '\u00a0a\u00a0', 'a '],
    textOf('\t', '\u00a0', '\uFEFF', '\0', 'a', '\n'),
    {
      often: 'data is trimmed, or something is taken out of it: a tab, U+00A0, U+FEFF or U+0000.',
    },
  )
})

// 2.2 The stream

check('2.2a', 'the head comes before the first quake and says: an event stream', async (t) => {
  const { server } = await serveFeed(t, PATH, createApp)
  const head = await t.connect(server).get(PATH, {
    seen: 'The feed is silent, and the client has not got the head of the response.',
    expected: 'Expected status and headers at once: an EventSource is not open before.',
    often: 'nothing is written until the first quake. A first write sends the head as well.',
  })
  const type = head.headers.get('content-type')
  must(head.status === 200, {
    seen: `GET ${PATH} was answered ${head.status}.`,
    expected: 'Expected 200. After anything else an EventSource gives up.',
    often: 'the route has another path, or its handler throws before it answers.',
  })
  must(isEventStream(head), {
    seen: type ? `The Content-Type is ${type}.` : 'The response has no Content-Type.',
    expected: 'Expected text/event-stream. After anything else an EventSource gives up.',
  })
})

edgeCase('2.2b', 'the first bytes of the body come before the first quake', async (t) => {
  const { events } = await serveStream(t, PATH, createApp)
  await events.firstBytes({
    seen: 'The client has the head, the feed is silent, and not one byte of the body came.',
    expected: 'Expected some: there are proxies that hold a head back until a body follows.',
    often: 'flushHeaders() sends the head alone. Write the field retry at once.',
  })
})

check('2.2c', 'the stream begins with retry, in digits', async (t) => {
  const { events, server } = await serveStream(t, PATH, createApp)
  await events.retry({
    seen: 'The client has the head, and no field retry that it understands.',
    expected: 'Expected one, such as retry: 2000. It says when to come back, in milliseconds.',
    often: 'there is none, or something else than digits behind the colon.',
  })
  const again = t.connect(server, 'client that comes back')
  await again.get(PATH, noHead, { lastEventId: 'us7000' })
  await again.events.retry({
    seen: 'A second client came, with a Last-Event-ID, and got no field retry that it understands.',
    expected:
      'Expected one for every client: it says when to come back if the connection is lost again.',
  })
})

const noHead: Story = { seen: 'The client got no head.', expected: 'Expected one at once.' }

check('2.2d', 'the head says that the stream is not to be stored', async (t) => {
  const { head } = await serveStream(t, PATH, createApp)
  const control = head.headers.get('cache-control')
  must(hasToken(control, 'no-store', 'no-cache'), {
    seen: control ? `The Cache-Control is ${control}.` : 'The response has no Cache-Control.',
    expected: 'Expected no-store, or no-cache: a cache on the way would replay old quakes.',
  })
})

check('2.2e', 'each quake is an event, and arrives before the next one happens', async (t) => {
  const { feed, events } = await serveStream(t, PATH, createApp)
  for (const quake of ordinaryQuakes(3)) {
    feed.release(quake)
    const event = await events.next({
      seen: `The feed released ${describeQuake(quake)} and no event reached the client.`,
      expected: 'Expected the client to read it while the feed was waiting.',
      often: 'the blank line is missing, or comes with the next quake.',
    })
    // Whatever is wrong about its fields is a question for the next checks.
    must(
      event.data.includes(quake.id) || event.lastEventId === quake.id || isLikeQuake(event),
      notQuake(event),
    )
  }
})

/** Whether somebody meant a quake by it. */
function isLikeQuake({ data }: StreamEvent): boolean {
  return /magnitude|place|depthKm/.test(data)
}

function notQuake(event: StreamEvent): Story {
  return {
    seen: `An event arrived that is not a quake: ${describeEvent(event)}.`,
    expected: 'Expected an event for each quake, and no other event: no greeting and no farewell.',
  }
}

check('2.2f', 'the data is the quake as JSON, and the event has no name', async (t) => {
  const { feed, events } = await serveStream(t, PATH, createApp)
  const sent = new Set<string>()
  for (const quake of awkwardQuakes()) {
    feed.release(quake)
    const hasZero = Object.values(quake).some((value) => !value)
    const event = await events.next({
      ...noEvent(quake),
      ...(hasZero && {
        often: "a value is taken for one that is missing: if (value) is false for 0 and for ''.",
      }),
      ...(sent.has(quake.id) && {
        often:
          'a quake is left out because its id has been sent before. Networks correct their reports: the newest data counts.',
      }),
    })
    sent.add(quake.id)
    must(deepEqual(tryParseJson(event.data), quake), {
      seen: `The data of ${describeQuake(quake)} is ${excerpt(event.data)}`,
      expected: `Expected ${excerptJson(quake)}`,
      often: 'the data is not what JSON.stringify(quake) gives, or is encoded twice.',
    })
    must(event.type === 'message', {
      seen: `The event of ${describeQuake(quake)} is called "${excerpt(event.type)}".`,
      expected: "Expected no name: only listeners for that name would see it, not 'message'.",
      often: 'the field event is set.',
    })
  }
})

check('2.2g', 'the id of the event is the id of the quake', async (t) => {
  const { feed, events } = await serveStream(t, PATH, createApp)
  for (const quake of [...quakes(3), ...awkwardQuakes()]) {
    feed.release(quake)
    const { lastEventId } = await events.next(noEvent(quake))
    must(lastEventId === quake.id, {
      seen: `The event of quake ${quake.id} has the id "${excerpt(lastEventId)}".`,
      expected: `Expected "${quake.id}": when the client comes back, its id says what it has.`,
      often: 'the id is left out, or counted. A counter means another quake in each process.',
    })
  }
})

edgeCase('2.2h', 'two clients at once each get every quake', async (t) => {
  await mustServeEach(await serveFeed(t, PATH, createApp), 'event', async ({ events }, story) => {
    const { data } = await events.next(story)
    return data
  })
})

edgeCase('2.2i', 'when one client leaves, the others and the next one are served', async (t) => {
  const { feed, server, open } = await serveFeed(t, PATH, createApp)
  const stays = await open('client A')
  const leaves = await open('client B')
  await disconnect(t, server, leaves.client, 1, 'Client B')
  // As a client that comes back. Its id is larger than all of them, and belongs to no quake.
  const next = t.connect(server, 'client C')
  const { status } = await next.get(
    PATH,
    {
      seen: 'Client B left, and client C got no head.',
      expected: 'Expected one at once.',
    },
    { lastEventId: 'zz' },
  )
  must(status === 200, {
    seen: `Client B left, and client C was answered ${status}.`,
    expected: 'Expected 200: the feed goes on.',
    often: 'the loop ends for a client that leaves, too. That is not the end of the feed.',
  })
  const [quake] = quakes(1)
  feed.release(quake)
  await stays.events.next({
    seen: `Client B left, ${describeQuake(quake)} happened, and client A got no event.`,
    expected: 'Expected client A to go on as before.',
    often: 'one AbortController serves all clients. Each visit needs its own.',
  })
  await next.events.next({
    seen: `Client C came with Last-Event-ID: zz, ${describeQuake(quake)} happened, and client C got no event.`,
    expected: 'Expected every quake that its reader of the feed gives, whatever the client has.',
  })
})

edgeCase('2.2j', 'retry comes before any event', async (t) => {
  const { feed, open } = await serveFeed(t, PATH, createApp)
  // For whoever comes there is an event at once.
  const [quake] = quakes(1)
  feed.release(quake)
  const { events } = await open()
  await events.next(noEvent(quake))
  must(events.beganWithRetry, {
    seen: 'A quake had happened when the client came, and its stream began with the event.',
    expected: 'Expected the field retry before it: the connection may be lost at any moment.',
    often: 'retry is written later than the head: behind an await, or by a timer.',
  })
})

// 2.3 The heartbeat

check('2.3a', 'something comes while the feed is silent, again and again', async (t) => {
  const delays = t.recordTimerDelays()
  const { feed, open } = await serveFeed(t, PATH, createApp)
  const unset = await open('client without heartbeatMs')
  const [first, last] = quakes(2)
  feed.release(first)
  await unset.events.next(noEvent(first))
  const before = unset.events.comments
  delays.stop()

  const moreDelays = t.recordTimerDelays()
  const other = await serveFeed(t, PATH, (its) => createApp(its, {}))
  const undefinedOne = await other.open('client with heartbeatMs undefined')
  other.feed.release(first)
  await undefinedOne.events.next(noEvent(first))
  const beatsBefore = undefinedOne.events.comments
  moreDelays.stop()

  const { events } = await serveStream(t, PATH, withHeartbeats)
  await events.heartbeats(2 * SOME, {
    seen: `The feed is silent, heartbeatMs is ${heartbeatMs}, and the client gets no heartbeats.`,
    expected: 'Expected a comment every few milliseconds, for as long as the client is there.',
    often:
      'heartbeatMs is not used, setTimeout() stands where setInterval() belongs, or the heartbeat is a blank line.',
  })

  // The other client was there all the time: what is due each millisecond has come to it as often, and more.
  feed.release(last)
  await unset.events.next(noEvent(last))
  other.feed.release(last)
  await undefinedOne.events.next(noEvent(last))
  const beats = Math.max(unset.events.comments - before, undefinedOne.events.comments - beatsBefore)
  must(beats < SOME, {
    seen: `heartbeatMs is left out, and comments come as fast as where it is ${heartbeatMs}.`,
    expected: 'Expected a sensible default, such as 15 seconds.',
    often: 'heartbeatMs is undefined, and setInterval(…, undefined) beats every millisecond.',
  })
  for (const [how, { ms: all }] of [
    ['createApp(feed)', delays],
    ['createApp(feed, {})', moreDelays],
  ] as const) {
    must(
      all.some((ms) => ms <= 60_000),
      {
        seen: `${how} was called, without heartbeatMs, and no timer is set for a minute or less${all.length > 0 ? `: the shortest takes ${Math.min(...all)} ms` : ''}.`,
        expected:
          'Expected a default of at most a minute, such as 15 seconds: nginx cuts after 60.',
      },
    )
  }
})

check('2.3b', 'a heartbeat is no event and changes no id', async (t) => {
  const { feed, events } = await serveStream(t, PATH, withHeartbeats)
  await isSilent(SOME, '')
  for (const quake of quakes(2)) {
    feed.release(quake)
    const event = await events.next(noEvent(quake))
    must(event.lastEventId === quake.id && deepEqual(tryParseJson(event.data), quake), {
      seen: `The event of quake ${quake.id} is here, while heartbeats are sent: ${describeEvent(event)}.`,
      expected: `Expected it whole, with the id "${quake.id}", as without heartbeats.`,
      often:
        'an event is written in parts, with a pause between them, and a heartbeat comes there.',
    })
    await isSilent(2, quake.id)
  }

  async function isSilent(lines: number, id: string): Promise<void> {
    const { fields } = events
    await events.heartbeats(lines, noHeartbeat)
    const event = events.unexpected
    if (event) t.transcript.step(`client read an event  ${describeEvent(event)}`)
    must(event === undefined, {
      seen: `The feed is silent, and the heartbeat arrived as an event: ${event && describeEvent(event)}.`,
      expected: 'Expected what a client shows to nobody: a line that begins with a colon.',
      often: 'the heartbeat has a field data. Even an empty one makes an event.',
    })
    must(events.lastEventId === id, {
      seen: `The id was "${id}", and the heartbeat has made it "${excerpt(events.lastEventId)}".`,
      expected: 'Expected it to stay: a client that comes back asks for what follows that id.',
      often: 'the heartbeat has a field id. A comment has no fields.',
    })
    // At the beginning there is the field retry.
    must(id === '' || events.fields === fields, {
      seen: 'The feed is silent, and the heartbeat came as a field.',
      expected: 'Expected a comment: a line that begins with a colon.',
      often: 'the colon is missing, or stands behind a name. A client may know that field.',
    })
  }
})

edgeCase('2.3c', 'no heartbeat gets into an event', async (t) => {
  const slow = await stalledStream(t, await serveFeed(t, PATH, withHeartbeats))
  const quiet = await (await serveFeed(t, PATH, withHeartbeats)).open('other client')
  // A fence: while this client gets heartbeats, those of the slow one are due as well.
  await quiet.events.heartbeats(SOME, noHeartbeat)
  slow.client.resume()
  for (const _ of slow.happened.slice(0, slow.reader.delivered + 1)) {
    const event = await slow.events.next(noMoreEvents)
    const quake = tryParseJson(event.data) as Quake | undefined
    must(quake !== undefined && quake.id === event.lastEventId, {
      seen: `The slow client reads again, and ${quake ? 'an event has the id of the one before' : `the data of an event ends in ${quote(event.data.slice(-3))}`}: a heartbeat has come into it.`,
      expected: 'Expected every event in one piece, with its own id.',
      often:
        'an event is written in parts, with an await between them, and a heartbeat comes there.',
    })
  }
  t.transcript.step('slow client read events that are whole')
})

check('2.3d', 'the heartbeat stops with its client', async (t) => {
  const timers = trackHeartbeats(t)
  const served = await serveFeed(t, PATH, withHeartbeats)
  for (const name of ['client 1', 'client 2', 'client 3', 'client 4']) {
    await timers.comesAndGoes(served, name)
  }
  await timers.areCleared({
    seen: 'Four clients came and went, and timers go on for them.',
    expected: 'Expected them to be cleared: they write to nobody, for as long as the server runs.',
    often: 'clearInterval() is missing, or stands where only the end of the feed leads.',
  })
  const clients: OpenStream[] = []
  for (const name of ['client 5', 'client 6', 'client 7']) clients.push(await served.open(name))
  for (const { events, client } of clients) {
    await events.heartbeats(SOME, {
      seen: `Clients 5, 6 and 7 are there at the same time, and ${client.name} gets no heartbeats.`,
      expected: 'Expected heartbeats for each of them.',
      often: 'the timer is made once, and writes to the response of one client.',
    })
  }
  const [first, stays, last] = clients as [OpenStream, OpenStream, OpenStream]
  for (const { client } of [last, first]) {
    const name = client.name.replace('c', 'C')
    await disconnect(t, served.server, client, served.server.connections - 1, name)
    await turns(20)
    const [quake] = quakes(1)
    served.feed.release(quake)
    await stays.events.next(noEvent(quake))
    // What is behind the event was sent when the other had long left.
    await stays.events.heartbeats(SOME, {
      seen: `${name} left, and client 6 gets no more heartbeats.`,
      expected: 'Expected them to go on for each client that is still there.',
      often: 'one timer serves all clients, and stops when one of them leaves.',
    })
  }
})

// 2.4 Clients come and go

check('2.4a', 'the feed is closed when the client leaves between two quakes', async (t) => {
  const stream = await (await serveFeed(t, PATH, createApp)).open()
  await mustCloseWhenLeft(
    t,
    stream,
    "nobody listens to 'close' of the response, or the signal does not reach the feed.",
  )
})

edgeCase('2.4b', 'a client that left before it was served leaves no feed open', async (t) => {
  const login = slowLogin()
  const { feed, server, open } = await serveFeed(t, PATH, createApp, login.handler)
  const leave = await requestAndLeave(t, server, login)
  await leave()
  // A fence: when this client is served, the handler of the first one has long begun.
  await open('second client')
  await t.waitFor(() => feed.openReaders === 1, {
    seen: 'The client left while a login before your handler took its time, and the handler opened the feed for nobody.',
    expected: 'Expected the feed to stay closed, or to be closed again.',
    often: "'close' of the response came before anybody listened to it. res.destroyed tells.",
  })
  t.transcript.step('no feed is open for the first client')
})

edgeCase('2.4c', 'a client that left before it was served leaves no heartbeat', async (t) => {
  const timers = t.trackTimers()
  const login = gate()
  login.shut()
  const { server } = await serveFeed(t, PATH, withHeartbeats, login.handler)
  // One timer for all clients may stay: of three clients each would leave one.
  for (const [n, name] of ['first client', 'second client', 'third client'].entries()) {
    const client = t.connect(server, name)
    client.request(PATH)
    await t.waitFor(() => login.waiting > n, {
      seen: 'No request came in.',
      expected: 'Expected one.',
    })
    client.disconnect()
  }
  await t.waitFor(() => server.connections === 0, {
    seen: 'The clients left and the server kept a connection.',
    expected: 'Expected the server to close its side as well.',
  })
  t.transcript.step('the login lets the requests pass')
  login.open()
  // A fence: when this client is answered, the handler of the others has long begun.
  const fence = t.connect(server, 'fourth client')
  await fence.get(PATH, { seen: 'The fourth client got no head.', expected: 'Expected one.' })
  fence.disconnect()
  await t.waitFor(() => timers.alive() <= 1, {
    seen: 'Three clients left while a login before your handler took its time, and timers go on for them.',
    expected: 'Expected none: nobody will ever clear them.',
    often: "the timer is cleared at 'close' of the response, and that has been.",
  })
  t.transcript.step('no timer goes on')
})

check('2.4d', 'the feed is not asked for more while the client does not read', async (t) => {
  const { reader, happened } = await stalledStream(t, await serveFeed(t, PATH, createApp))
  must(reader.delivered < happened.length, {
    seen: `The client stopped reading, and the handler took all ${happened.length} quakes from the feed, 16 MB.`,
    expected:
      'Expected it to stop when the socket is full: what the client does not take fills your memory.',
    often: 'nobody looks at what res.write() returns. false means: wait for drain.',
  })
})

check('2.4e', 'a client that reads again gets every event once, in order', async (t) => {
  const served = await serveFeed(t, PATH, createApp)
  const slow = await stalledStream(t, served)
  slow.client.resume()
  const held: number[] = []
  const { happened } = slow
  for (const [n, quake] of happened.entries()) {
    const { lastEventId } = await slow.events.next(noMoreEvents)
    must(lastEventId === quake.id, {
      seen: `Event ${n + 1} is the quake "${lastEventId}".`,
      expected: `Expected "${quake.id}": each quake once, in order.`,
      ...(lastEventId === happened[n - 1]?.id && {
        often:
          'a quake is written again after drain. write() has kept it although it returned false.',
      }),
    })
    held.push(served.server.listeners + slow.reader.signalListeners)
  }
  t.transcript.step('slow client read every event once, in order')
  // Each of these quakes fills the response. What is added for a wait shows in every one.
  const before = Math.max(...held.slice(0, 24))
  const after = Math.min(...held.slice(-24))
  must(after < before + 5, {
    seen: `The response was full ${happened.length} times, and at the end more listeners were there for this client than early on.`,
    expected: 'Expected the listeners of a wait to be removed after it.',
    often: 'each wait adds a listener and removes none. once() of node:events removes its own.',
  })
})

edgeCase('2.4f', 'the feed is closed when a client leaves that did not read', async (t) => {
  await mustCloseWhenStalled(t, await stalledStream(t, await serveFeed(t, PATH, createApp)))
})

edgeCase('2.4g', 'a client that left and did not read leaves no heartbeat', async (t) => {
  const timers = trackHeartbeats(t)
  const served = await serveFeed(t, PATH, withHeartbeats)
  await timers.comesAndGoes(served, 'first client')
  const slow = await stalledStream(t, served)
  slow.client.disconnect()
  await timers.areCleared({
    seen: 'The client left while the handler was waiting for it to read, and a timer goes on for it.',
    often:
      'clearInterval() stands behind the loop. A wait for drain that is aborted throws, and an error does not come by there.',
  })
})

edgeCase('2.4h', 'HEAD gets the head, ends, and opens no feed', async (t) => {
  const { feed, server } = await serveFeed(t, PATH, createApp)
  const client = t.connect(server)
  const story = {
    seen: 'HEAD got no head.',
    expected: 'Expected what GET gets.',
    often: GET_FOR_HEAD,
  }
  const head = await client.get(PATH, story, { method: 'HEAD' })
  must(head.status === 200, {
    seen: `HEAD was answered ${head.status}.`,
    expected: 'Expected 200, as for GET.',
  })
  const type = head.headers.get('content-type')
  must(isEventStream(head), {
    seen: type
      ? `The Content-Type of HEAD is ${type}.`
      : 'The response to HEAD has no Content-Type.',
    expected: 'Expected text/event-stream, as for GET.',
    often: 'HEAD is answered before the head is set. sendStatus() sends a text of its own.',
  })
  await mustEndHead(t, server, client, PATH)
  must(feed.openReaders === 0, {
    seen: 'HEAD was answered, and the feed is still open for it.',
    expected: 'Expected no feed: there is no body to put quakes in.',
    often: 'the feed is opened before the method is looked at.',
  })
  const { status } = await t.connect(server, 'next client').get(PATH, {
    seen: 'HEAD was answered, and the next client got no head for GET.',
    expected: 'Expected 200: the feed goes on.',
  })
  must(status === 200, {
    seen: `HEAD was answered, and then GET was answered ${status}.`,
    expected: 'Expected 200: the feed goes on, whatever HEAD was told.',
  })
})

edgeCase('2.4i', 'POST is refused', async (t) => {
  const { server } = await serveFeed(t, PATH, createApp)
  await mustRefusePost(t.connect(server), PATH)
})

check('2.4j', 'a feed that fails cuts the connection', async (t) => {
  for (const count of [1, 0]) {
    const { client, feed } = await streamAfterQuakes(t, await serveFeed(t, PATH, createApp), count)
    feed.fail(FEED_ERROR)
    await mustCutWithFeed(
      client,
      `The feed failed${count === 0 ? ' before its first quake' : ''}`,
      'Expected the connection to be cut: then the client comes back by itself.',
    )
    mustHaveNoEvent(client.unread())
  }
})

edgeCase('2.4k', 'after a feed has failed, the stream can be opened again', async (t) => {
  const broken = t.controlledFeed()
  const mended = t.controlledFeed()
  const feeds = [broken, mended]
  const server = await t.serve(createApp({ open: (signal) => feeds.shift()!.open(signal) }))
  const { client } = await streamAfterQuakes(t, servedFrom(t, broken, server), 1)
  broken.fail(FEED_ERROR)
  await client.ended({
    seen: 'The feed failed and the response goes on.',
    expected: 'Expected the connection to be cut.',
  })
  const next = t.connect(server, 'next client')
  const { status } = await next.get(PATH, {
    seen: 'The feed failed, and the next client gets no head.',
    expected: 'Expected 200: the feed works again.',
  })
  must(status === 200, {
    seen: `The feed failed, and the next client was answered ${status}.`,
    expected: 'Expected 200: the feed works again, and after 204 the client would not come back.',
    often: 'a feed that failed is taken for one that is over.',
  })
  const [quake] = quakes(1)
  mended.release(quake)
  await next.events.next({
    seen: `The feed failed and works again, ${describeQuake(quake)} happened, and no event reached the next client.`,
    expected: 'Expected the feed to be opened for each client.',
  })
})

edgeCase('2.4l', 'when the feed is over, the response ends', async (t) => {
  const { client, feed } = await streamAfterQuakes(t, await serveFeed(t, PATH, createApp), 1)
  feed.end()
  await mustEndWithFeed(client, 'nothing more will come.')
  mustHaveNoEvent(client.unread())

  // After many quakes, and with one of them still on its way.
  const served = await serveFeed(t, PATH, createApp)
  const { client: patient } = await served.open('patient client')
  const many = quakes(MANY)
  served.feed.release(...many)
  // In steps: a handler may let others go first between two quakes.
  for (let n = 99; n < many.length; n += 100) {
    await patient.skipUntil(many[n]!.id, {
      seen: `${many.length} quakes happened, and number ${n + 1} did not reach the client.`,
      expected:
        'Expected every quake, however many there are: the stream goes on until the feed ends.',
    })
  }
  await turns(20)
  served.server.blockNetwork()
  const [last] = largeQuakes(1, 1024)
  served.feed.release(last!)
  served.feed.end()
  // Time for a handler that closes the response to do so. One may wait with the end until the line is gone.
  await turns(20)
  served.server.unblockNetwork()
  const story = {
    seen: 'The feed ended while the last event was waiting for the network, and the event was lost.',
    expected: 'Expected the client to get the event, and then the end.',
    often: 'the response is destroyed where res.end() belongs. That throws away what waits.',
  }
  await patient.skipUntil(last!.id, story)
  const how = await patient.ended(story)
  must(how === 'complete', story)
})

/** When the feed is over or has failed. */
function mustHaveNoEvent(unread: string): void {
  for (const event of parseEvents(unread).events) must(false, notQuake(event))
}

check('2.4m', 'when the feed is over, whoever asks again is told to stop', async (t) => {
  for (const [count, over] of [
    [1, 'over'],
    [0, 'over without a quake'],
  ] as const) {
    const served = await serveFeed(t, PATH, createApp)
    const { client, feed } = await streamAfterQuakes(t, served, count)
    feed.end()
    await client.ended({
      seen: 'The feed ended and the response did not.',
      expected: 'Expected the response to end.',
    })
    for (const name of ['the same, again', 'somebody else']) {
      const { status } = await t.connect(served.server, name).get(PATH, {
        seen: `The feed is ${over}, and who asks again gets no head.`,
        expected: 'Expected the status 204.',
      })
      const isSecond = name === 'somebody else'
      must(status === 204, {
        seen: `The feed is ${over}, and who asks again${isSecond ? ', as the second one,' : ''} is answered ${status}.`,
        ...(status === 200
          ? {
              expected:
                'Expected 204: an EventSource takes the end for a loss and comes back, for ever.',
              often: isSecond
                ? 'the handler forgets the end when it has told it to one. Each client has to be told.'
                : 'the handler does not remember that the feed has come to its end.',
            }
          : {
              expected:
                'Expected 204, which is how a server tells an EventSource to stop. Others say that something is wrong.',
            }),
      })
    }
    const { status } = await t.connect(served.server, 'client that comes back').get(
      PATH,
      {
        seen: `The feed is ${over}, and who asks again with a Last-Event-ID gets no head.`,
        expected: 'Expected the status 204.',
      },
      { lastEventId: 'us7000' },
    )
    must(status === 204, {
      seen: `The feed is ${over}. Who asks again is answered 204, and ${status} with a Last-Event-ID.`,
      expected: 'Expected 204: an EventSource that comes back sends that header.',
    })
  }
})

edgeCase('2.4n', 'a feed that fails or ends leaves no heartbeat', async (t) => {
  const timers = trackHeartbeats(t)
  const calm = t.controlledFeed()
  const broken = t.controlledFeed()
  const ending = t.controlledFeed()
  let feed: Feed = calm
  const app = createApp({ open: (signal) => feed.open(signal) }, { heartbeatMs })
  const server = await t.serve(app)
  await timers.comesAndGoes(servedFrom(t, calm, server), 'first client')

  feed = broken
  const failed = await streamAfterQuakes(t, servedFrom(t, broken, server), 1)
  broken.fail(FEED_ERROR)
  await failed.client.ended({
    seen: 'The feed failed and the response goes on.',
    expected: 'Expected the connection to be cut.',
  })
  await timers.areCleared({
    seen: 'The feed failed, the connection is cut, and a timer goes on for it.',
    often: 'clearInterval() stands behind the loop, and an error does not come by there.',
  })

  feed = ending
  const ended = await streamAfterQuakes(t, servedFrom(t, ending, server), 1)
  ending.end()
  await ended.client.ended({
    seen: 'The feed ended and the response did not.',
    expected: 'Expected the response to end.',
  })
  await timers.areCleared({
    seen: 'The feed ended, the response, too, and a timer goes on for it.',
    often: 'clearInterval() stands where only clients that leave, or errors, come by.',
  })
  await answered('GET')
  // Behind the end: what else HEAD does is a question of its own.
  await answered('HEAD')

  async function answered(method: string): Promise<void> {
    const client = t.connect(server, 'client that gets no stream')
    const story = { seen: `${method} got no head.`, expected: 'Expected one.' }
    const { status } = await client.get(PATH, story, { method })
    await timers.areCleared({
      seen: `${method} was answered ${status} without a stream, and a timer goes on for it.`,
      often: 'the timer is made before it is known whether there will be a stream.',
    })
  }
})

edgeCase('2.4o', 'reading the request does not count as a disconnect', async (t) => {
  const { feed, server } = await serveFeed(t, PATH, createApp, consumeRequest)
  const client = t.connect(server)
  client.request(PATH)
  t.transcript.step('something before the handler has read the request')
  await client.head({ seen: 'The client got no head.', expected: 'Expected one at once.' })
  const [quake] = quakes(1)
  feed.release(quake)
  await client.events.next({
    seen: `Something before your handler had read the request. The feed released ${describeQuake(quake)}, and no event reached the client.`,
    expected: 'Expected an event: the client is still there.',
    often:
      "your handler takes 'close' of the request for the client leaving. It comes as soon as the request has been read.",
  })
  client.disconnect()
  await t.waitFor(() => feed.openReaders === 0, {
    seen: 'Something before your handler had read the request, and the feed was not closed when the client left.',
    expected: 'Expected it to be closed, whoever has read the request.',
    often:
      "your handler listens to the request. The response emits 'close' when the client leaves.",
  })
})

edgeCase('2.4p', 'after many clients have gone, the next one is served in full', async (t) => {
  const timers = t.trackTimers()
  const visited = await visitedServer(t, withHeartbeats, {
    path: PATH,
    isOverAtEnd: true,
  })
  const { server } = visited
  const calm = t.controlledFeed()
  visited.use(calm)
  const stays = await openStream(t, calm, server, PATH, 'client that stays')
  await visited.visit()
  // One timer for all clients may stay, and one of the client that is there.
  await t.waitFor(() => timers.alive() <= 2, {
    seen: () => `Many clients have come and gone, and ${timers.alive()} timers go on for them.`,
    expected: 'Expected the timers of a client to be cleared when it has gone.',
  })
  timers.stop()

  const feed = t.controlledFeed()
  visited.use(feed)
  const next = await openStream(t, feed, server, PATH, 'next client')
  const story = {
    expected: 'Expected it to be served like the first one.',
    often: 'a variable outside the handler remembers what happened to one client.',
  }
  const [first, ...more] = quakes(4)
  for (const quake of [first, ...more]) {
    feed.release(quake)
    const seen = `Many clients have come and gone. Then ${describeQuake(quake)} happened, and the next client`
    const event = await next.events.next({ ...story, seen: `${seen} got no event.` })
    must(deepEqual(tryParseJson(event.data), quake) && event.lastEventId === quake.id, {
      ...story,
      seen: `${seen} read ${describeEvent(event)}.`,
    })
  }
  calm.release(first)
  await stays.events.next({
    seen: 'Many clients have come and gone, a quake happened, and the client that was there all the time got no event.',
    expected: 'Expected it to go on as before.',
  })
  for (const { events, client } of [next, stays]) {
    await events.heartbeats(SOME, {
      seen: `Many clients have come and gone, and the ${client.name} gets no heartbeats.`,
      expected: 'Expected heartbeats for each client that is there.',
      often: 'one timer serves all clients, and stops when one of them leaves.',
    })
  }
  feed.end()
  const how = await next.client.ended({
    ...story,
    seen: 'Many clients have come and gone. The feed of the next one ended, and the response did not.',
  })
  must(how === 'complete', {
    ...story,
    seen: 'Many clients have come and gone. The feed of the next one ended, and its connection was cut.',
  })
  for (let n = 1; n <= 12; n += 1) {
    const late = t.connect(server, `client ${n}`)
    const { status } = await late.get(PATH, {
      seen: `The feed is over, and client ${n} that asked from then on got no head.`,
      expected: 'Expected the status 204.',
    })
    must(status === 204, {
      seen: `The feed is over, and client ${n} that asked from then on was answered ${status}.`,
      expected: 'Expected 204, however many ask.',
    })
    late.close()
  }
})

// 2.5 The parser

check('2.5a', 'an event comes out as soon as its blank line is here', async (t) => {
  const source = controlledBody(t.transcript)
  const events = parseEventStream(source.stream)[Symbol.asyncIterator]()
  for (const quake of quakes(3)) {
    const data = quake.id
    source.push(`data: ${data}\n`)
    source.push('\n')
    const { value } = await t.withTimeout(events.next(), {
      seen: `The event of ${describeQuake(quake)} came in with its blank line, and nothing came out.`,
      expected: 'Expected the event before any more bytes.',
      often: 'the body is read to its end first, or the parser waits for the next event.',
    })
    t.transcript.step(`parser gave ${excerptJson(value, 48)}`)
    must(value?.data === data, {
      seen: `The parser gave ${excerptJson(value)}`,
      expected: `Expected an event with the data ${excerpt(data)}`,
    })
  }
})

check('2.5b', 'the lines of data are joined by line feeds', async (t) => {
  const [noSpace, others] = partition('data-no-space', casesOf('data'))
  await mustParse(
    t,
    noSpace,
    'a space is taken for granted: "data: " is looked for, or so many characters are cut off.',
    inOnePiece,
  )
  await mustParse(
    t,
    others,
    'only the last line counts, or the value is split at every colon, or trimmed.',
    inOnePiece,
  )
})

check('2.5c', 'an event has its own name, or is called message', (t) =>
  mustParse(
    t,
    casesOf('name'),
    'the name stays for the events that follow, or an empty one does not count as a name.',
    inOnePiece,
  ),
)

check('2.5d', 'without a field data there is no event, and empty data is one', (t) =>
  mustParse(
    t,
    casesOf('none'),
    "if (data) is asked: '' is data, too. Whether there was a field data is the question.",
    inOnePiece,
  ),
)

check('2.5e', 'comments and fields that nobody knows are left out', (t) =>
  mustParse(
    t,
    casesOf('unknown'),
    ({ error }) =>
      error instanceof TypeError
        ? 'names are looked up in an object, and every object has a constructor and a __proto__.'
        : 'startsWith() or a comparison without case takes a field for another one.',
    inOnePiece,
  ),
)

check('2.5f', 'an id stays until the next one', (t) =>
  mustParse(
    t,
    casesOf('id'),
    'the id is forgotten with its event, or an empty one, or one with U+0000, is taken wrong.',
    inOnePiece,
  ),
)

check('2.5g', 'LF, CRLF and CR end a line', async (t) => {
  const [noEnds, ends] = partition(
    'vt-ff-nel-ls-ps-not-eol',
    sseVectors().filter(({ tags }) => tags.includes('eol')),
  )
  const [lf, crlf, cr] = lineEnds()
  await mustParse(
    t,
    [lf!, crlf!],
    'lines are split at LF alone, or the text at "\\n\\n". A CR before a LF belongs to the line end, so a blank line can be ␍␊␍␊.',
    inOnePiece,
  )
  await mustParse(
    t,
    [cr!, ...ends],
    'lines are split at LF and CRLF. A CR alone is a line end, too, and a second one makes a blank line.',
    inOnePiece,
  )
  await mustParse(
    t,
    noEnds,
    'lines are split at other characters, too, such as U+2028, at which readline splits.',
    inOnePiece,
  )
})

edgeCase('2.5h', 'a CR ends its line at once', async (t) => {
  const source = controlledBody(t.transcript)
  const events = parseEventStream(source.stream)[Symbol.asyncIterator]()
  for (const data of ['first', 'second']) {
    source.push(`data: ${data}\r\r`)
    const { value } = await t.withTimeout(events.next(), {
      seen: `"data: ${data}␍␍" came in, and nothing came out.`,
      expected: 'Expected the event before any more bytes.',
      often:
        'the parser waits for the LF that may follow a CR. Give the line, and drop that LF when it comes.',
    })
    t.transcript.step(`parser gave ${excerptJson(value, 48)}`)
    must(value?.data === data, {
      seen: `"data: ${data}␍␍" gave ${excerptJson(value)}`,
      expected: `Expected an event with the data "${data}".`,
    })
  }
})

check('2.5i', 'events may come in any number of chunks', (t) =>
  mustParse(
    t,
    casesOf('data', 'name', 'none', 'unknown', 'id', 'chunks'),
    'each chunk is taken for one event, or for whole lines. Bytes are cut anywhere on their way.',
  ),
)

edgeCase('2.5j', 'a CRLF that two chunks share ends one line', async (t) => {
  await mustParse(
    t,
    [...lineEnds(), ...casesOf('line ends')],
    'the LF in the next chunk is taken for a line end of its own, which makes a blank line.',
  )
  await mustParse(
    t,
    lineEnds(),
    'an empty chunk makes the parser forget that the text before it ended with CR.',
    splitsWithEmptyChunk,
  )
})

check('2.5k', 'the stream is UTF-8, and chunks may share a character', async (t) => {
  await mustParse(t, casesOf('utf-8'), ({ error }) =>
    isDecodingError(error)
      ? 'the TextDecoder is fatal: it throws where it would put U+FFFD for bytes that are no UTF-8.'
      : 'each chunk is decoded by itself. { stream: true } keeps the bytes of half a character.',
  )
})

edgeCase('2.5l', 'a byte order mark at the very beginning is left out', (t) =>
  mustParse(
    t,
    casesOf('bom'),
    'it is left in, or taken away in other places as well. TextDecoder drops the first one.',
    chunkingsForDecoder,
  ),
)

edgeCase('2.5m', 'what the end of the stream cuts off is dropped', (t) =>
  mustParse(
    t,
    casesOf('eof'),
    'the rest is given out at the end. Without its blank line an event is not complete.',
  ),
)

edgeCase('2.5n', 'an event may be long', async (t) => {
  await mustParse(
    t,
    casesOf('long'),
    'something in the parser has a limit: of a line, of a buffer, of how deep calls go.',
    inLargePieces,
  )
  // In small chunks. What has come is not looked at again: then this takes a moment, and else half a minute.
  const pieces = Array.from({ length: 6000 }, () => Buffer.from('abcdefgh'.repeat(96)))
  const chunks = [Buffer.from('data: '), ...pieces, Buffer.from('\n\n')]
  t.transcript.step('body has an event of 4.6 MB in 6002 chunks')
  const lengths: number[] = []
  const read = async (body: ReadableStream<Uint8Array>): Promise<void> => {
    for await (const { data } of parseEventStream(body)) lengths.push(data.length)
  }
  await mustCostLinearly(t, chunks, read, {
    seen: 'An event of 4.6 MB came in chunks of 768 bytes, and 1.5 seconds of computing were not enough to read it.',
    expected:
      'Expected the work for a chunk to depend on that chunk, not on all that came before it.',
    often:
      'what has come of the event is joined to each chunk, and searched again from its beginning.',
  })
  must(deepEqual(lengths, [6000 * 768]), {
    seen: `An event of ${6000 * 768} characters came, and the parser gave ${lengths.length === 1 ? `one of ${lengths[0]}` : `${lengths.length} events`}.`,
    expected: 'Expected that event, whole.',
  })
  // Of many lines.
  const lines = Buffer.from('data\n'.repeat(50))
  const ofLines = [...Array.from({ length: 1000 }, () => lines), Buffer.from('\n')]
  t.transcript.step('body has an event of 50,000 lines')
  await mustCostLinearly(t, ofLines, read, {
    seen: 'An event of 50,000 lines came, and 1.5 seconds of computing were not enough to read it.',
    expected: 'Expected the work for a line to depend on that line, not on the lines before it.',
    often: 'the lines of the event are copied for each line that comes: [...data, value].',
  })
  must(lengths.at(-1) === 49_999, {
    seen: `An event of 50,000 empty lines came, and the parser gave ${lengths.length === 2 ? `${lengths[1]} characters` : 'none'}.`,
    expected: 'Expected 49,999 line feeds.',
  })
})

edgeCase('2.5o', 'leaving the loop cancels the request', async (t) => {
  const source = controlledBody(t.transcript)
  source.push('data: 1\n\ndata: 2\n\n')
  const leaves = async (): Promise<void> => {
    for await (const _ of parseEventStream(source.stream)) {
      t.transcript.step('the loop is left after the first event')
      break
    }
  }
  await t.withTimeout(leaves(), {
    seen: 'Two events came, and the loop got none.',
    expected: 'Expected the first one at once.',
  })
  await t.waitFor(() => source.cancelled, {
    seen: 'The loop was left, and the request goes on.',
    expected: 'Expected the body to be cancelled: a server streams to nobody otherwise.',
    often:
      'releaseLock() lets go of the body without cancelling it. reader.cancel() ends the request.',
  })
  t.transcript.step('the body was cancelled')
})

edgeCase('2.5p', 'a lost connection is an error, not an end', async (t) => {
  const source = controlledBody(t.transcript)
  source.push('data: 1\n\n')
  const events = parseEventStream(source.stream)[Symbol.asyncIterator]()
  await t.withTimeout(events.next(), { seen: 'The event did not come.', expected: 'Expected it.' })
  source.fail(new TypeError('terminated'))
  const outcome = await t.withTimeout(outcomeOf(events.next()), {
    seen: 'The connection was lost and the parser waits.',
    expected: 'Expected it to throw.',
  })
  t.transcript.step(outcome === 'threw' ? 'parser threw' : 'parser came to its end')
  must(outcome === 'threw', {
    seen: 'The connection was lost, and the parser says that all is read.',
    expected: 'Expected the error to reach whoever reads.',
    often: 'a catch around the loop, or around reader.read(), swallows it.',
  })
})

edgeCase('2.5q', 'the parser does not run ahead of whoever reads', async (t) => {
  const event = Buffer.from(`data: ${'~'.repeat(4088)}\n\n`)
  const body = bodyOfChunks(Array.from({ length: 1000 }, () => event))
  t.transcript.step('body has 1000 chunks of one event each, 4 kB long')
  const events = parseEventStream(body.stream)[Symbol.asyncIterator]()
  for (let n = 0; n < 10; n += 1) {
    await t.withTimeout(events.next(), {
      seen: 'An event came in and nothing came out.',
      expected: 'Expected it.',
    })
  }
  t.transcript.step('10 events were read')
  // Time for a parser that runs ahead to show it: a turn of the event loop for every chunk.
  await turns(1000)
  t.transcript.step(`parser took ${body.pulled} chunks`)
  must(body.pulled <= 50, {
    seen: `10 events were read, and ${body.pulled} chunks taken from the body.`,
    expected: 'Expected the parser to wait with the next chunk until somebody asks for more.',
    often: 'a loop in the background fills a queue, as fast as the server can send.',
  })
})

// 2.6 The client

check('2.6a', 'each quake is handed on as it happens', async (t) => {
  // By hand, with LF: behind a lone CR the package waits for one more byte.
  const timers = t.freezeTimers()
  const server = await scriptedServer(t)
  const { got } = await watch(t, server)
  const some = [...ordinaryQuakes(1), ...awkwardQuakes()]
  for (const [n, quake] of some.entries()) {
    server.send(`id: ${quake.id}\ndata: ${JSON.stringify(quake)}\n\n`)
    await t.waitFor(() => got.length > n, {
      seen: () =>
        `The server sent ${describeQuake(quake)}, and onQuake() was not called${timers.frozen > 0 ? ' while your timers stood still' : ''}.`,
      expected: 'Expected the quake before the next one happens.',
      ...(n === 0 &&
        timers.frozen === 0 && {
          often: "nobody listens to 'message', which is what an event without a name is called.",
        }),
    })
    must(deepEqual(got[n], quake), {
      seen: `onQuake() was given ${excerptJson(got[n])}`,
      expected: `Expected ${excerptJson(quake)}`,
      often: 'the event, or its text, is handed on. JSON.parse() makes a quake of event.data.',
    })
  }
  const many = quakes(MANY)
  const text = many.map((quake) => `id: ${quake.id}\ndata: ${JSON.stringify(quake)}\n\n`).join('')
  server.send(text, `${many.length} quakes`)
  await t.waitFor(() => got.length === some.length + many.length, {
    seen: () =>
      `The server sent ${many.length} quakes at once, and onQuake() was called for ${got.length - some.length} of them.`,
    expected: 'Expected every quake, however many there are.',
  })
})

edgeCase('2.6b', 'data that is not JSON is left out, and the connection stays', async (t) => {
  const server = await scriptedServer(t)
  const [quake, next] = quakes(2)
  const { got } = await watch(t, server)
  server.send('retry: 10\n\ndata: {"id": \n\n')
  server.send(`data: ${JSON.stringify(quake)}\n\n`)
  await t.waitFor(() => got.length > 0, {
    seen: 'An event came whose data is not JSON, then a quake, and onQuake() was not called.',
    expected: 'Expected the quake.',
    often: 'an error thrown in the listener ends the connection, and the quake is lost with it.',
  })
  must(got.length === 1 && deepEqual(got[0], quake), {
    seen: `An event came whose data is not JSON, and onQuake() was given ${excerptJson(got[0])}`,
    expected: 'Expected nothing for that event, and the quake that followed.',
    often: 'onQuake() is called behind the try, whether or not JSON.parse() threw.',
  })
  must(server.requests.length === 1, {
    seen: 'An event came whose data is not JSON, and the client connected anew.',
    expected: 'Expected it to stay connected.',
    often: 'an error thrown in the listener, or close(), ends the connection.',
  })
  const texts = ['', '[DONE]', 'undefined', '{]', "{'id': 1}", 'NaN']
  for (let n = 0; n < 36; n += 1) server.send(`data: ${texts[n % texts.length]}\n\n`)
  // Time to give up.
  await turns(20)
  server.send(`data: ${JSON.stringify(next)}\n\n`)
  await t.waitFor(() => got.length > 1, {
    seen: 'Dozens of events came whose data is not JSON, then a quake, and onQuake() was not called.',
    expected: 'Expected the quake, however many events were left out before it.',
  })
  const [, second, ...others] = got
  must(deepEqual(second, next) && others.length === 0, {
    seen: `Dozens of events came whose data is not JSON, and onQuake() was given ${excerptJson(second)}`,
    expected: 'Expected nothing for those events, and the quake that followed.',
  })
})

check('2.6c', 'a lost connection is not the end', async (t) => {
  const server = await scriptedServer(t)
  const [first, last, ...more] = quakes(14)
  const watcher = await watch(t, server)
  server.send(`retry: 1\n\nid: ${first.id}\ndata: ${JSON.stringify(first)}\n\n`)
  await t.waitFor(() => watcher.got.length === 1, noQuake(first))
  let { id } = first
  for (const [n, quake] of more.entries()) {
    // In every way: cut, ended as a response ends, and cut within an event.
    if (n % 3 === 2) server.send('id: lost\ndata: {"id":')
    if (n % 3 === 1) server.end()
    else server.cut()
    await t.waitFor(() => server.requests.length === n + 2, {
      seen: `The connection was lost${n === 0 ? '' : ` for the ${n + 1}th time`.replace('2th', '2nd').replace('3th', '3rd')}, retry is 1 ms, and the client did not come back.`,
      expected: 'Expected it to connect again, however often the connection is lost.',
      often:
        n === 0
          ? "close() is called at 'error'. An EventSource is about to try again then."
          : 'the losses are counted, or it comes back once only. An EventSource comes back each time by itself.',
    })
    t.transcript.step('the client is back')
    const had = server.requests.at(-1)!.get('last-event-id')
    must(had === id, {
      seen: `The last event had the id "${id}", and the client came back ${had === undefined ? 'without Last-Event-ID' : `with Last-Event-ID: ${excerpt(had)}`}.`,
      expected: `Expected Last-Event-ID: ${id}, as an EventSource sends it.`,
      often: "a new EventSource is made at 'error'. It does not know what the first one had.",
    })
    server.send(`id: ${quake.id}\ndata: ${JSON.stringify(quake)}\n\n`)
    await t.waitFor(() => watcher.got.length === n + 2, noQuake(quake))
    id = quake.id
    must(watcher.overs === 0, {
      seen: 'The connection was lost, the client came back, and onOver() was called.',
      expected: 'Expected onOver() only when nothing more will come.',
      often: "'error' means both. Only readyState CLOSED is the end.",
    })
  }

  // Dozens in a row, with no answer between them.
  server.stopAnswering()
  const before = server.requests.length
  for (let lost = 0; lost < 33; lost += 1) {
    server.cut()
    await t.waitFor(() => server.requests.length === before + lost + 1, {
      seen: `The connection was lost, ${lost} attempts to come back were cut without an answer, and the client did not try again.`,
      expected: 'Expected it to connect again, however often the connection is lost.',
      often: 'the losses are counted. An EventSource comes back each time by itself.',
    })
  }
  server.resumeAnswering()
  server.send(`id: ${last.id}\ndata: ${JSON.stringify(last)}\n\n`)
  await t.waitFor(() => watcher.got.length === more.length + 2, noQuake(last))
  must(watcher.overs === 0, {
    seen: 'The connection was lost again and again, the client came back, and onOver() was called.',
    expected: 'Expected onOver() only when nothing more will come.',
  })
})

check('2.6d', 'when it is told to stop, the client disconnects', async (t) => {
  const [quake, next] = quakes(2)
  for (const when of ['open', 'lost', 'asked', 'in onQuake()'] as const) {
    const isLost = when === 'lost'
    const server = await scriptedServer(t)
    if (when === 'asked') server.stopAnswering()
    const watcher: Watcher = await watch(t, server, () => {
      if (when === 'in onQuake()') watcher.stop()
    })
    if (when !== 'asked') {
      server.send(`retry: 10\n\ndata: ${JSON.stringify(quake)}\n\n`)
      await t.waitFor(() => watcher.got.length === 1, noQuake(quake))
    }
    if (isLost) {
      server.stopAnswering()
      server.cut()
      await t.waitFor(() => server.requests.length === 2, {
        seen: 'The connection was lost, and the client did not come back.',
        expected: 'Expected it to connect again.',
      })
      t.transcript.step('the client has asked again, and waits for an answer')
    }
    t.transcript.step('the function that watchQuakes() returned is called')
    if (when !== 'in onQuake()') watcher.stop()
    await t.waitFor(() => server.openResponses === 0, {
      seen: `The returned function was called${PLACES[when]}, and the client is still connected.`,
      expected: 'Expected it to close the connection.',
      ...(isLost && {
        often: 'close() is called only when readyState is OPEN. It ends the attempts, too.',
      }),
      ...(when === 'asked' && {
        often: "close() is called only after 'open'. It ends the first attempt, too.",
      }),
      ...(when === 'open' && {
        often: 'the listeners are taken away and the EventSource stays. close() ends it.',
      }),
    })
    t.transcript.step('the client has closed the connection')
    must(watcher.overs === 0, {
      seen: 'The returned function was called, and onOver() was called.',
      expected: 'Expected onOver() only when the server has nothing more: here you have left.',
      often: 'the end is told in the function that is returned, too.',
    })
  }

  const server = await scriptedServer(t)
  const stops = await watch(t, server)
  const stays = await watch(t, server)
  // Time for the second one to ask.
  await turns(200)
  t.transcript.step('two watchers watch the same stream, and the first one is told to stop')
  stops.stop()
  await turns(20)
  server.send(`retry: 10\n\ndata: ${JSON.stringify(next)}\n\n`)
  await t.waitFor(() => stays.got.length === 1, {
    seen: 'Two watchers watched the same stream. The function that the first call returned was called, and the second watcher got no more quakes.',
    expected: 'Expected each call of watchQuakes() to be stopped by its own function only.',
    often: 'a variable outside watchQuakes() holds the EventSource of several calls.',
  })
  stays.stop()
})

const PLACES = {
  open: '',
  lost: ' while the client was about to come back',
  asked: ' before the server had answered',
  'in onQuake()': ' in onQuake()',
}

edgeCase('2.6e', 'when the client has given up, onOver() is called once', async (t) => {
  const [quake] = quakes(1)
  const answers: [status: number, type?: string][] = [[204], [500], [200, 'text/html']]
  for (const [status, type] of answers) {
    const gets = type ? `${status}, ${type}` : `${status}`
    const server = await scriptedServer(t)
    const watcher = await watch(t, server)
    server.send(`retry: 10\n\ndata: ${JSON.stringify(quake)}\n\n`)
    await t.waitFor(() => watcher.got.length === 1, noQuake(quake))
    server.answer(status, type ? { 'Content-Type': type } : {})
    server.end()
    await t.waitFor(() => watcher.overs > 0, {
      seen: `The response ended, who asks again gets ${gets}, and onOver() was not called.`,
      ...(status === 204
        ? {
            expected: 'Expected it: 204 is how a server says that nothing more will come.',
            often: "nobody listens to 'error', or looks at readyState there.",
          }
        : {
            expected: 'Expected it: the EventSource has given up, and nothing more will come.',
            often: 'the status is looked for, and is 204. readyState CLOSED says it for all.',
          }),
    })
    t.transcript.step('onOver() was called')
    // A fence: a second watcher comes and gets its quake. By then a second call would have been.
    await getsQuake(t)
    must(watcher.overs === 1 && server.requests.length === 2, {
      // How often by now is up to the machine.
      seen: `The stream is over, onOver() was called ${watcher.overs === 1 ? 'once' : 'more than once'}, and the client made ${server.requests.length > 2 ? 'more than two' : server.requests.length} requests.`,
      expected: `Expected onOver() once, and two requests: the second one gets ${gets}.`,
      often: "onOver() is called at every 'error', or a new EventSource is made there.",
    })
    watcher.stop()
    must(watcher.overs === 1, {
      seen: 'The stream was over, onOver() was called, and it was called again by the returned function.',
      expected: 'Expected onOver() once.',
    })
  }
})

edgeCase('2.6f', 'a watcher that has stopped leaves nothing running', async (t) => {
  const timers = t.trackTimers()
  const [quake] = quakes(1)
  for (let n = 0; n < 12; n += 1) {
    const server = await scriptedServer(t)
    const watcher = await watch(t, server)
    server.send(`retry: 1\n\ndata: ${JSON.stringify(quake)}\n\n`)
    await t.waitFor(() => watcher.got.length === 1, noQuake(quake))
    const isOver = n % 3 === 2
    if (n % 3 > 0) await loses(server, watcher, isOver)
    // Whoever has been told that it is over need not stop it.
    if (!isOver) watcher.stop()
  }
  await t.waitFor(() => timers.alive() === 0, {
    seen: () =>
      `Twelve watchers came and went: stopped, stopped while the connection was lost, and over. ${timers.alive()} timers of theirs go on.`,
    expected: 'Expected none: whatever a watcher starts ends with it.',
    often: 'clearInterval() is missing where you stop watching, or where the stream is over.',
  })
  t.transcript.step('no timer goes on')

  /** Lost, and lost with a server that has nothing more. */
  async function loses(server: ScriptedServer, watcher: Watcher, isOver: boolean): Promise<void> {
    if (isOver) server.answer(204)
    else server.stopAnswering()
    server.cut()
    await t.waitFor(() => server.requests.length === 2, {
      seen: 'The connection was lost, and the client did not come back.',
      expected: 'Expected it to connect again.',
    })
    if (!isOver) return
    await t.waitFor(() => watcher.overs > 0, {
      seen: 'The server answered 204, and onOver() was not called.',
      expected: 'Expected it: 204 is how a server says that nothing more will come.',
    })
  }
})

// Events

type Fields = Parameters<typeof encodeEvent>[0]

/** Texts made of these units, at least one. */
function textOf(...units: string[]): fc.Arbitrary<string> {
  return fc.string({ unit: fc.constantFrom(...units), minLength: 1, maxLength: 8 })
}

/**
 * Encodes the examples and then what is generated, and has it read again: one event, whose data is the same with LF
 * for every line end. The first example that is wrong is reported, else the smallest text that is.
 */
function mustKeepData(
  t: Tools,
  examples: string[],
  texts: fc.Arbitrary<string>,
  { often }: { often: string | (() => string) },
): void {
  const comesBack = (data: string): boolean => {
    // What the event leaves behind shows in the next one.
    const { events } = parseEvents(`${encodeEvent({ data })}data: next\n\n`)
    return deepEqual(
      events.map((event) => event.data),
      [withLineFeeds(data), 'next'],
    )
  }
  encode(t, { data: examples[0] })
  const { counterexample } = fc.check(fc.property(texts, comesBack), {
    seed,
    numRuns: 200,
    examples: examples.map((example): [string] => [example]),
  })
  const data = examples.find((example) => !comesBack(example)) ?? counterexample?.[0]
  if (data === undefined) return
  const encoded = data === examples[0] ? encodeEvent({ data }) : encode(t, { data })
  must(false, {
    seen: `encodeEvent(${describeFields({ data })}) gave ${quote(encoded)}. For a client that is ${describeEvents(encoded)}.`,
    expected: `Expected one event with the data ${quote(withLineFeeds(data))}.`,
    often: losesLastLine(data, encoded)
      ? 'the line end at the end of data is dropped. It means that one more line follows, which is empty.'
      : typeof often === 'string'
        ? often
        : often(),
  })
}

/** Whether all that is missing are empty lines at the end. */
function losesLastLine(data: string, encoded: string): boolean {
  const [event, ...more] = parseEvents(encoded).events
  const wanted = withLineFeeds(data)
  return (
    more.length === 0 &&
    wanted.endsWith('\n') &&
    event !== undefined &&
    event.data !== wanted &&
    event.data.replace(/\n+$/, '') === wanted.replace(/\n+$/, '')
  )
}

/** How a client gets it: with LF for every line end. */
function withLineFeeds(data: string): string {
  return data.replace(/\r\n?/g, '\n')
}

function encode(t: Tools, fields: Fields): string {
  // Two steps, so that both are seen where a column is narrow.
  t.transcript.step(`encodeEvent(${describeFields(fields)})`)
  const encoded = encodeEvent(fields)
  t.transcript.step(`  gave ${quote(encoded)}`)
  return encoded
}

/** What encodeEvent() gives, or undefined when it refuses. */
function encodeOrThrow(t: Tools, fields: Fields): string | undefined {
  try {
    return encode(t, fields)
  } catch (error) {
    if (isNotWritten(error)) throw error
    t.transcript.step('  threw')
    return undefined
  }
}

function describeFields(fields: Fields): string {
  const parts = Object.entries(fields).map(
    ([name, value]) => `${name}: ${typeof value === 'string' ? quote(value) : value}`,
  )
  return `{ ${parts.join(', ')} }`
}

function quote(value: string): string {
  return typeof value === 'string' ? `"${excerpt(value)}"` : String(value)
}

/** What a client makes of it: `an event: data x, and an event: data y`. */
function describeEvents(encoded: string): string {
  const { events, parser } = parseEvents(encoded)
  const parts = events.map(describeAnEvent)
  return parser.unfinished === ''
    ? parts.join(' and ') || 'no event'
    : `${parts.join(' and ') || 'no event'}, and then something without a blank line`
}

function describeAnEvent(event: StreamEvent): string {
  return `an event (${describeEvent(event)})`
}

function describeRetry(encoded: string): string {
  const { retry } = parseEvents(encoded).parser
  return retry === undefined ? 'no retry' : `a retry of ${retry} ms`
}

// Streams

const withHeartbeats: CreateApp = (feed) => createApp(feed, { heartbeatMs })

const FEED_ERROR = 'no word from the network'

/** A server whose app opens more than one feed: this one now. */
function servedFrom(t: Tools, feed: ControlledFeed, server: TestServer): ServedFeed {
  return { feed, server, open: (name) => openStream(t, feed, server, PATH, name) }
}

/** Somebody who has got so many quakes. */
async function streamAfterQuakes(
  t: Tools,
  { feed, open }: ServedFeed,
  count: number,
): Promise<OpenStream & { feed: ControlledFeed }> {
  const stream = await open()
  const story = { seen: 'Not one byte of the body came.', expected: 'Expected retry.' }
  await stream.events.firstBytes(story)
  for (const quake of quakes(count)) {
    feed.release(quake)
    await stream.events.next(noEvent(quake))
  }
  return { ...stream, feed }
}

/** The timers of the work. What the first client leaves may stay: one for all. */
function trackHeartbeats(t: Tools): {
  comesAndGoes(served: Pick<ServedFeed, 'server' | 'open'>, name: string): Promise<void>
  /** Waits until no others are left. */
  areCleared(story: Partial<Story> & { seen: string }): Promise<void>
} {
  const timers = t.trackTimers()
  let mayStay: number | undefined
  return {
    async comesAndGoes(served, name) {
      await connectAndLeave(t, served, name)
      mayStay ??= timers.alive()
    },
    async areCleared(story) {
      await t.waitFor(() => timers.alive() <= (mayStay ?? 0), {
        expected: 'Expected none: nobody will ever clear it.',
        ...story,
      })
      t.transcript.step('no timer goes on')
    },
  }
}

/** Somebody who is gone while a login has the request: the function that is returned lets it pass on. */
async function requestAndLeave(
  t: Tools,
  server: TestServer,
  login: SlowLogin,
): Promise<() => Promise<void>> {
  const early = await requestLogin(t, server, login, PATH, 'first client')
  return async () => {
    await disconnect(t, server, early)
    t.transcript.step('the login lets the request pass')
    login.finish()
  }
}

const noMoreEvents: Story = {
  seen: 'The slow client reads again, and does not get all its events.',
  expected: 'Expected the stream to go on where it stopped.',
  often: 'write() returning false is taken for the end. It only says: not now.',
}

function noEvent(quake: Quake): Story {
  return {
    seen: `The feed released ${describeQuake(quake)} and no event reached the client.`,
    expected: 'Expected an event for each quake.',
  }
}

const noHeartbeat: Story = {
  seen: 'The feed is silent, and the client gets no heartbeats.',
  expected: 'Expected comments.',
}

// Vectors

function mustParse(t: Tools, ...cases: Cases): Promise<void> {
  return mustReadEvents(t, parseEventStream, ...cases)
}

type Cases = Parameters<typeof mustReadEvents> extends [unknown, unknown, ...infer Rest] ? Rest : []

type Theme = (typeof THEMES)[number][0]

/** The tags that make a case one of a theme; of two themes it belongs to the first. */
const THEMES = [
  ['long', ['long']],
  ['bom', ['bom']],
  ['eof', ['eof']],
  ['utf-8', ['utf8']],
  ['line ends', ['eol']],
  ['chunks', ['chunk', 'prompt']],
  ['unknown', ['comment', 'unknown', 'retry']],
  ['id', ['id', 'nul']],
  ['none', ['empty-data', 'no-colon', 'basic']],
  ['name', ['event']],
  ['data', ['data', 'app']],
] as const

function casesOf(...themes: Theme[]): SseVector[] {
  return sseVectors().filter(({ tags, chunks, events }) => {
    const isAscii = chunks.every((chunk) => chunk.every((byte) => byte < 0x80))
    const isNamed = events.some(({ type }) => type !== 'message')
    const has = (mark: string): boolean =>
      tags.includes(mark) || (mark === 'utf8' && !isAscii) || (mark === 'event' && isNamed)
    const theme = THEMES.find(([, marks]) => marks.some(has))
    return theme !== undefined && themes.includes(theme[0])
  })
}

/** The case of that name, which has a cause of its own, and the others. */
function partition(name: string, vectors: SseVector[]): [SseVector[], SseVector[]] {
  return [
    vectors.filter((vector) => vector.name === name),
    vectors.filter((vector) => vector.name !== name),
  ]
}

/** What a decoder throws that is `fatal`. */
function isDecodingError(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | undefined)?.code === 'ERR_ENCODING_INVALID_ENCODED_DATA'
}

/** The same two events with each of the line ends. */
function lineEnds(): SseVector[] {
  const [first, second] = quakes(2)
  return ['\n', '\r\n', '\r'].map((end) => {
    const lines = [`id: ${first.id}`, 'data: a', 'data: b', '', `id: ${second.id}`, 'data: c', '']
    return {
      name: 'line ends',
      level: 'spec',
      tags: ['eol'],
      why: 'CRLF, LF and CR are the line ends of an event stream.',
      chunks: [Buffer.from(lines.map((line) => line + end).join(''))],
      events: [
        { type: 'message', data: 'a\nb', lastEventId: first.id },
        { type: 'message', data: 'c', lastEventId: second.id },
      ],
    }
  })
}

function inLargePieces(chunks: Uint8Array[]): Uint8Array[][] {
  const whole = Buffer.concat(chunks)
  const size = Math.ceil(whole.length / 16)
  const pieces = []
  for (let at = 0; at < whole.length; at += size) pieces.push(whole.subarray(at, at + size))
  return [[whole], pieces]
}

// Watchers

type Watcher = {
  /** What onQuake() was called with. */
  readonly got: readonly unknown[]
  /** How often onOver() was called. */
  readonly overs: number
  stop(): void
}

/** Watches a server as long as the script runs, and waits until it is asked for the stream. */
async function watch(t: Tools, server: ScriptedServer, onQuake = (): void => {}): Promise<Watcher> {
  const got: unknown[] = []
  let overs = 0
  t.transcript.step('watchQuakes() is called')
  const close = watchQuakes(server.url, {
    onQuake(quake) {
      t.transcript.step('onQuake() was called')
      got.push(quake)
      onQuake()
    },
    onOver: () => {
      overs += 1
    },
  })
  t.atEnd(stop)
  await t.waitFor(() => server.requests.length > 0, {
    seen: 'watchQuakes(url) was called, and nobody asked for the url.',
    expected: 'Expected a GET.',
  })
  t.transcript.step('the client has asked for the stream')

  function stop(): void {
    try {
      close()
    } catch (error) {
      throw new Failure({
        seen: `The function that watchQuakes() returned was called, and threw ${describeError(error)}`,
        expected: 'Expected it to close the connection.',
        often:
          'close is handed out without its EventSource: source.close, and not () => source.close().',
      })
    }
  }

  return {
    got,
    get overs() {
      return overs
    },
    stop,
  }
}

/** A watcher and a server of their own: the quake arrives. */
async function getsQuake(t: Tools): Promise<void> {
  const server = await scriptedServer(t)
  const [quake] = quakes(1)
  const { got, stop } = await watch(t, server)
  server.send(`data: ${JSON.stringify(quake)}\n\n`)
  await t.waitFor(() => got.length === 1, noQuake(quake))
  stop()
}

function noQuake(quake: Quake): Story {
  return {
    seen: `The server sent ${describeQuake(quake)}, and onQuake() was not called.`,
    expected: 'Expected the quake.',
  }
}
