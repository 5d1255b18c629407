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
  blockedStream,
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
import { sampleSize } from './harness/sampling.ts'
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
import { byteByByte, inOnePiece, mustReadEvents } from './harness/vector-runner.ts'
import {
  chunkingsForDecoder,
  splitsWithEmptyChunk,
  sseVectors,
  type SseVector,
} from './harness/vectors.ts'
import { visitedServer } from './harness/visits.ts'

const PATH = '/events'

/** The interval for checks that wait for heartbeats. */
const heartbeatMs = 2

/** Enough lines for at least two heartbeats, whatever a server sends first. */
const SOME = 5

/** More quakes than any built-in limit allows. */
const MANY: number = 1100

// 2.1 The encoder

check('2.1a', 'one line of data makes one event', async (t) => {
  mustKeepData(
    t,
    ['hello', '0', 'null', 'a: b', ': a', 'data: a', '__proto__', '🌋 e\u0301'],
    textOf('a', 'b', ':', '{', 'é', '🌋'),
    {
      often: 'the blank line that ends an event is missing, or the field is not named "data".',
    },
  )
})

check('2.1b', 'each line of data is written as its own "data" field', async (t) => {
  mustKeepData(t, ['first\n\nthird', 'a\nb', '\na', 'a\n', 'a\n\n', '\n'], textOf('a', 'b', '\n'), {
    often:
      'your code writes data as a single field, or skips its blank lines. Each line needs its own "data" field, because a blank line by itself ends the event.',
  })
  // More lines than a function call may have arguments.
  const lines = sampleSize(200_000)
  t.transcript.step(`encodeEvent({ data: … }) with ${lines} lines of data`)
  let encoded = ''
  try {
    encoded = encodeEvent({ data: '\n'.repeat(lines - 1) })
  } catch (error) {
    must(false, {
      seen: `encodeEvent() threw ${describeError(error)} for data with ${lines} lines.`,
      expected:
        'Expected encodeEvent() to write one "data" field per line, however many lines there are.',
      ...(error instanceof RangeError && {
        often:
          'push(...lines) passes each line as a separate argument, and the number of arguments is limited.',
      }),
    })
  }
  const fields = encoded.match(/^data:/gm)?.length ?? 0
  must(fields === lines, {
    seen: `encodeEvent() wrote ${fields} "data" fields for data with ${lines} lines.`,
    expected:
      'Expected encodeEvent() to write one "data" field per line, however many lines there are.',
  })
  mustKeepData(
    t,
    ['a\rid: 666\r\nb', 'a\rb', 'a\r\nb', 'a\r\rb', 'a\n\rb', 'a\r', 'a\r\n'],
    textOf('\r', '\n', 'a', 'id: 1', 'data: b', 'retry: 1'),
    {
      often: 'your code splits data only at LF. For a client, a lone CR ends a line as well.',
    },
  )
})

edgeCase('2.1c', 'a space at the beginning of a line of data survives', async (t) => {
  mustKeepData(t, [' world', '  two', ' ', 'a\n b'], textOf(' ', 'a'), { often: whyNoSpace })
})

edgeCase('2.1d', 'empty data makes an event whose data is empty', async (t) => {
  mustKeepData(t, [''], fc.constant(''), {
    often: "your code tests if (data), which is false for ''. Compare data with undefined.",
  })
})

edgeCase('2.1e', 'a field that is not passed is not written', async (t) => {
  const next: StreamEvent = { type: 'message', data: 'next', lastEventId: '' }
  mustLeaveOut({ data: 'x' }, [{ type: 'message', data: 'x', lastEventId: '' }], next)
  mustLeaveOut({ retry: 2000 }, [], next)
  mustLeaveOut({ id: '7' }, [], { ...next, lastEventId: '7' })
  mustLeaveOut({ event: 'tick' }, [], next)

  function mustLeaveOut(fields: Fields, events: StreamEvent[], follows: StreamEvent): void {
    const encoded = encode(t, fields)
    must(deepEqual(parseEvents(encoded).events, events) && !encoded.includes('undefined'), {
      seen: `encodeEvent(${describeFields(fields)}) returned ${quote(encoded)}. A client reads ${describeEvents(encoded)}.`,
      expected: `Expected a client to read ${events.length === 0 ? 'no event' : 'an event'}, and encodeEvent() to write only the fields that were passed.`,
      often: 'your code writes a field even if its value is undefined.',
    })
    must(fields.retry === undefined || parseEvents(encoded).parser.unfinished === '', {
      seen: `encodeEvent(${describeFields(fields)}) returned ${quote(encoded)}.`,
      expected: 'Expected the text to end with a blank line, whatever fields were passed.',
      often: 'your code writes the blank line only if there is data.',
    })
    // The next event keeps the ID, and nothing else.
    const more = parseEvents(`${encoded}data: next\n\n`).events.slice(events.length)
    must(deepEqual(more, [follows]), {
      seen: `encodeEvent(${describeFields(fields)}) returned ${quote(encoded)}. If "data: next" follows, a client reads ${describeEvents(`${encoded}data: next\n\n`)}.`,
      expected: `Expected the next event to be ${describeAnEvent(follows)}.`,
      often: 'your code writes the blank line, or the field, only if there is data.',
    })
  }
})

check('2.1f', '"event" and "id" arrive unchanged, together with the data', async (t) => {
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
      seen: `encodeEvent(${describeFields(fields)}) returned ${quote(encoded)}. A client reads ${describeEvents(encoded)}.`,
      expected: `Expected a client to read one event: ${describeEvent(wanted)}.`,
      ...whyOther(fields, encoded),
    })
  }
  // For a client that remembers an ID.
  const fields = { data: 'x', id: '' }
  const encoded = encode(t, fields)
  const { events } = parseEvents(`id: 7\n\n${encoded}`)
  must(deepEqual(events, [{ type: 'message', data: 'x', lastEventId: '' }]), {
    seen: `encodeEvent(${describeFields(fields)}) returned ${quote(encoded)}. A client whose last ID was 7 reads ${describeEvents(`id: 7\n\n${encoded}`)}.`,
    expected:
      'Expected the event to have no ID, because an empty "id" field resets the ID that the client remembers.',
    often: "your code tests if (id), which is false for ''. Compare id with undefined.",
  })
})

/** Returns the likely cause, if the event or its text points to a cause. */
function whyOther(
  { event, id, data }: Required<Omit<Fields, 'retry'>>,
  encoded: string,
): Partial<Story> {
  if (/^ | $/m.test(`${id}\n${event}`)) return { often: whyNoSpace() }
  if (/[\u2028\u0085]/.test(id + event)) {
    return { often: 'your code treats U+2028 or U+0085 as a line end. Only CR and LF end a line.' }
  }
  const isAllThere = [event, id, data].every((value) => encoded.includes(value))
  return isAllThere
    ? {
        often: 'your code misspells the name of a field, or writes the field after the blank line.',
      }
    : {}
}

/** Returns the likely cause of a missing space at either end of a value. */
function whyNoSpace(): string {
  return /^(data|event|id):x/m.test(encodeEvent({ data: 'x', event: 'x', id: 'x' }))
    ? 'your code writes no space after the colon, so a client removes the first space of the value instead.'
    : 'your code trims the value, or does not write it. A client removes only one space, directly after the colon.'
}

check('2.1g', 'a line end in "event" or "id" cannot forge a field', async (t) => {
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
      seen: `encodeEvent(${describeFields(fields)}) returned ${quote(encoded)}. A client reads ${describeEvents(encoded)}.`,
      expected: 'Expected encodeEvent() to throw, or to return one event whose data is "x".',
      often:
        'your code writes the value as it is, or checks it only for LF. A lone CR ends a line as well.',
    })
  }
})

edgeCase('2.1h', 'U+0000 in an ID is removed, or makes encodeEvent() throw', async (t) => {
  for (const id of [
    '7\0',
    '\0',
    '\0\0',
    '7\x008\x009',
    ...fc.sample(textOf('a', '\0'), { seed, numRuns: 20 }),
  ]) {
    const encoded = encodeOrThrow(t, { data: 'x', id })
    must(encoded === undefined || !encoded.includes('\0'), {
      seen: `encodeEvent(${describeFields({ data: 'x', id })}) returned ${quote(encoded ?? '')}.`,
      expected:
        'Expected encodeEvent() to throw, or to remove U+0000 from the ID, because clients ignore an ID that contains it.',
      often: id.replace('\0', '').includes('\0')
        ? "replace('\\0', '') removes only the first U+0000. replaceAll() removes them all."
        : 'your code checks the ID only for line ends.',
    })
  }
})

edgeCase('2.1i', '"retry" is written as a whole number of milliseconds', async (t) => {
  for (const retry of [2000, 0, 1, 2 ** 31, ...fc.sample(fc.nat(), { seed, numRuns: 20 })]) {
    const encoded = encode(t, { retry })
    const its = parseEvents(encoded).parser.retry
    must(its === retry, {
      seen: `encodeEvent(${describeFields({ retry })}) returned ${quote(encoded)}. A client reads ${describeRetry(encoded)}.`,
      expected: `Expected the text to contain the line "retry: ${retry}".`,
      ...(retry === 0 && {
        often: 'your code tests if (retry), which is false for 0. Compare retry with undefined.',
      }),
      ...(its === retry / 1000 &&
        retry > 0 && {
          often: 'your code converts the value to seconds, but the field is in milliseconds.',
        }),
    })
  }
})

edgeCase('2.1j', 'an invalid retry throws', async (t) => {
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
      seen: `encodeEvent({ retry: ${typeof wrong === 'string' ? `'${excerpt(wrong)}'` : wrong} }) returned ${quote(encoded ?? '')}.`,
      expected:
        'Expected encodeEvent() to throw, because retry must be a whole number of milliseconds, 0 or more.',
      ...(/^retry: [0-9]*$/m.test(encoded ?? '') &&
        typeof wrong !== 'number' &&
        !`${wrong}`.includes('\n') && {
          often:
            "Number() converts almost anything. For example, Number('') is 0, and Number(true) is 1.",
        }),
      ...(typeof wrong === 'number' && {
        often:
          wrong < 0
            ? 'your code does not check the sign. -1 is a whole number as well.'
            : 'your code checks the type but not the value. 1.5 and NaN are numbers as well.',
      }),
    })
  }
  const retry = 1e21
  const encoded = encodeOrThrow(t, { retry })
  must(encoded === undefined || parseEvents(encoded).parser.retry === retry, {
    seen: `encodeEvent({ retry: 1e21 }) returned ${quote(encoded ?? '')}. A client reads ${describeRetry(encoded ?? '')}.`,
    expected:
      'Expected encodeEvent() to throw, or to write only digits, because a client ignores any other value.',
    often:
      'your code uses Number.isInteger(), which is true for 1e21, but JavaScript writes 1e21 as "1e+21". Number.isSafeInteger(1e21) is false.',
  })
})

edgeCase(
  '2.1k',
  'only CR and LF end a line of data, and every other character survives',
  async (t) => {
    mustKeepData(
      t,
      ['a\u2028b', 'a\u2029b', 'a\u0085b', 'a\vb', 'a\fb', 'a\x1cb'],
      textOf('\u2028', '\u2029', '\u0085', '\v', '\f', 'a', '\n'),
      {
        often:
          'your code also splits data at U+2028, U+2029, U+0085, VT or FF. In a regular expression with the m flag, the first two end a line as well.',
      },
    )
    mustKeepData(
      t,
      ['a\t', '\ta', '\ufeffa', 'a\ufeff', 'a\0b', '\u00a0a\u00a0', 'a '],
      textOf('\t', '\u00a0', '\uFEFF', '\0', 'a', '\n'),
      {
        often: 'your code trims data, or removes a tab, U+00A0, U+FEFF or U+0000 from it.',
      },
    )
  },
)

// 2.2 The stream

check(
  '2.2a',
  'the head arrives before the first quake, announces an event stream and forbids caching',
  async (t) => {
    const { server } = await serveFeed(t, PATH, createApp)
    const head = await t.connect(server).get(PATH, {
      seen: 'The feed was idle, but the client did not get the head of the response.',
      expected:
        'Expected the status and the headers to be sent immediately, because an EventSource opens only when it gets them.',
      often:
        'your handler writes nothing until the first quake. The first write also sends the head.',
    })
    const type = head.headers.get('content-type')
    must(head.status === 200, {
      seen: `GET ${PATH} was answered with status ${head.status}.`,
      expected: 'Expected status 200, because an EventSource gives up after any other status.',
      often: 'your route has another path, or your handler throws before it answers.',
    })
    must(isEventStream(head), {
      seen: type ? `The Content-Type was ${type}.` : 'The response had no Content-Type.',
      expected:
        'Expected the type text/event-stream, because an EventSource gives up after any other type.',
    })
    const control = head.headers.get('cache-control')
    must(hasToken(control, 'no-store', 'no-cache'), {
      seen: control ? `The Cache-Control was ${control}.` : 'The response had no Cache-Control.',
      expected:
        'Expected Cache-Control to contain no-store or no-cache, because a cache would replay old quakes.',
    })
  },
)

edgeCase('2.2b', 'the first bytes of the body arrive before the first quake', async (t) => {
  const { events } = await serveStream(t, PATH, createApp)
  await events.firstBytes({
    seen: 'The client got the head, but no byte of the body arrived while the feed was idle.',
    expected:
      'Expected some bytes to be sent, because some proxies delay the head until the body begins.',
    often: 'flushHeaders() sends only the head. Write the "retry" field immediately.',
  })
})

edgeCase('2.2c', 'each stream begins with a "retry" field that contains only digits', async (t) => {
  const { events, server } = await serveStream(t, PATH, createApp)
  await events.retry({
    seen: 'The client got the head, but no valid "retry" field.',
    expected:
      'Expected a field such as "retry: 2000", which says how many milliseconds to wait before reconnecting.',
    often: 'your handler does not write the field, or writes characters other than digits in it.',
  })
  const again = t.connect(server, 'client that reconnects')
  await again.get(PATH, noHead, { lastEventId: 'us7000' })
  await again.events.retry({
    seen: 'A second client connected with a Last-Event-ID, but it got no valid "retry" field.',
    expected: 'Expected every client to get the field, because its connection may be lost again.',
  })
})

const noHead: Story = {
  seen: 'The client got no response head.',
  expected: 'Expected the response head to be sent immediately.',
}

check('2.2d', 'each quake arrives as an event before the next quake happens', async (t) => {
  const { feed, events } = await serveStream(t, PATH, createApp)
  for (const quake of ordinaryQuakes(3)) {
    feed.release(quake)
    const event = await events.next({
      seen: `The feed released ${describeQuake(quake)}, but no event reached the client.`,
      expected: 'Expected the event to arrive before the next quake happens.',
      often:
        'your handler collects events before it writes them, or delays the blank line until the next quake.',
    })
    // The next checks examine the fields of the event.
    must(
      event.data.includes(quake.id) || event.lastEventId === quake.id || isLikeQuake(event),
      notQuake(event),
    )
  }
})

/** Returns whether the event is meant to be a quake, even if its fields are wrong. */
function isLikeQuake({ data }: StreamEvent): boolean {
  return /magnitude|place|depthKm/.test(data)
}

function notQuake(event: StreamEvent): Story {
  return {
    seen: `An event that is not a quake arrived: ${describeEvent(event)}.`,
    expected:
      'Expected one event per quake and no other events, such as a greeting, a farewell or an error.',
  }
}

check(
  '2.2e',
  'each event contains its quake as JSON and the ID of the quake, and has no name',
  async (t) => {
    const { feed, events } = await serveStream(t, PATH, createApp)
    const sent = new Set<string>()
    for (const quake of awkwardQuakes()) {
      feed.release(quake)
      const hasZero = Object.values(quake).some((value) => !value)
      const event = await events.next({
        ...noEvent(quake),
        ...(hasZero && {
          often:
            "your handler treats a valid value as missing, because if (value) is false for 0 and for ''.",
        }),
        ...(sent.has(quake.id) && {
          often:
            'your handler skips a quake if its ID has been sent before. Networks correct their reports, so send the newer data as well.',
        }),
      })
      sent.add(quake.id)
      must(deepEqual(tryParseJson(event.data), quake), {
        seen: `The data for ${describeQuake(quake)} was ${excerpt(event.data)}`,
        expected: `Expected the data to be ${excerptJson(quake)}`,
        often:
          'your handler sends something other than JSON.stringify(quake), or encodes the quake twice.',
      })
      must(event.type === 'message', {
        seen: `The event for ${describeQuake(quake)} had the name "${excerpt(event.type)}".`,
        expected:
          "Expected an event without a name. An event with a name reaches only the listeners for that name, not those for 'message'.",
        often: 'your handler passes a name for the event to encodeEvent().',
      })
      must(event.lastEventId === quake.id, {
        seen: `The event for quake ${quake.id} had the ID "${excerpt(event.lastEventId)}".`,
        expected: `Expected the ID "${quake.id}", because a client that reconnects sends its last ID to say how far it got.`,
        often:
          'your handler leaves out the ID, or numbers the events instead. The same number would then mean a different quake in each process.',
      })
    }
  },
)

check('2.2f', 'concurrent clients each get every quake', async (t) => {
  await mustServeEach(await serveFeed(t, PATH, createApp), 'event', async ({ events }, story) => {
    const { data } = await events.next(story)
    return data
  })
})

edgeCase(
  '2.2g',
  'a client that disconnects affects neither the other clients nor the next one',
  async (t) => {
    const { feed, server, open } = await serveFeed(t, PATH, createApp)
    const stays = await open('client A')
    const leaves = await open('client B')
    await disconnect(t, server, leaves.client, 1, 'Client B')
    // This client seems to reconnect. Its Last-Event-ID sorts after all other IDs, and belongs to no quake.
    const next = t.connect(server, 'client C')
    const { status } = await next.get(
      PATH,
      {
        seen: 'Client B disconnected. Then client C connected, but it got no response head.',
        expected: 'Expected the response head to be sent immediately.',
      },
      { lastEventId: 'zz' },
    )
    must(status === 200, {
      seen: `Client B disconnected. Then client C connected, and it got status ${status}.`,
      expected: 'Expected status 200, because the feed is still running.',
      often:
        'your handler treats every end of the loop as the end of the feed. The loop also ends when the client disconnects.',
    })
    const [quake] = quakes(1)
    feed.release(quake)
    await stays.events.next({
      seen: `Client B disconnected, and ${describeQuake(quake)} happened, but client A got no event.`,
      expected: 'Expected client A to keep getting events.',
      often: 'all clients share one AbortController. Each request needs its own.',
    })
    await next.events.next({
      seen: `Client C connected with Last-Event-ID: zz, and ${describeQuake(quake)} happened, but client C got no event.`,
      expected:
        'Expected client C to get every quake that its own reader delivers, whatever the Last-Event-ID is.',
    })
  },
)

edgeCase('2.2h', 'the "retry" field is sent before any event', async (t) => {
  const { feed, open } = await serveFeed(t, PATH, createApp)
  // Each new client gets an event at once.
  const [quake] = quakes(1)
  feed.release(quake)
  const { events } = await open()
  await events.next(noEvent(quake))
  must(events.beganWithRetry, {
    seen: 'A quake had happened before the client connected, and the stream began with the event for that quake.',
    expected:
      'Expected the "retry" field to arrive before the event, because the connection may be lost at any moment.',
    often: 'your handler writes "retry" too late: after an await, or in a timer.',
  })
})

// 2.3 The heartbeat

check('2.3a', 'heartbeats are sent while the feed is idle', async (t) => {
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
    seen: `The feed was idle and heartbeatMs was ${heartbeatMs}, but the client got no heartbeats.`,
    expected: 'Expected a comment to be sent every few milliseconds while the client is connected.',
    often:
      'your handler does not use heartbeatMs, calls setTimeout() instead of setInterval(), or sends only a blank line.',
  })

  // The other clients were connected all the time. A heartbeat per millisecond would have arrived by now.
  feed.release(last)
  await unset.events.next(noEvent(last))
  other.feed.release(last)
  await undefinedOne.events.next(noEvent(last))
  const beats = Math.max(unset.events.comments - before, undefinedOne.events.comments - beatsBefore)
  must(beats < SOME, {
    seen: `createApp() was called without heartbeatMs, but comments arrived as fast as with a heartbeatMs of ${heartbeatMs}.`,
    expected: 'Expected a sensible default, such as 15 seconds.',
    often:
      'heartbeatMs is undefined in your code, and setInterval(…, undefined) fires every millisecond.',
  })
  for (const [how, { ms: all }] of [
    ['createApp(feed)', delays],
    ['createApp(feed, {})', moreDelays],
  ] as const) {
    must(
      all.some((ms) => ms <= 60_000),
      {
        seen: `${how} was called, but no timer was set to a minute or less.${all.length > 0 ? ` The shortest was set to ${Math.min(...all)} ms.` : ''}`,
        expected:
          'Expected a default interval of at most a minute, such as 15 seconds, because nginx closes idle connections after 60 seconds.',
      },
    )
  }
})

check('2.3b', 'a heartbeat is not an event, changes no ID and splits no event', async (t) => {
  const { feed, events } = await serveStream(t, PATH, withHeartbeats)
  await isSilent(SOME, '')
  for (const quake of quakes(2)) {
    feed.release(quake)
    const event = await events.next(noEvent(quake))
    must(event.lastEventId === quake.id && deepEqual(tryParseJson(event.data), quake), {
      seen: `While heartbeats were being sent, the event for quake ${quake.id} arrived as: ${describeEvent(event)}.`,
      expected: `Expected the whole event to arrive with the ID "${quake.id}", as it does without heartbeats.`,
      often: 'your handler writes an event in parts, and a heartbeat is sent between them.',
    })
    await isSilent(2, quake.id)
  }

  const slow = await blockedStream(t, await serveFeed(t, PATH, withHeartbeats))
  const quiet = await (await serveFeed(t, PATH, withHeartbeats)).open('other client')
  // A fence: when this client gets heartbeats, those of the slow client are due as well.
  await quiet.events.heartbeats(SOME, noHeartbeat)
  slow.resume()
  for (const _ of slow.happened.slice(0, slow.reader.delivered + 1)) {
    const event = await slow.events.next(noMoreEvents)
    const quake = tryParseJson(event.data) as Quake | undefined
    must(quake !== undefined && quake.id === event.lastEventId, {
      seen: `The slow client resumed reading, and ${quake ? 'an event had the ID of the event before it' : `the data of an event ended in ${quote(event.data.slice(-3))}`}, because a heartbeat had split the event.`,
      expected: 'Expected every event to arrive in one piece, with its own ID.',
      often:
        'your handler writes an event in parts, and a heartbeat is sent during an await between them.',
    })
  }
  t.transcript.step('slow client read only whole events')

  async function isSilent(lines: number, id: string): Promise<void> {
    const { fields } = events
    await events.heartbeats(lines, noHeartbeat)
    const event = events.unexpected
    if (event) t.transcript.step(`client read an event  ${describeEvent(event)}`)
    must(event === undefined, {
      seen: `While the feed was idle, the heartbeat arrived as an event: ${event && describeEvent(event)}.`,
      expected:
        'Expected a comment, which is a line that begins with a colon. Clients ignore comments.',
      often: 'your heartbeat has a "data" field. Even an empty "data" field makes an event.',
    })
    must(events.lastEventId === id, {
      seen: `The last event ID was "${id}", and the heartbeat changed it to "${excerpt(events.lastEventId)}".`,
      expected:
        'Expected the ID to stay the same, because a client that reconnects asks for the events after its last ID.',
      often: 'your heartbeat has an "id" field. A comment has no fields.',
    })
    // The stream begins with a "retry" field.
    must(id === '' || events.fields === fields, {
      seen: 'While the feed was idle, the heartbeat arrived as a field.',
      expected: 'Expected a comment, which is a line that begins with a colon.',
      often:
        'your heartbeat has no colon, or the text before its colon is the name of a field that a client may know.',
    })
  }
})

check('2.3c', 'heartbeats stop when their client disconnects', async (t) => {
  const timers = trackHeartbeats(t)
  const served = await serveFeed(t, PATH, withHeartbeats)
  for (const name of ['client 1', 'client 2', 'client 3', 'client 4']) {
    await timers.comesAndGoes(served, name)
  }
  await timers.areCleared({
    seen: 'Four clients connected and disconnected, but their timers were still running.',
    expected:
      'Expected the timers to be cleared. Otherwise they write to closed connections for as long as the server runs.',
    often: 'your handler does not call clearInterval(), or calls it only after the feed has ended.',
  })
  const clients: OpenStream[] = []
  for (const name of ['client 5', 'client 6', 'client 7']) clients.push(await served.open(name))
  for (const { events, client } of clients) {
    await events.heartbeats(SOME, {
      seen: `Clients 5, 6 and 7 were connected at the same time, but ${client.name} got no heartbeats.`,
      expected: 'Expected each of these clients to get heartbeats.',
      often: 'your app has one timer, which writes only to the response of one client.',
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
    // Whatever follows the event was sent long after the disconnect.
    await stays.events.heartbeats(SOME, {
      seen: `${name} disconnected, and client 6 got no more heartbeats.`,
      expected: 'Expected each client that is still connected to get heartbeats.',
      often: 'all clients share one timer, which stops when one of them disconnects.',
    })
  }
})

// 2.4 Clients come and go

check('2.4a', 'the feed closes when the client disconnects, and not before', async (t) => {
  const stream = await (await serveFeed(t, PATH, createApp)).open()
  await mustCloseWhenLeft(
    t,
    stream,
    "your handler does not listen for 'close' on the response, or does not pass the signal to the feed.",
  )

  const { feed, server } = await serveFeed(t, PATH, createApp, consumeRequest)
  const client = t.connect(server, 'client whose request has been read')
  client.request(PATH)
  t.transcript.step('middleware has read the request body')
  await client.head({
    seen: 'The client got no response head.',
    expected: 'Expected the response head to be sent immediately.',
  })
  const [quake] = quakes(1)
  feed.release(quake)
  await client.events.next({
    seen: `Middleware had read the request body. The feed released ${describeQuake(quake)}, but no event reached the client.`,
    expected: 'Expected the event to be sent, because the client is still connected.',
    often:
      "your handler treats 'close' on the request as a disconnect, but that event fires as soon as the body has been read.",
  })
  client.disconnect()
  await t.waitFor(() => feed.openReaders === 0, {
    seen: 'Middleware had read the request body. When the client disconnected, the feed stayed open.',
    expected: 'Expected the feed to close, even if middleware has read the body.',
    often:
      "your handler listens for 'close' on the request. When the client disconnects, only the response emits 'close'.",
  })
})

edgeCase(
  '2.4b',
  'a client that disconnects before its handler runs leaves no feed open',
  async (t) => {
    const login = slowLogin()
    const { feed, server, open } = await serveFeed(t, PATH, createApp, login.handler)
    const leave = await requestAndLeave(t, server, login)
    await leave()
    // A fence: when this client is served, the first client's handler has long begun.
    await open('second client')
    await t.waitFor(() => feed.openReaders === 1, {
      seen: 'The client disconnected while slow login middleware was running. Then your handler opened the feed for that client.',
      expected: 'Expected the feed to stay closed, or to close again.',
      often:
        "your handler waits for 'close', which has already fired. Check res.destroyed as well.",
    })
    t.transcript.step('no feed is open for the first client')
  },
)

edgeCase('2.4c', 'a client that disconnects before its handler runs leaves no timer', async (t) => {
  const timers = t.trackTimers()
  const login = gate()
  login.shut()
  const { server } = await serveFeed(t, PATH, withHeartbeats, login.handler)
  // A timer that serves all clients may stay, but timers of single clients would be three.
  for (const [n, name] of ['first client', 'second client', 'third client'].entries()) {
    const client = t.connect(server, name)
    client.request(PATH)
    await t.waitFor(() => login.waiting > n, {
      seen: 'A client sent a request, but the login middleware did not get it.',
      expected: 'Expected the request to reach the middleware.',
    })
    client.disconnect()
  }
  await t.waitFor(() => server.connections === 0, {
    seen: 'The clients disconnected, but the server kept a connection open.',
    expected: 'Expected the server to close its side of each connection.',
  })
  t.transcript.step('the login lets the requests pass')
  login.open()
  // A fence: when this client is answered, the handlers of the others have long begun.
  const fence = t.connect(server, 'fourth client')
  await fence.get(PATH, {
    seen: 'The fourth client got no response head.',
    expected: 'Expected the response head to be sent.',
  })
  fence.disconnect()
  await t.waitFor(() => timers.alive() <= 1, {
    seen: 'Three clients disconnected while slow login middleware was running, but their timers were still running.',
    expected: 'Expected no timer to run for these clients, because nothing will ever clear it.',
    often:
      "your handler waits for 'close' or 'drain', which will no longer fire. Check res.destroyed first.",
  })
  t.transcript.step('no timer is running')
})

check(
  '2.4d',
  'the handler stops reading the feed while a client is stalled, and later sends every event once',
  async (t) => {
    const served = await serveFeed(t, PATH, createApp)
    const slow = await blockedStream(t, served)
    const { happened } = slow
    must(slow.reader.delivered < happened.length, {
      seen: `The client stopped reading, but your handler read all ${happened.length} quakes (5 MB) from the feed.`,
      expected:
        'Expected your handler to stop reading quakes when the response is full, because everything that the client does not read stays in memory.',
      often:
        'your handler ignores the result of res.write(). If the result is false, wait for "drain".',
    })
    const listeners = (): number => served.server.listeners + slow.reader.signalListeners
    const before = listeners()
    slow.resume()
    for (const [n, quake] of happened.entries()) {
      const { lastEventId } = await slow.events.next(noMoreEvents)
      must(lastEventId === quake.id, {
        seen: `Event ${n + 1} was the quake "${lastEventId}".`,
        expected: `Expected the quake "${quake.id}", because each quake must be sent once, in order.`,
        ...(lastEventId === happened[n - 1]?.id && {
          often:
            'your handler writes a quake again after "drain". res.write() keeps the bytes even if it returns false.',
        }),
      })
    }
    t.transcript.step('slow client read every event once, in order')
    // Each of these quakes fills the response, so if each wait leaves a listener, there are dozens of them.
    must(listeners() < before + 5, {
      seen: `The response was full ${happened.length} times, and afterwards this client had more listeners than during the first wait.`,
      expected: 'Expected your handler to remove its listeners after each wait.',
      often:
        'your handler adds a listener for each wait and never removes it. once() from node:events removes its own listeners.',
    })
  },
)

check(
  '2.4e',
  'a stalled client that disconnects leaves no feed open and no timer running',
  async (t) => {
    const timers = trackHeartbeats(t)
    const served = await serveFeed(t, PATH, withHeartbeats)
    await timers.comesAndGoes(served, 'first client')
    await mustCloseWhenStalled(t, await stalledStream(t, served))
    await timers.areCleared({
      seen: 'The client disconnected while your handler was waiting for "drain", but the timer was still running.',
      often:
        'your handler calls clearInterval() after the loop. When the wait for "drain" is aborted, the await throws and clearInterval() is skipped, so put it in a finally block.',
    })
  },
)

edgeCase(
  '2.4f',
  'HEAD gets the same status and type as GET, ends, and opens no feed',
  async (t) => {
    const { feed, server } = await serveFeed(t, PATH, createApp)
    const client = t.connect(server)
    const story = {
      seen: 'A HEAD request got no response head.',
      expected: 'Expected HEAD to get the same response head as GET.',
      often: GET_FOR_HEAD,
    }
    const head = await client.get(PATH, story, { method: 'HEAD' })
    must(head.status === 200, {
      seen: `A HEAD request got status ${head.status}.`,
      expected: 'Expected status 200, as for GET.',
    })
    const type = head.headers.get('content-type')
    must(isEventStream(head), {
      seen: type
        ? `The Content-Type of HEAD was ${type}.`
        : 'The response to HEAD had no Content-Type.',
      expected: 'Expected the type text/event-stream, as for GET.',
      often: 'your handler answers HEAD before it sets the headers. sendStatus() sends plain text.',
    })
    await mustEndHead(t, server, client, PATH)
    must(feed.openReaders === 0, {
      seen: 'A HEAD request was answered, but the feed stayed open.',
      expected: 'Expected the feed to be closed, because the response to HEAD has no body.',
      often: 'your handler opens the feed before it checks the method.',
    })
    const { status } = await t.connect(server, 'next client').get(PATH, {
      seen: 'A HEAD request was answered. Then the next client sent a GET request, but it got no response head.',
      expected: 'Expected status 200, because the feed is still running.',
    })
    must(status === 200, {
      seen: `A HEAD request was answered, and then a GET request got status ${status}.`,
      expected: 'Expected status 200, because the feed is still running after a HEAD request.',
    })
  },
)

edgeCase('2.4g', 'POST is refused', async (t) => {
  const { server } = await serveFeed(t, PATH, createApp)
  await mustRefusePost(t.connect(server), PATH)
})

check(
  '2.4h',
  'when the feed fails, the connection is cut, the timer is cleared, and the next request is served',
  async (t) => {
    for (const count of [1, 0]) {
      const { client, feed } = await streamAfterQuakes(
        t,
        await serveFeed(t, PATH, createApp),
        count,
      )
      feed.fail(FEED_ERROR)
      await mustCutWithFeed(
        client,
        `The feed failed${count === 0 ? ' before its first quake' : ''}`,
        'Expected the connection to be cut, so that the client reconnects by itself.',
      )
      mustHaveNoEvent(client.unread())
    }

    const timers = trackHeartbeats(t)
    const calm = t.controlledFeed()
    const broken = t.controlledFeed()
    const mended = t.controlledFeed()
    const feeds = [calm, broken, mended]
    const server = await t.serve(withHeartbeats({ open: (signal) => feeds.shift()!.open(signal) }))
    await timers.comesAndGoes(servedFrom(t, calm, server), 'first client')
    const { client } = await streamAfterQuakes(t, servedFrom(t, broken, server), 1)
    broken.fail(FEED_ERROR)
    await client.ended({
      seen: 'The feed failed, but the response stayed open.',
      expected: 'Expected the connection to be cut.',
    })
    await timers.areCleared({
      seen: 'The feed failed and the connection was cut, but the timer was still running.',
      often:
        'your handler calls clearInterval() after the loop, but an error skips that call. Put it in a finally block.',
    })
    const next = t.connect(server, 'next client')
    const { status } = await next.get(PATH, {
      seen: 'The feed failed and recovered, but the next client got no response head.',
      expected: 'Expected status 200, because the feed works again.',
    })
    must(status === 200, {
      seen: `The feed failed and recovered, but the next client got status ${status}.`,
      expected:
        'Expected status 200, because the feed works again. After a 204, the client would never reconnect.',
      often: 'your handler treats a failed feed like a feed that has ended.',
    })
    const [quake] = quakes(1)
    mended.release(quake)
    await next.events.next({
      seen: `The feed failed and recovered, and ${describeQuake(quake)} happened, but the next client got no event.`,
      expected: 'Expected your handler to open the feed for each client.',
    })
  },
)

edgeCase(
  '2.4i',
  'when the feed ends, the client gets the last event and then the end of the response',
  async (t) => {
    const { client, feed } = await streamAfterQuakes(t, await serveFeed(t, PATH, createApp), 1)
    feed.end()
    await mustEndWithFeed(client, 'nothing more will arrive.')
    mustHaveNoEvent(client.unread())

    // After many quakes, with one of them still unsent.
    const served = await serveFeed(t, PATH, createApp)
    const { client: patient } = await served.open('patient client')
    const many = quakes(MANY)
    served.feed.release(...many)
    // In steps, because a handler may yield to others between two quakes.
    for (let n = 99; n < many.length; n += 100) {
      await patient.skipUntil(many[n]!.id, {
        seen: `${many.length} quakes happened, but quake number ${n + 1} did not reach the client.`,
        expected:
          'Expected every quake to arrive, however many there are, because the stream continues until the feed ends.',
      })
    }
    await turns(20)
    served.server.blockNetwork()
    const [last] = largeQuakes(1, 1024)
    served.feed.release(last!)
    served.feed.end()
    // Time for the handler to close the response. It may also wait until the last event has been sent.
    await turns(20)
    served.server.unblockNetwork()
    const story = {
      seen: 'The feed ended while the last event was waiting for the network, and that event was lost.',
      expected: 'Expected the client to get the last event, and then the end of the response.',
      often:
        'your handler destroys the response instead of calling res.end(). Destroying the response discards all bytes that are still waiting.',
    }
    await patient.skipUntil(last!.id, story)
    const how = await patient.ended(story)
    must(how === 'complete', story)
  },
)

/** Requires that the end or failure of the feed sent no event. */
function mustHaveNoEvent(unread: string): void {
  for (const event of parseEvents(unread).events) must(false, notQuake(event))
}

check('2.4j', 'after the feed has ended, requests get 204', async (t) => {
  for (const [count, over] of [
    [1, ''],
    [0, ' without a quake'],
  ] as const) {
    const served = await serveFeed(t, PATH, createApp)
    const { client, feed } = await streamAfterQuakes(t, served, count)
    feed.end()
    await client.ended({
      seen: 'The feed ended, but the response stayed open.',
      expected: 'Expected the response to end.',
    })
    for (const name of ['the same client', 'another client']) {
      const { status } = await t.connect(served.server, name).get(PATH, {
        seen: `The feed ended${over}, but the next request got no response head.`,
        expected: 'Expected status 204.',
      })
      const isSecond = name === 'another client'
      must(status === 204, {
        seen: `The feed ended${over}, but the ${isSecond ? 'second' : 'next'} request after that got status ${status}.`,
        ...(status === 200
          ? {
              expected:
                'Expected status 204. An EventSource treats the end of a response as a lost connection, so it would reconnect forever.',
              often: isSecond
                ? 'your handler forgets after the first 204 that the feed has ended. Every client needs the 204.'
                : 'your handler does not remember that the feed has ended.',
            }
          : {
              expected:
                'Expected status 204, which tells an EventSource to stop. Other statuses mean that something went wrong.',
            }),
      })
    }
    const { status } = await t.connect(served.server, 'client that reconnects').get(
      PATH,
      {
        seen: `The feed ended${over}, but the next request with a Last-Event-ID got no response head.`,
        expected: 'Expected status 204.',
      },
      { lastEventId: 'us7000' },
    )
    must(status === 204, {
      seen: `The feed ended${over}. Requests without a Last-Event-ID got 204, but a request with a Last-Event-ID got ${status}.`,
      expected: 'Expected status 204, because an EventSource that reconnects sends that header.',
    })
  }
})

edgeCase('2.4k', 'no timer keeps running after the feed has ended', async (t) => {
  const timers = trackHeartbeats(t)
  const calm = t.controlledFeed()
  const ending = t.controlledFeed()
  let feed: Feed = calm
  const app = createApp({ open: (signal) => feed.open(signal) }, { heartbeatMs })
  const server = await t.serve(app)
  await timers.comesAndGoes(servedFrom(t, calm, server), 'first client')

  feed = ending
  const ended = await streamAfterQuakes(t, servedFrom(t, ending, server), 1)
  ending.end()
  await ended.client.ended({
    seen: 'The feed ended, but the response stayed open.',
    expected: 'Expected the response to end.',
  })
  await timers.areCleared({
    seen: 'The feed and the response ended, but the timer was still running.',
    often: 'your handler calls clearInterval() only after a disconnect or an error.',
  })
  await answered('GET')
  // HEAD is sent only after the feed has ended, because another check tests it before that.
  await answered('HEAD')

  async function answered(method: string): Promise<void> {
    const client = t.connect(server, 'client that gets no stream')
    const story = {
      seen: `A ${method} request got no response head.`,
      expected: 'Expected the response head to be sent.',
    }
    const { status } = await client.get(PATH, story, { method })
    await timers.areCleared({
      seen: `A ${method} request got status ${status} without a stream, but a timer was still running for that request.`,
      often: 'your handler starts the timer before it knows whether there will be a stream.',
    })
  }
})

edgeCase(
  '2.4l',
  'after many clients have disconnected, the next client is served like the first',
  async (t) => {
    const timers = t.trackTimers()
    const visited = await visitedServer(t, withHeartbeats, {
      path: PATH,
      isOverAtEnd: true,
      rounds: 9,
    })
    const { server } = visited
    const calm = t.controlledFeed()
    visited.use(calm)
    const stays = await openStream(t, calm, server, PATH, 'client that stays')
    await visited.visit()
    // One timer for all clients may stay, and one for the client that is connected.
    await t.waitFor(() => timers.alive() <= 2, {
      seen: () =>
        `Many clients connected and disconnected, some of them before your handler ran, but ${timers.alive()} timers were still running.`,
      expected: 'Expected the timers of a client to be cleared when that client disconnects.',
    })
    timers.stop()

    const feed = t.controlledFeed()
    visited.use(feed)
    const next = await openStream(t, feed, server, PATH, 'next client')
    const story = {
      expected: 'Expected the next client to be served like the first one.',
      often: 'a variable outside your handler keeps the state of one client.',
    }
    const [first, ...more] = quakes(4)
    for (const quake of [first, ...more]) {
      feed.release(quake)
      const seen = `Many clients connected and disconnected. Then ${describeQuake(quake)} happened`
      const event = await next.events.next({
        ...story,
        seen: `${seen}, but the next client got no event.`,
      })
      must(deepEqual(tryParseJson(event.data), quake) && event.lastEventId === quake.id, {
        ...story,
        seen: `${seen}, and the next client read ${describeEvent(event)}.`,
      })
    }
    calm.release(first)
    await stays.events.next({
      seen: 'Many clients connected and disconnected. Then a quake happened, but the client that had stayed connected got no event.',
      expected: 'Expected that client to keep getting events.',
    })
    for (const { events, client } of [next, stays]) {
      await events.heartbeats(SOME, {
        seen: `Many clients connected and disconnected. After that, the ${client.name} got no heartbeats.`,
        expected: 'Expected each client that is connected to get heartbeats.',
        often: 'all clients share one timer, which stops when one of them disconnects.',
      })
    }
    feed.end()
    const how = await next.client.ended({
      ...story,
      seen: 'Many clients connected and disconnected. Then the feed of the next client ended, but the response stayed open.',
    })
    must(how === 'complete', {
      ...story,
      seen: 'Many clients connected and disconnected. Then the feed of the next client ended, but the connection was cut.',
    })
    for (let n = 1; n <= 12; n += 1) {
      const late = t.connect(server, `client ${n}`)
      const { status } = await late.get(PATH, {
        seen: `The feed ended, but request ${n} after that got no response head.`,
        expected: 'Expected status 204.',
      })
      must(status === 204, {
        seen: `The feed ended, but request ${n} after that got status ${status}.`,
        expected: 'Expected status 204 for every request.',
      })
      late.close()
    }
  },
)

// 2.5 The lines, which are graded with events that have nothing but data

check('2.5a', 'an event is yielded as soon as its blank line arrives', async (t) => {
  const source = controlledBody(t.transcript)
  const events = parseEventStream(source.stream)[Symbol.asyncIterator]()
  for (const quake of quakes(3)) {
    const data = quake.id
    source.push(`data: ${data}\n`)
    source.push('\n')
    const { value } = await t.withTimeout(events.next(), {
      seen: `The event for ${describeQuake(quake)} arrived with its blank line, but your parser yielded nothing.`,
      expected: 'Expected your parser to yield the event before any more bytes arrive.',
      often: 'your parser reads the whole body first, or waits for the next event.',
    })
    t.transcript.step(`parser yielded ${excerptJson(value, 48)}`)
    must(value?.data === data, {
      seen: `Your parser yielded ${excerptJson(value)}`,
      expected: `Expected an event with the data ${excerpt(data)}`,
    })
  }
})

check('2.5b', 'only LF, CRLF and CR end a line', async (t) => {
  const [noEnds, ends] = partition(
    'vt-ff-nel-ls-ps-not-eol',
    allCases()
      .map(({ vector }) => vector)
      .filter((vector) => vector.tags.includes('eol') && hasOnlyData(vector)),
  )
  const [lf, crlf, cr] = lineEnds()
  await mustParse(
    t,
    [lf!],
    'your parser keeps only one line of data. Join the lines of an event with LF.',
    inOnePiece,
  )
  await mustParse(
    t,
    [crlf!],
    'your parser splits lines only at LF, or events at "\\n\\n". A CR before an LF belongs to the line end, so an event can end with ␍␊␍␊.',
    inOnePiece,
  )
  await mustParse(
    t,
    [cr!, ...ends],
    'your parser splits lines only at LF and CRLF. A lone CR ends a line as well, and a second CR makes a blank line.',
    inOnePiece,
  )
  await mustParse(
    t,
    noEnds,
    'your parser also splits lines at other characters, such as U+2028, as readline does.',
    inOnePiece,
  )
})

edgeCase('2.5c', 'a CR ends its line at once', async (t) => {
  const source = controlledBody(t.transcript)
  const events = parseEventStream(source.stream)[Symbol.asyncIterator]()
  for (const data of ['first', 'second']) {
    source.push(`data: ${data}\r\r`)
    const { value } = await t.withTimeout(events.next(), {
      seen: `"data: ${data}␍␍" arrived, but your parser yielded nothing.`,
      expected: 'Expected your parser to yield the event before any more bytes arrive.',
      often:
        'your parser waits for the LF that may follow a CR. End the line immediately, and skip that LF if it arrives.',
    })
    t.transcript.step(`parser yielded ${excerptJson(value, 48)}`)
    must(value?.data === data, {
      seen: `For "data: ${data}␍␍", your parser yielded ${excerptJson(value)}`,
      expected: `Expected an event with the data "${data}".`,
    })
  }
})

check('2.5d', 'chunks may end anywhere, even inside a line or a CRLF', async (t) => {
  await mustParse(
    t,
    casesOf('chunks'),
    'your parser treats each chunk as one event, or as whole lines, but a chunk may end anywhere.',
  )
  await mustParse(
    t,
    [...lineEnds(), ...casesOf('line ends')],
    'if a chunk ends with CR, your parser treats an LF at the beginning of the next chunk as another line end, which makes a blank line.',
  )
})

edgeCase('2.5e', 'an empty chunk between CR and LF changes nothing', (t) =>
  mustParse(
    t,
    lineEnds(),
    'when an empty chunk arrives, your parser forgets that the text before it ended with CR.',
    splitsWithEmptyChunk,
  ),
)

check(
  '2.5f',
  'the stream is decoded as UTF-8, even if a character is split between chunks',
  async (t) => {
    await mustParse(t, casesOf('utf-8'), ({ error }) =>
      isDecodingError(error)
        ? 'your TextDecoder is fatal, so it throws instead of replacing invalid bytes with U+FFFD.'
        : 'your parser decodes each chunk by itself. { stream: true } keeps the bytes of an unfinished character for the next chunk.',
    )
  },
)

edgeCase('2.5g', 'a byte order mark is removed only at the very beginning', (t) =>
  mustParse(
    t,
    casesOf('bom'),
    ({ error }) =>
      error === undefined
        ? 'your parser keeps the byte order mark at the beginning, or removes later ones as well. A TextDecoder removes only the first.'
        : 'your parser throws if it does not know a field. Ignore the field, because a later version of the format may have more fields.',
    chunkingsForDecoder,
  ),
)

check(
  '2.5h',
  'a line may have any length, and the time to read it grows only linearly',
  async (t) => {
    await mustParse(
      t,
      casesOf('long').filter(hasOnlyData),
      'your parser limits the length of a line, the size of a buffer or the depth of its calls.',
      inLargePieces,
    )
    const count = sampleSize(4000)
    // In small chunks. This takes a moment, or half a minute if the parser searches old text again.
    const pieces = Array.from({ length: count }, () => Buffer.from('abcdefgh'.repeat(96)))
    const chunks = [Buffer.from('data: '), ...pieces, Buffer.from('\n\n')]
    t.transcript.step('body has a line of 3 MB in 4002 chunks')
    const [length, ...more] = await readLengths(t, chunks, {
      seen: 'A line of 3 MB arrived in chunks of 768 bytes, but your parser did not finish reading it within 1.5 seconds of CPU time.',
      expected:
        'Expected the work for a chunk to depend only on that chunk, not on the chunks before it.',
      often:
        'your parser adds each chunk to the unfinished line, and searches the whole line again from the beginning.',
    })
    must(length === count * 768 && more.length === 0, {
      seen: `A line of data with ${count * 768} characters arrived, but your parser yielded ${more.length === 0 ? `data of ${length} characters` : `${more.length + 1} events`}.`,
      expected: 'Expected one event that contains the whole line.',
    })
  },
)

/** Returns the length of each event's data. Fails if the cost of reading the body does not grow linearly with its chunks. */
async function readLengths(t: Tools, chunks: Uint8Array[], tooSlow: Story): Promise<number[]> {
  const lengths: number[] = []
  const read = async (body: ReadableStream<Uint8Array>): Promise<void> => {
    for await (const { data } of parseEventStream(body)) lengths.push(data.length)
  }
  await mustCostLinearly(t, chunks, read, tooSlow)
  return lengths
}

check(
  '2.5i',
  'leaving the loop cancels the body, and the parser throws when the connection is lost',
  async (t) => {
    const source = controlledBody(t.transcript)
    source.push('data: 1\n\ndata: 2\n\n')
    const leaves = async (): Promise<void> => {
      for await (const _ of parseEventStream(source.stream)) {
        t.transcript.step('the consumer leaves its loop after the first event')
        break
      }
    }
    await t.withTimeout(leaves(), {
      seen: 'Two events arrived, but the loop got neither of them.',
      expected: 'Expected the loop to get the first event immediately.',
    })
    await t.waitFor(() => source.cancelled, {
      seen: 'The consumer left its loop, but the request stayed open.',
      expected: 'Expected the body to be cancelled, because otherwise the server keeps streaming.',
      often:
        'your parser calls releaseLock(), which does not cancel the body. reader.cancel() ends the request.',
    })
    t.transcript.step('the body was cancelled')

    const lost = controlledBody(t.transcript)
    lost.push('data: 1\n\n')
    const events = parseEventStream(lost.stream)[Symbol.asyncIterator]()
    await t.withTimeout(events.next(), {
      seen: 'An event arrived, but your parser yielded nothing.',
      expected: 'Expected your parser to yield the event.',
    })
    lost.fail(new TypeError('terminated'))
    const outcome = await t.withTimeout(outcomeOf(events.next()), {
      seen: 'The connection was lost, but your parser kept waiting.',
      expected: 'Expected your parser to throw.',
    })
    t.transcript.step(outcome === 'threw' ? 'parser threw' : 'parser ended')
    must(outcome === 'threw', {
      seen: 'The connection was lost, but your parser ended as if the body were complete.',
      expected: 'Expected the error to reach the consumer.',
      often: 'your parser swallows the error in a catch around the loop or around reader.read().',
    })
  },
)

edgeCase('2.5j', 'the parser reads only on demand', async (t) => {
  const event = Buffer.from(`data: ${'~'.repeat(4088)}\n\n`)
  const body = bodyOfChunks(Array.from({ length: 1000 }, () => event))
  t.transcript.step('body has 1000 chunks of one event each, 4 kB long')
  const events = parseEventStream(body.stream)[Symbol.asyncIterator]()
  for (let n = 0; n < 10; n += 1) {
    await t.withTimeout(events.next(), {
      seen: 'An event arrived, but your parser yielded nothing.',
      expected: 'Expected your parser to yield the event.',
    })
  }
  t.transcript.step('10 events were read')
  // Time for a parser to run ahead: a turn of the event loop for every chunk.
  await turns(1000)
  t.transcript.step(`parser took ${body.pulled} chunks`)
  must(body.pulled <= 50, {
    seen: `Only 10 events were read, but your parser took ${body.pulled} chunks from the body.`,
    expected:
      'Expected your parser to take the next chunk only when the consumer asks for more events.',
    often: 'your parser fills a queue in the background, as fast as the chunks arrive.',
  })
})

// 2.6 The events

check('2.6a', 'the "data" fields of an event are joined with LF', async (t) => {
  const [noSpace, others] = partition('data-no-space', casesOf('data'))
  await mustParseFields(
    t,
    noSpace,
    'your parser expects a space after the colon, but that space is optional.',
  )
  await mustParseFields(
    t,
    others,
    'your parser keeps only the last line of data, splits the value at every colon, or trims the value.',
  )
})

check('2.6b', 'the type of an event is the value of its own "event" field, or "message"', (t) =>
  mustParseFields(
    t,
    casesOf('name'),
    'your parser keeps the name for later events, or ignores an empty "event" field.',
  ),
)

check(
  '2.6c',
  'comments, unknown fields and blocks without a "data" field yield no event',
  async (t) => {
    await mustParseFields(
      t,
      casesOf('none'),
      "your parser tests if (data), but '' is data as well. Remember whether there was a data field.",
    )
    await mustParseFields(t, casesOf('unknown'), ({ error }) =>
      error instanceof TypeError
        ? 'your parser looks up names in an object, but every object also knows the names "constructor" and "__proto__".'
        : 'your parser compares names with startsWith(), or ignores case or spaces.',
    )
  },
)

check('2.6d', 'an ID applies to later events until the next "id" field', (t) =>
  mustParseFields(
    t,
    casesOf('id'),
    'your parser forgets the ID after its event, or mishandles an empty ID or an ID with U+0000.',
  ),
)

edgeCase('2.6e', 'an event without its blank line is dropped when the stream ends', (t) =>
  mustParse(
    t,
    casesOf('eof'),
    'your parser yields the rest when the body ends. An event without its blank line is not complete.',
  ),
)

edgeCase(
  '2.6f',
  'an event may have any number of lines, and the time to read them grows only linearly',
  async (t) => {
    await mustParse(
      t,
      casesOf('long').filter((vector) => !hasOnlyData(vector)),
      'your parser limits the number of lines in an event.',
      inLargePieces,
    )
    const lines = Buffer.from('data\n'.repeat(50))
    t.transcript.step('body has an event of 50,000 lines')
    const lengths = await readLengths(
      t,
      [...Array.from({ length: 1000 }, () => lines), Buffer.from('\n')],
      {
        seen: 'An event of 50,000 lines arrived, but your parser did not finish reading it within 1.5 seconds of CPU time.',
        expected:
          'Expected the work for a line to depend only on that line, not on the lines before it.',
        often:
          'your parser copies all lines of the event for each new line, as [...data, value] does.',
      },
    )
    must(deepEqual(lengths, [49_999]), {
      seen: `An event of 50,000 empty lines arrived, but your parser yielded ${lengths.length === 1 ? `${lengths[0]} characters` : `${lengths.length} events`}.`,
      expected: 'Expected one event whose data is 49,999 line feeds.',
    })
  },
)

// 2.7 The client

check('2.7a', 'each quake is passed to onQuake() as soon as it arrives', async (t) => {
  // The events are written by hand, with LF, because after a lone CR the package waits for one more byte.
  const timers = t.freezeTimers()
  const server = await scriptedServer(t)
  const { got } = await watch(t, server)
  const some = [...ordinaryQuakes(1), ...awkwardQuakes()]
  for (const [n, quake] of some.entries()) {
    server.send(`id: ${quake.id}\ndata: ${JSON.stringify(quake)}\n\n`)
    await t.waitFor(() => got.length > n, {
      seen: () =>
        `The server sent ${describeQuake(quake)}, but onQuake() was not called${timers.frozen > 0 ? ' while your timers were stopped' : ''}.`,
      expected: 'Expected a call to onQuake() with this quake before the next quake is sent.',
      ...(n === 0 &&
        timers.frozen === 0 && {
          often:
            "your code does not listen for 'message', which is the type of an event without a name.",
        }),
    })
    must(deepEqual(got[n], quake), {
      seen: `onQuake() was called with ${excerptJson(got[n])}`,
      expected: `Expected onQuake() to be called with ${excerptJson(quake)}`,
      often:
        'your code passes on the event, or its text. Use JSON.parse() to turn event.data into a quake.',
    })
  }
  const many = quakes(400)
  const text = many.map((quake) => `id: ${quake.id}\ndata: ${JSON.stringify(quake)}\n\n`).join('')
  server.send(text, `${many.length} quakes`)
  await t.waitFor(() => got.length === some.length + many.length, {
    seen: () =>
      `The server sent a burst of ${many.length} quakes, but onQuake() was called for only ${got.length - some.length} of them.`,
    expected: 'Expected a call for every quake, however many there are.',
  })
})

edgeCase('2.7b', 'data that is not JSON is skipped, and the connection stays open', async (t) => {
  const server = await scriptedServer(t)
  const [quake, next] = quakes(2)
  const { got } = await watch(t, server)
  server.send('retry: 10\n\ndata: {"id": \n\n')
  server.send(`data: ${JSON.stringify(quake)}\n\n`)
  await t.waitFor(() => got.length > 0, {
    seen: 'An event whose data was not JSON arrived, and then a quake arrived, but onQuake() was not called.',
    expected: 'Expected a call to onQuake() with the quake.',
    often: 'your listener throws, which ends the connection and loses the quake.',
  })
  must(got.length === 1 && deepEqual(got[0], quake), {
    seen: `An event whose data was not JSON arrived, and onQuake() was called with ${excerptJson(got[0])}`,
    expected:
      'Expected no call to onQuake() for that event, and one call with the quake that followed.',
    often: 'your listener calls onQuake() after the try block, even if JSON.parse() threw.',
  })
  must(server.requests.length === 1, {
    seen: 'An event whose data was not JSON arrived, and the client reconnected.',
    expected: 'Expected the client to stay connected.',
    often: 'your listener throws, or calls close(). Both end the connection.',
  })
  const texts = ['', '[DONE]', 'undefined', '{]', "{'id': 1}", 'NaN']
  for (let n = 0; n < 36; n += 1) server.send(`data: ${texts[n % texts.length]}\n\n`)
  // Time for the client to give up.
  await turns(20)
  server.send(`data: ${JSON.stringify(next)}\n\n`)
  await t.waitFor(() => got.length > 1, {
    seen: 'Dozens of events whose data was not JSON arrived, and then a quake arrived, but onQuake() was not called.',
    expected:
      'Expected a call to onQuake() with the quake, however many events were skipped before it.',
  })
  const [, second, ...others] = got
  must(deepEqual(second, next) && others.length === 0, {
    seen: `Dozens of events whose data was not JSON arrived, and onQuake() was called with ${excerptJson(second)}`,
    expected:
      'Expected no call to onQuake() for those events, and one call with the quake that followed.',
  })
})

check('2.7c', 'the client reconnects after every lost connection', async (t) => {
  const server = await scriptedServer(t)
  const [first, last, ...more] = quakes(7)
  const watcher = await watch(t, server)
  server.send(`retry: 1\n\nid: ${first.id}\ndata: ${JSON.stringify(first)}\n\n`)
  await t.waitFor(() => watcher.got.length === 1, noQuake(first))
  let { id } = first
  for (const [n, quake] of more.entries()) {
    // In three ways: cut, ended like a complete response, and cut inside an event.
    if (n % 3 === 2) server.send('id: lost\ndata: {"id":')
    if (n % 3 === 1) server.end()
    else server.cut()
    await t.waitFor(() => server.requests.length === n + 2, {
      seen: `The connection was lost${n === 0 ? '' : ` for the ${n + 1}th time`.replace('2th', '2nd').replace('3th', '3rd')}, and retry was 1 ms, but the client did not reconnect.`,
      expected: 'Expected the client to reconnect, however often the connection is lost.',
      often:
        n === 0
          ? "your code calls close() on 'error', although the EventSource is about to reconnect."
          : 'your code limits how often the client reconnects. An EventSource reconnects by itself each time.',
    })
    t.transcript.step('the client has reconnected')
    const had = server.requests.at(-1)!.get('last-event-id')
    must(had === id, {
      seen: `The last event had the ID "${id}", but the client reconnected ${had === undefined ? 'without Last-Event-ID' : `with Last-Event-ID: ${excerpt(had)}`}.`,
      expected: `Expected the header Last-Event-ID: ${id}, which an EventSource sends by itself.`,
      often: "your code makes a new EventSource on 'error'. The new one does not know the last ID.",
    })
    server.send(`id: ${quake.id}\ndata: ${JSON.stringify(quake)}\n\n`)
    await t.waitFor(() => watcher.got.length === n + 2, noQuake(quake))
    id = quake.id
    must(watcher.overs === 0, {
      seen: 'The connection was lost, the client reconnected, and onOver() was called.',
      expected: 'Expected onOver() to be called only when no more quakes will arrive.',
      often:
        "your code treats every 'error' as the end of the stream. Only readyState CLOSED means the end.",
    })
  }

  // Dozens of consecutive losses, without an answer in between.
  server.stopAnswering()
  const before = server.requests.length
  for (let lost = 0; lost < sampleSize(28); lost += 1) {
    server.cut()
    await t.waitFor(() => server.requests.length === before + lost + 1, {
      seen: `The connection was lost, ${lost} attempts to reconnect were cut without an answer, and the client did not try again.`,
      expected: 'Expected the client to try again, however often the connection is lost.',
      often:
        'your code limits the number of attempts. An EventSource tries again by itself each time.',
    })
  }
  server.resumeAnswering()
  server.send(`id: ${last.id}\ndata: ${JSON.stringify(last)}\n\n`)
  await t.waitFor(() => watcher.got.length === more.length + 2, noQuake(last))
  must(watcher.overs === 0, {
    seen: 'The connection was lost again and again, the client reconnected, and onOver() was called.',
    expected: 'Expected onOver() to be called only when no more quakes will arrive.',
  })
})

check('2.7d', 'the function that watchQuakes() returns disconnects the client', async (t) => {
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
        seen: 'The connection was lost, but the client did not reconnect.',
        expected: 'Expected the client to reconnect.',
      })
      t.transcript.step('the client has sent its request again, and is waiting for an answer')
    }
    t.transcript.step('the function that watchQuakes() returned is called')
    if (when !== 'in onQuake()') watcher.stop()
    await t.waitFor(() => server.openResponses === 0, {
      seen: `The returned function was called${PLACES[when]}, but the client stayed connected.`,
      expected: 'Expected the function to close the connection.',
      ...(isLost && {
        often:
          'your code calls close() only if readyState is OPEN. close() also ends the attempts to reconnect.',
      }),
      ...(when === 'asked' && {
        often: "your code calls close() only after 'open'. close() also ends the first attempt.",
      }),
      ...(when === 'open' && {
        often:
          'your code removes the listeners, but the EventSource stays connected. close() ends the connection.',
      }),
    })
    t.transcript.step('the client has closed the connection')
    must(watcher.overs === 0, {
      seen: 'The returned function was called, and it called onOver().',
      expected:
        'Expected onOver() to be called only when the server has nothing more to send. Here it was the client that stopped.',
      often: 'your code calls onOver() in the returned function.',
    })
  }

  const server = await scriptedServer(t)
  const stops = await watch(t, server)
  const stays = await watch(t, server)
  // Time for the second watcher's request.
  await turns(200)
  t.transcript.step('two watchers watch the same stream, and the first one is stopped')
  stops.stop()
  await turns(20)
  server.send(`retry: 10\n\ndata: ${JSON.stringify(next)}\n\n`)
  await t.waitFor(() => stays.got.length === 1, {
    seen: 'Two watchers were watching the same stream. The first one was stopped, and then the second one got no more quakes.',
    expected: 'Expected each returned function to stop only its own watcher.',
    often:
      'your code keeps the EventSource in a variable outside watchQuakes(), which all calls share.',
  })
  stays.stop()
})

const PLACES = {
  open: '',
  lost: ' while the client was reconnecting',
  asked: ' before the server had answered',
  'in onQuake()': ' in onQuake()',
}

check('2.7e', 'onOver() is called once, after the client has given up', async (t) => {
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
      seen: `The response ended and the next request got ${gets}, but onOver() was not called.`,
      ...(status === 204
        ? {
            expected:
              'Expected a call to onOver(), because a 204 says that no more quakes will arrive.',
            often: "your code does not listen for 'error', or does not check readyState there.",
          }
        : {
            expected: 'Expected a call to onOver(), because the EventSource has given up.',
            often: 'your code checks only for status 204. readyState CLOSED covers every case.',
          }),
    })
    t.transcript.step('onOver() was called')
    // A fence: when a second watcher has got its quake, a second call would have happened.
    await getsQuake(t)
    must(watcher.overs === 1 && server.requests.length === 2, {
      // The exact number depends on the machine.
      seen: `The stream was over, onOver() was called ${watcher.overs === 1 ? 'once' : 'more than once'}, and the client made ${server.requests.length > 2 ? 'more than two' : server.requests.length} requests.`,
      expected: `Expected one call to onOver(), and two requests, the second of which gets ${gets}.`,
      often: "your code calls onOver() on every 'error', or makes a new EventSource there.",
    })
    watcher.stop()
    must(watcher.overs === 1, {
      seen: 'The stream was over and onOver() had been called, but the returned function called onOver() a second time.',
      expected: 'Expected only one call to onOver().',
    })
  }
})

edgeCase('2.7f', 'a watcher that has stopped leaves no timer running', async (t) => {
  const timers = t.trackTimers()
  const [quake] = quakes(1)
  for (let n = 0; n < 6; n += 1) {
    const server = await scriptedServer(t)
    const watcher = await watch(t, server)
    server.send(`retry: 1\n\ndata: ${JSON.stringify(quake)}\n\n`)
    await t.waitFor(() => watcher.got.length === 1, noQuake(quake))
    const isOver = n % 3 === 2
    if (n % 3 > 0) await loses(server, watcher, isOver)
    // After onOver() there is nothing to stop.
    if (!isOver) watcher.stop()
  }
  await t.waitFor(() => timers.alive() === 0, {
    seen: () =>
      `Six watchers ended: two were stopped while connected, two were stopped while reconnecting, and the streams of two were over. ${timers.alive()} of their timers were still running.`,
    expected:
      'Expected no timer to be left running, because a watcher must clear every timer that it starts.',
    often:
      'your code does not call clearInterval() when you stop watching, or when the stream is over.',
  })
  t.transcript.step('no timer is running')

  /** Cuts the connection. After that, the server either does not answer or answers 204. */
  async function loses(server: ScriptedServer, watcher: Watcher, isOver: boolean): Promise<void> {
    if (isOver) server.answer(204)
    else server.stopAnswering()
    server.cut()
    await t.waitFor(() => server.requests.length === 2, {
      seen: 'The connection was lost, but the client did not reconnect.',
      expected: 'Expected the client to reconnect.',
    })
    if (!isOver) return
    await t.waitFor(() => watcher.overs > 0, {
      seen: 'The server answered 204, but onOver() was not called.',
      expected: 'Expected a call to onOver(), because a 204 says that no more quakes will arrive.',
    })
  }
})

// Events

type Fields = Parameters<typeof encodeEvent>[0]

/** Generates texts made of at least one of these units. */
function textOf(...units: string[]): fc.Arbitrary<string> {
  return fc.string({ unit: fc.constantFrom(...units), minLength: 1, maxLength: 8 })
}

/**
 * Requires that each text, encoded and parsed again, is the data of one event, with LF for every line end. Reports the
 * first wrong example, or else the smallest wrong text that was generated.
 */
function mustKeepData(
  t: Tools,
  examples: string[],
  texts: fc.Arbitrary<string>,
  { often }: { often: string | (() => string) },
): void {
  const comesBack = (data: string): boolean => {
    // Whatever the event leaves in the parser shows in the next one.
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
    seen: `encodeEvent(${describeFields({ data })}) returned ${quote(encoded)}. A client reads ${describeEvents(encoded)}.`,
    expected: `Expected a client to read one event with the data ${quote(withLineFeeds(data))}.`,
    often: losesLastLine(data, encoded)
      ? 'your code drops the line end at the end of data. That line end means that one more, empty line follows.'
      : typeof often === 'string'
        ? often
        : often(),
  })
}

/** Returns whether only empty lines at the end are missing. */
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

/** Returns the text as a client gets it, with LF for every line end. */
function withLineFeeds(data: string): string {
  return data.replace(/\r\n?/g, '\n')
}

function encode(t: Tools, fields: Fields): string {
  // Two steps, so that both can be seen in a narrow column.
  t.transcript.step(`encodeEvent(${describeFields(fields)})`)
  const encoded = encodeEvent(fields)
  t.transcript.step(`  returned ${quote(encoded)}`)
  return encoded
}

/** Returns the encoded event, or undefined if encodeEvent() throws. */
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

/** Describes the events that a client reads: `an event (data "x") and an event (data "y")`. */
function describeEvents(encoded: string): string {
  const { events, parser } = parseEvents(encoded)
  const parts = events.map(describeAnEvent)
  return parser.unfinished === ''
    ? parts.join(' and ') || 'no event'
    : `${parts.join(' and ') || 'no event'}, and then fields without a blank line`
}

function describeAnEvent(event: StreamEvent): string {
  return `an event (${describeEvent(event)})`
}

function describeRetry(encoded: string): string {
  const { retry } = parseEvents(encoded).parser
  return retry === undefined ? 'no valid "retry" field' : `a "retry" field of ${retry} ms`
}

// Streams

const withHeartbeats: CreateApp = (feed) => createApp(feed, { heartbeatMs })

const FEED_ERROR = 'no word from the network'

/** Returns the server of an app that opens several feeds, together with the feed that it opens next. */
function servedFrom(t: Tools, feed: ControlledFeed, server: TestServer): ServedFeed {
  return { feed, server, open: (name) => openStream(t, feed, server, PATH, name) }
}

/** Opens a stream and reads `count` quakes from it. */
async function streamAfterQuakes(
  t: Tools,
  { feed, open }: ServedFeed,
  count: number,
): Promise<OpenStream & { feed: ControlledFeed }> {
  const stream = await open()
  const story = {
    seen: 'No byte of the body arrived.',
    expected: 'Expected the "retry" field to be sent immediately.',
  }
  await stream.events.firstBytes(story)
  for (const quake of quakes(count)) {
    feed.release(quake)
    await stream.events.next(noEvent(quake))
  }
  return { ...stream, feed }
}

/** Tracks the learner's timers. The timers that the first client leaves may stay, because one timer may serve all clients. */
function trackHeartbeats(t: Tools): {
  comesAndGoes(served: Pick<ServedFeed, 'server' | 'open'>, name: string): Promise<void>
  /** Waits until no other timers are left. */
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
        expected: 'Expected no timer to be left running, because nothing will ever clear it.',
        ...story,
      })
      t.transcript.step('no timer is running')
    },
  }
}

/** Sends a request to slow login middleware. The returned function disconnects, and then lets the request pass. */
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
  seen: 'The slow client resumed reading, but it did not get all its events.',
  expected: 'Expected the stream to continue where it stopped.',
  often: 'your handler stops for good when res.write() returns false. But false only means "wait".',
}

function noEvent(quake: Quake): Story {
  return {
    seen: `The feed released ${describeQuake(quake)}, but no event reached the client.`,
    expected: 'Expected an event to be sent for each quake.',
  }
}

const noHeartbeat: Story = {
  seen: 'While the feed was idle, the client got no heartbeats.',
  expected: 'Expected a comment to be sent at every interval.',
}

// Vectors

function mustParse(t: Tools, ...cases: Cases): Promise<void> {
  return mustReadEvents(t, parseEventStream, ...cases)
}

/** Reads each case in one piece, and then byte by byte, because a parser may lose fields at the end of a chunk. */
async function mustParseFields(t: Tools, ...[vectors, often]: Cases): Promise<void> {
  await mustParse(t, vectors, often, inOnePiece)
  await mustParse(
    t,
    vectors,
    'at the end of a chunk, your parser forgets what it has already read. Keep that state for the next chunk.',
    byteByByte,
  )
}

type Cases = Parameters<typeof mustReadEvents> extends [unknown, unknown, ...infer Rest] ? Rest : []

type Theme = (typeof THEMES)[number][0]

/** The tags of each theme. A case belongs to the first theme that matches. */
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
  return allCases()
    .filter(({ theme }) => themes.includes(theme))
    .map(({ vector }) => vector)
}

function themeOf(vector: SseVector): Theme {
  const { tags, chunks, events } = vector
  const isAscii = chunks.every((chunk) => chunk.every((byte) => byte < 0x80))
  const isNamed = events.some(({ type }) => type !== 'message')
  const has = (mark: string): boolean =>
    tags.includes(mark) || (mark === 'utf8' && !isAscii) || (mark === 'event' && isNamed)
  const fits = ([name, marks]: (typeof THEMES)[number]): boolean =>
    marks.some(has) && (!ABOUT_LINES.includes(name) || hasOnlyData(vector))
  return THEMES.find(fits)?.[0] ?? 'data'
}

/** The themes of task 2.5, in which every event must be readable without task 2.6. */
const ABOUT_LINES: readonly Theme[] = ['utf-8', 'line ends', 'chunks']

/** Returns whether each line is blank or begins with "data: ", as in the events that task 2.5 reads. */
function hasOnlyData({ chunks }: SseVector): boolean {
  return Buffer.concat(chunks)
    .toString()
    .split(/\r\n|\n|\r/)
    .every((line) => line === '' || line.startsWith('data: '))
}

/** Reads the cases from their file, and finds their themes, only once. */
function allCases(): Case[] {
  loaded ??= sseVectors().map((vector) => ({ vector, theme: themeOf(vector) }))
  return loaded
}

type Case = { vector: SseVector; theme: Theme }

let loaded: Case[] | undefined

/** Separates the case of that name, which has its own likely cause, from the others. */
function partition(name: string, vectors: SseVector[]): [SseVector[], SseVector[]] {
  return [
    vectors.filter((vector) => vector.name === name),
    vectors.filter((vector) => vector.name !== name),
  ]
}

/** Returns whether a `fatal` TextDecoder threw the error. */
function isDecodingError(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | undefined)?.code === 'ERR_ENCODING_INVALID_ENCODED_DATA'
}

/** Returns the same two events with each kind of line end. */
function lineEnds(): SseVector[] {
  return ['\n', '\r\n', '\r'].map((end) => {
    const lines = ['data: a', 'data: b', '', 'data: c', '']
    return {
      name: 'line ends',
      level: 'spec',
      tags: ['eol'],
      why: 'CRLF, LF and CR each end a line of an event stream.',
      chunks: [Buffer.from(lines.map((line) => line + end).join(''))],
      events: [
        { type: 'message', data: 'a\nb', lastEventId: '' },
        { type: 'message', data: 'c', lastEventId: '' },
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
  /** The values that onQuake() was called with. */
  readonly got: readonly unknown[]
  /** The number of calls to onOver(). */
  readonly overs: number
  stop(): void
}

/** Watches a server until the check ends. Resolves after the first request. */
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
    seen: 'watchQuakes(url) was called, but no request for the URL arrived.',
    expected: 'Expected the client to send a GET request.',
  })
  t.transcript.step('the client has requested the stream')

  function stop(): void {
    try {
      close()
    } catch (error) {
      throw new Failure({
        seen: `The function that watchQuakes() returned was called, and threw ${describeError(error)}`,
        expected: 'Expected the function to close the connection.',
        often:
          'your code returns source.close, which does not know its EventSource. Return () => source.close().',
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

/** Starts a separate watcher and server, and waits until a quake arrives. */
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
    seen: `The server sent ${describeQuake(quake)}, but onQuake() was not called.`,
    expected: 'Expected a call to onQuake() with the quake.',
  }
}
