import { getEventListeners } from 'node:events'
import { followQuakes } from '#work/06-resume/client.ts'
import { watchQuakes } from '#work/06-resume/watch.ts'
import { createHistory } from '../solutions/05-replay/history.ts'
import { createApp } from '../solutions/05-replay/server.ts'
import { check, must, type Tools, edgeCase } from './harness/check.ts'
import { deepEqual } from './harness/equality.ts'
import { turns } from './harness/event-loop.ts'
import { describeError, type Story } from './harness/failure.ts'
import { awkwardQuakes, describeQuake, numberedQuakes, quakes } from './harness/quakes.ts'
import { ControlledClock } from './harness/reconnection/controlled-clock.ts'
import { cutAfterEachByte, ONE_IN_A_HEAD, type Cut } from './harness/reconnection/cut.ts'
import { runCutPlans } from './harness/reconnection/cut-plans.ts'
import { cuttingServer } from './harness/reconnection/cutting-server.ts'
import {
  eventOf,
  follow,
  followTimed,
  notGiven,
  QUICK,
} from './harness/reconnection/follow-quakes.ts'
import { counted, idsOf, listed } from './harness/reconnection/wording.ts'
import { ODD_IDS } from './harness/reconnection/odd-ids.ts'
import { mustHaveCursor, waitForRequest } from './harness/reconnection/requests.ts'
import { mustEndWell } from './harness/reconnection/scenarios.ts'
import { sampleEvery, sampleSize } from './harness/sampling.ts'
import { scriptedServer, type ScriptedServer } from './harness/scripted-server.ts'
import { excerpt, excerptJson, SILENT } from './harness/transcript.ts'

// 6.1 A client that reconnects

check('6.1a', 'each quake is yielded as soon as its event is complete', async (t) => {
  const { got, requested, delivers } = await follow(t)
  await requested(1)
  // Leave out the two corrections at the end, because 6.1l tests a quake that arrives with another event ID.
  for (const [n, quake] of awkwardQuakes().slice(0, -2).entries()) {
    await delivers(quake, `n-${n}`)
    must(deepEqual(got[n], quake), {
      seen: `The server sent ${excerptJson(quake)} and followQuakes() yielded ${excerptJson(got[n])}`,
      expected: 'Expected followQuakes() to yield that quake unchanged.',
    })
  }
})

check(
  '6.1b',
  'the first request has no Last-Event-ID, and later requests have the last ID',
  async (t) => {
    const { server, requested, delivers, hasCursor } = await follow(t)
    const odd = ['n/0 =%', ...ODD_IDS].filter((_, n) => n % sampleEvery() === 0)
    for (const [n, quake] of quakes(odd.length).entries()) {
      await requested(n + 1)
      hasCursor(n + 1, odd[n - 1], AS_IT_CAME, ID_LOST)
      must(n > 0 || server.requests[0]!.get('Last-Event-ID') === undefined, {
        seen: 'Request 1 had an empty Last-Event-ID.',
        expected:
          'Expected request 1 to have no Last-Event-ID, because the client has not seen an event yet.',
      })
      await delivers(quake, odd[n])
      server.cut()
    }
    await requested(odd.length + 1)
    hasCursor(odd.length + 1, odd.at(-1), AS_IT_CAME, ID_LOST)
  },
)

check('6.1c', 'a response that ends counts as a lost connection', async (t) => {
  const { server, requested, delivers, hasCursor } = await follow(t)
  const [first, second] = quakes(2)
  await requested(1)
  await delivers(first, 'n-0')
  server.end()
  await requested(2)
  hasCursor(2, 'n-0')
  await delivers(second, 'n-1')
})

check('6.1d', 'an incomplete event is ignored', async (t) => {
  const { server, got, requested, delivers, hasCursor } = await follow(t)
  const [first, second] = quakes(2)
  await requested(1)
  await delivers(first, 'n-0')
  server.send(eventOf(second, 'n-1').slice(0, -1), 'an event without its blank line')
  server.end()
  await requested(2)
  hasCursor(2, 'n-0', 'The event n-1 was cut off before its blank line, so its ID does not count.')
  server.send(eventOf(second, 'n-1'))
  await t.waitFor(() => got.length > 1, notGiven(second))
  must(got.length === 2, {
    seen: `An event was cut off before its blank line and then arrived in full, but followQuakes() yielded ${counted(got.length - 1, 'quake')} for it.`,
    expected: 'Expected followQuakes() to yield the quake of that event once.',
  })
})

check('6.1e', 'an event that arrives twice is yielded once', async (t) => {
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
    seen: 'The server sent n-3, but followQuakes() did not yield its quake.',
    expected: 'Expected followQuakes() to yield the quake of that event.',
  })
  const gave = got.map(({ id }) => `n-${idsOf(happened).indexOf(id)}`)
  must(deepEqual(got, happened), {
    seen: `The server sent n-0 and n-1 again, and followQuakes() yielded ${listed(gave)}.`,
    expected: 'Expected followQuakes() to yield each quake once: n-0, n-1, n-2, n-3.',
    often:
      'your client does not remember IDs. A server that promises "at least once" may send an event twice.',
  })
})

check('6.1f', 'an event that is not a quake is skipped, but its ID counts', async (t) => {
  const { server, got, requested, hasCursor } = await follow(t)
  const [quake, next] = quakes(2)
  await requested(1)
  server.send('id: bad\ndata: {"id":\n\n')
  server.send(eventOf(quake, 'bad'))
  const story = {
    expected: 'Expected your client to skip that event and to yield the quake after it.',
    often: 'your client treats an error from JSON.parse() as a lost connection.',
  }
  await t.waitFor(() => got.length === 1, {
    seen: 'An event whose data is not JSON arrived, then a quake with the same ID, but followQuakes() did not yield the quake.',
    expected:
      'Expected followQuakes() to yield the quake, because it has not yielded an event with that ID before.',
    often:
      'your client treats an error from JSON.parse() as a lost connection, or remembers the ID of the skipped event as seen.',
  })
  must(deepEqual(got[0], quake) && server.requests.length === 1, {
    seen: `An event whose data is not JSON arrived, and followQuakes() yielded ${excerptJson(got[0])}${server.requests.length > 1 ? ' on another connection' : ''}.`,
    ...story,
  })
  server.send('event: weather\nid: other\ndata: {"rain":true}\n\nid: silent\n\n')
  server.send(eventOf(next))
  await t.waitFor(() => got.length >= 2, notGiven(next))
  must(deepEqual(got[1], next), {
    seen: `An event named "weather" arrived, and followQuakes() yielded ${excerptJson(got[1])}.`,
    expected: 'Expected followQuakes() to yield only the quakes of events without a name.',
  })
  server.cut()
  await requested(2)
  hasCursor(2, 'silent', 'The last ID arrived in a block without data, but it counts all the same.')
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

edgeCase('6.1g', 'an empty ID clears the last ID', async (t) => {
  const { server, got, requested, hasCursor } = await follow(t)
  const [first, second] = quakes(2)
  await requested(1)
  server.send(eventOf(first, 'n-0'))
  server.send(eventOf(second, ''))
  await t.waitFor(() => got.length === 2, notGiven(second))
  server.cut()
  await requested(2)
  hasCursor(2, undefined, 'The server sent an empty ID, which clears the last ID.')
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

check('6.1h', 'onGap() is called for each gap, in order with the quakes', async (t) => {
  const { server, got, gaps, requested } = await follow(t)
  const [first, second] = quakes(2)
  await requested(1)
  server.send(`${eventOf(first, 'n-0')}${GAP_EVENT}${eventOf(second, 'n-1')}`)
  await t.waitFor(() => got.length === 2, notGiven(second))
  must(deepEqual(gaps, [1]), {
    seen: `A quake, a gap and a quake arrived, ${gaps.length === 0 ? 'but onGap() was not called' : `and onGap() was called after ${gaps.join(' and ')} quakes`}.`,
    expected: 'Expected one call to onGap(), between the two quakes.',
    often: 'your client does not check block.type, or it calls onGap() for each connection.',
  })
  for (const [n, [sent, name, often]] of (
    [
      [
        'event: gapless\ndata: {"rain":true}\n\n',
        'An event named "gapless"',
        'your client treats every named event as a gap, or every event whose name begins with "gap".',
      ],
      [
        'event: gap\n\n',
        'A block with "event: gap" but without data',
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
      expected: 'Expected onGap() to be called only for events named "gap" that have data.',
      often,
    })
  }
})

edgeCase('6.1i', 'each request has the method, headers and body of init', async (t) => {
  const server = await scriptedServer(t)
  // `{ ...headers }` would copy nothing from this object.
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
      seen: `Request ${n + 1} was a ${request.method} with ${authorization === undefined ? 'no Authorization' : `Authorization: ${authorization}`} and the body "${excerpt(body.join(''))}".`,
      expected: 'Expected each request to have the values of init: POST, Bearer x, {"min":5}.',
      often:
        'your client passes init only to the first request, replaces its headers, or copies them with { ...headers }, which copies nothing from a Headers object.',
    })
    hasCursor(n + 1, n === 0 ? undefined : 'n-0')
    await delivers(quake, `n-${n}`)
    server.cut()
  }
  const names = [...headers.keys()]
  must(deepEqual(names, ['authorization']), {
    seen: `The Headers object of init now contains ${names.join(', ')}.`,
    expected:
      'Expected your client not to change that object, because the caller may use it for other requests.',
    often:
      'your client sets Last-Event-ID in init.headers itself. Set it in a copy: new Headers(init.headers).',
  })
})

check('6.1j', 'leaving the loop cancels the request', async (t) => {
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
    seen: 'The caller left the loop after a quake, but followQuakes() did not return.',
    expected: 'Expected followQuakes() to return.',
  })
  await t.waitFor(() => server.openResponses === 0, {
    seen: 'The caller left the loop, but the request stayed open.',
    expected: 'Expected the request to be cancelled.',
    often: 'your client does not abort the request in a finally block.',
  })
})

check('6.1k', 'aborting the signal ends the loop, even while nothing is arriving', async (t) => {
  const follower = await follow(t)
  const { server, requested, delivers, ends } = follower
  const [quake] = quakes(1)
  await requested(1)
  await delivers(quake, 'n-0')
  follower.abort()
  await ends('The signal aborted while nothing arrived')
  await t.waitFor(() => server.openResponses === 0, {
    seen: 'The signal aborted, but the request stayed open.',
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
    seen: 'The signal aborted at the first of three quakes, but the loop continued.',
    expected: 'Expected followQuakes() to return.',
  })
  must(given === 1, {
    seen: `Three quakes arrived together and the signal aborted at the first, but followQuakes() yielded ${given} of them.`,
    expected:
      'Expected followQuakes() to yield only the first quake, because a caller that aborts wants no more quakes.',
    often: 'your client cancels the request, but still yields quakes that have already arrived.',
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
    seen: 'The signal aborted in onGap(), but the loop continued.',
    expected: 'Expected followQuakes() to return.',
  })
  must(given === 0, {
    seen: 'The signal aborted in onGap(), but followQuakes() yielded the quake that arrived with the gap.',
    expected: 'Expected followQuakes() to yield no quake after the signal has aborted.',
  })
}

/** Checks an abort before the first request, and an abort before the head. */
async function endsBeforeHead(t: Tools): Promise<void> {
  for (const isEarly of [true, false]) {
    const server = await scriptedServer(t)
    server.stopAnswering()
    const abort = new AbortController()
    t.atEnd(() => abort.abort())
    const when = isEarly
      ? 'The signal had aborted before followQuakes() was called'
      : 'The signal aborted before the server had answered'
    if (isEarly) abort.abort()
    t.transcript.step(
      `followQuakes() is called${isEarly ? ' with a signal that has already aborted' : ''}`,
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
      seen: `${when}, but the loop continued.`,
      expected: 'Expected followQuakes() to return.',
    })
    must(failed === undefined, {
      seen: `${when}, but followQuakes() threw ${describeError(failed?.error)}.`,
      expected: 'Expected followQuakes() to return without an error.',
    })
    await t.waitFor(() => server.openResponses === 0, {
      seen: `${when}, but the request stayed open.`,
      expected: 'Expected the request to be cancelled.',
    })
    must(!isEarly || server.requests.length === 0, {
      seen: `${when}, but followQuakes() made a request.`,
      expected: 'Expected followQuakes() to make no request.',
    })
  }
}

edgeCase('6.1l', 'only the ID of an event decides whether it is new', async (t) => {
  const { server, got, requested } = await follow(t)
  const [quake, last] = quakes(2)
  const again = eventOf(quake)
  for (const [sent, how, often] of [
    [
      [eventOf(quake, 'n-0'), eventOf(quake, 'n-1')],
      'with the same quake and the IDs n-0 and n-1',
      'your client compares the IDs of quakes. Only the ID of the event decides whether it is new.',
    ],
    [
      [again, again],
      'with the same quake and no ID',
      'your client compares something else if an event has no ID. Always yield an event without an ID.',
    ],
    [
      [eventOf(quake, ''), eventOf(quake, '')],
      'with the same quake and an empty ID',
      'your client remembers the empty ID like any other ID. Always yield an event with an empty ID.',
    ],
  ] as const) {
    const before = got.length
    await requested(1)
    server.send(sent.join(''), `two events ${how}`)
    server.send(eventOf(last, `after-${before}`))
    await t.waitFor(() => deepEqual(got.at(-1), last) && got.length > before, notGiven(last))
    must(got.length === before + 3, {
      seen: `Two events arrived ${how}, then a third event, but followQuakes() yielded ${counted(got.length - before, 'quake')}.`,
      expected: 'Expected followQuakes() to yield 3 quakes.',
      often,
    })
  }
})

edgeCase('6.1m', 'the client remembers at least the last hundred IDs', async (t) => {
  const server = await scriptedServer(t)
  const { got } = await follow({ ...t, transcript: SILENT }, { server })
  const count = sampleSize(1400)
  const happened = numberedQuakes(count + 1)
  const events = happened.map((quake, n) => eventOf(quake, `n-${n}`))
  await waitForRequest(t, server, 1)
  let sent = 0
  // Steps of an uneven size reveal a set that is cleared as soon as it is full.
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
      expected: `Expected followQuakes() to yield ${sent} quakes, each once.`,
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
      seen: `The server sent ${end} events with different IDs, but followQuakes() yielded ${counted(given, 'quake')}.`,
      expected: 'Expected followQuakes() to yield a quake for each event.',
    })
  }
  t.transcript.step(
    `the server sent ${count} events with different IDs, then the first event again`,
  )
  server.send(`${event(0)}data: {}\n\n`)
  await t.waitFor(() => given > count, {
    seen: 'The server sent an event without an ID, but followQuakes() did not yield its quake.',
    expected: 'Expected followQuakes() to yield the quake of that event.',
  })
  await turns(5)
  must(given === count + 2, {
    seen: `The server sent ${count} events with different IDs, then the first event again, and the client still remembered its ID.`,
    expected: `Expected your client to remember at most the last ${MOST_IDS} IDs, because a stream may run for months.`,
    often: 'your client never removes an ID from its set.',
  })
}

edgeCase('6.1n', 'a gap clears neither the last ID nor the remembered IDs', async (t) => {
  const { server, got, gaps, requested, hasCursor } = await follow(t)
  const [first, second] = quakes(2)
  await requested(1)
  server.send(eventOf(first, 'n-0'))
  server.send(`${GAP_EVENT}${eventOf(first, 'n-0')}${eventOf(second, 'n-1')}`)
  await t.waitFor(() => deepEqual(got.at(-1), second), notGiven(second))
  must(got.length === 2, {
    seen: 'The event n-0 arrived, then a gap, then n-0 again, and followQuakes() yielded its quake twice.',
    expected:
      'Expected followQuakes() to yield that quake once. After a gap, the server sends every entry that it keeps, even entries that the client already has.',
    often: 'your client clears its set of IDs at a gap.',
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
  hasCursor(3, 'of-a-gap', 'An ID in a gap counts like an ID in any other block.')
})

// 6.2 A client that waits

check('6.2a', 'after a lost connection, the client waits and reports the wait', async (t) => {
  const { server, states, clock, opens, backsOffFor } = await followTimed(t)
  await opens(1)
  server.cut()
  const ms = await backsOffFor(
    500,
    1,
    'random() returns 0.5, baseMs is 1000, and a connection was lost',
  )
  clock.advance(ms)
  await opens(2)
  const names = states.map(({ name }) => name)
  const wanted = ['connecting', 'open', 'waiting', 'connecting', 'open']
  must(deepEqual(names, wanted), {
    seen: `onState() was called with ${listed(names)}.`,
    expected: `Expected onState() to be called with ${wanted.join(', ')}.`,
  })
  const { why } = states[2] as { why: string }
  must(typeof why === 'string' && why !== '', {
    seen: `onState() was called with the state "waiting", but its "why" field was ${excerptJson(why)}.`,
    expected: 'Expected the "why" field to be a text that says why the connection was lost.',
  })
})

check('6.2b', 'the longest wait doubles with each failure, up to maxMs', async (t) => {
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
      `random() returns 0.5, and there were ${n + 1} consecutive failures`,
    )
  }
  // Many failures reveal a client that computes 1 << 31, which is negative.
  for (let n = 6; n < 6 + sampleSize(36); n += 1) {
    clock.advance(clock.nextDueMs!)
    await requested(n + 1)
    await backsOffFor(
      5000,
      n + 1,
      `random() returns 0.5, and there were ${n + 1} consecutive failures`,
    )
  }
})

check('6.2c', 'each wait is a random fraction of the longest wait', async (t) => {
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
      `random() returns ${share}, baseMs is 1000, and there was one failure`,
    )
    await close()
  }
})

check('6.2d', 'a new quake resets the count of failures', async (t) => {
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
    'After three consecutive failures, a quake arrived, and then the connection was lost',
  )
})

edgeCase(
  '6.2e',
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
          ? 'random() returns 0.5, a quake arrived, and the connection was lost'
          : `random() returns 0.5, and ${n + 1} consecutive connections were opened and lost. After the first connection, only the same quake, data that is not JSON and a gap arrived`,
        'your client resets its count of failures when a response head, any event or a repeated quake arrives, or it does not count a response that ends.',
      )
      clock.advance(ms)
    }
  },
)

check('6.2f', 'a retry field replaces baseMs for every later wait', async (t) => {
  const { server, got, gaps, clock, opens, backsOff, backsOffFor } = await followTimed(t)
  const [quake] = quakes(1)
  await opens(1)
  server.send(`retry: 80\n\n${eventOf(quake, 'n-0')}`)
  await t.waitFor(() => got.length === 1, notGiven(quake))
  server.cut()
  const first = await backsOffFor(
    40,
    1,
    'random() returns 0.5, and the server had sent retry: 80',
    'your client ignores block.retry, or treats it as seconds.',
  )
  clock.advance(first)
  await opens(2)
  server.cut()
  await backsOffFor(
    80,
    2,
    'The server sent retry: 80 on the first connection, and two connections were lost',
    'your client forgets the retry field when it reconnects.',
  )
  for (const [n, [retry, expected, often]] of (
    [
      [
        80,
        160,
        'your client resets its count of failures when a retry field arrives. Only a new quake resets that count.',
      ],
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
      `random() returns 0.5, maxMs is 30000, the server sent retry: ${retry}, and ${n + 3} consecutive connections were lost`,
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
    seen: `random() returns 0.5, the server sent retry: 0, 5 consecutive connections were lost, and the client waited ${ms} ms.`,
    expected:
      'Expected a wait of more than 0 ms and at most 30,000 ms, because a retry of 0 must not disable the backoff. Treat 0 as 1 ms.',
    ...(ms === 0 && {
      often:
        'your client multiplies by a retry of 0, so the wait is 0 however many connections have failed.',
    }),
  })
})

check('6.2g', 'Retry-After is added to the next wait', async (t) => {
  for (const isDate of [false, true]) {
    const header = isDate ? 'a Retry-After date that is 120 seconds away' : 'Retry-After: 120'
    const server = await scriptedServer(t)
    const clock = new ControlledClock(t.transcript)
    const later = isDate ? new Date(clock.now() + 120_000).toUTCString() : '120'
    server.answer(503, { 'Retry-After': later })
    const { backsOff, backsOffFor, close } = await followTimed(t, { server, clock })
    const ms = await backsOff()
    must(ms === 120_500 && clock.nextDueMs === ms, {
      seen: `The server answered 503 with ${header}, and the client slept for ${clock.nextDueMs} ms.`,
      expected:
        'Expected the client to sleep for 120,500 ms, which is 120 seconds plus the 500 ms of your backoff, because random() returns 0.5.',
      often:
        'your client ignores the header, treats it as milliseconds, compares a date with Date.now() instead of clock.now(), or leaves out one of the two waits.',
    })
    server.answer(503)
    clock.advance(ms)
    const next = await backsOffFor(
      1000,
      2,
      `random() returns 0.5, the server answered 503 with ${header}, then without that header`,
      'your client keeps Retry-After for later waits, but the header applies only to the next wait.',
    )
    const empty = isDate ? new Date(clock.now() - 60_000).toUTCString() : 'soon'
    server.answer(503, { 'Retry-After': empty })
    clock.advance(next)
    await backsOffFor(
      2000,
      3,
      `random() returns 0.5, and there were three consecutive failures, the last with ${isDate ? 'a Retry-After date that is a minute in the past' : 'Retry-After: soon'}`,
      'your client adds a negative wait, or NaN.',
    )
    await close()
  }
})

check('6.2h', 'temporary failures are retried', async (t) => {
  for (const status of [500, 502, 503, 504, 520, 599, 429, 408]) {
    const server = await scriptedServer(t)
    server.answer(status, { 'Retry-After': '7' })
    const { clock, opens, backsOff, close } = await followTimed(t, { server })
    const ms = await backsOff(1, `The server answered ${status}`)
    must(clock.nextDueMs === 7500, {
      seen: `The server answered ${status} with Retry-After: 7, and the client slept for ${clock.nextDueMs} ms.`,
      expected:
        'Expected the client to sleep for 7,500 ms, because random() returns 0.5 and Retry-After counts with every status that is retried.',
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
    seen: 'The server answered 503 with a body that does not end. The client waited, but the response was still open.',
    expected:
      'Expected the request to be cancelled. Otherwise each failure leaves one more connection open.',
    often:
      'your client reads the status but ignores the body. Abort the request, or cancel response.body.',
  })
  await close()
}

check('6.2i', 'permanent failures make followQuakes() throw', async (t) => {
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
      seen: `The server answered ${answer}, but followQuakes() did nothing.`,
      expected: 'Expected followQuakes() to throw.',
    })
    must(follower.error !== undefined, {
      seen: `The server answered ${answer}, but followQuakes() ${follower.ended ? 'returned without an error' : 'continued'}.`,
      expected:
        'Expected followQuakes() to throw, because the next answer would be the same, and the caller has to know about the error.',
      often: 'your client treats all statuses alike, or its own catch block swallows the error.',
    })
    await t.waitFor(() => server.openResponses === 0, {
      seen: `The server answered ${answer} and followQuakes() threw, but the response was still open.`,
      expected:
        'Expected the request to be cancelled, because nothing reads the body of the response.',
    })
    await follower.close()
  }
})

check('6.2j', 'a silent connection is cancelled after stallMs', async (t) => {
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
    seen: 'Nothing arrived for stallMs, but the old request stayed open.',
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
    'random() returns 0.5, a connection was silent for too long, and the next connection was cut',
    'your client does not count a silent connection as a failure.',
  )
  await follower.close()
  const unset = await followTimed(t, { stallMs: undefined })
  await unset.opens(1)
  await t.waitFor(() => unset.clock.nextDueMs !== undefined, {
    seen: 'stallMs was left out, and the client waited for bytes without calling clock.sleep().',
    expected: 'Expected your client to start a watchdog of 45 seconds.',
  })
  must(unset.clock.nextDueMs === 45_000, {
    seen: `stallMs was left out, and the watchdog would have fired after ${unset.clock.nextDueMs} ms.`,
    expected:
      'Expected the watchdog to fire after 45,000 ms, which is three times the usual interval between heartbeats.',
  })
})

const ONLY_WHOLE =
  'your watchdog waits for whole blocks, but a long event may take longer than stallMs to arrive.'

edgeCase('6.2k', 'every byte restarts the watchdog', async (t) => {
  const { server, clock, opens, armsWatchdog } = await followTimed(t, {
    stallMs: 9000,
    random: () => 0,
  })
  await opens(1)
  await armsWatchdog(9000)
  let passedMs = 0
  for (const [sent, what, often] of [
    [
      ':\n\n',
      'a heartbeat',
      'only events restart your watchdog, but in a quiet hour only heartbeats arrive.',
    ],
    ['id: n-0\nda', 'part of an event', ONLY_WHOLE],
    ['ta: {', 'part of an event', ONLY_WHOLE],
  ] as const) {
    clock.advance(8000 - passedMs)
    const { useCount } = clock
    server.send(sent)
    const story = (): Story => ({
      seen: `8 of 9 seconds had passed when ${what} arrived, but the watchdog would still have fired after ${clock.nextDueMs} ms.`,
      expected: 'Expected the watchdog to fire 9 seconds after these bytes at the earliest.',
      often,
    })
    await t.waitFor(() => clock.useCount > useCount, story)
    // A watchdog may start another sleep for each byte, or sleep again when it wakes.
    passedMs = 1000
    clock.advance(passedMs)
    await t.waitFor(() => clock.nextDueMs === 9000 - passedMs, story)
  }
  must(server.requests.length === 1, {
    seen: 'Bytes arrived in time, but the client reconnected.',
    expected: 'Expected the client to stay connected.',
  })
})

edgeCase('6.2l', 'the watchdog also runs before the head arrives', async (t) => {
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
    seen: 'No head arrived for stallMs. The client reconnected, but the old request stayed open.',
    expected: 'Expected the request to be cancelled.',
  })
})

edgeCase('6.2m', 'a slow caller does not trigger the watchdog', async (t) => {
  const server = await scriptedServer(t)
  const clock = new ControlledClock(t.transcript)
  const abort = new AbortController()
  const options = { signal: abort.signal, clock, stallMs: 9000, random: () => 0 }
  const reading = followQuakes(server.url, options)[Symbol.asyncIterator]()
  t.atEnd(() => {
    abort.abort()
    // Do not wait for a client that ignores the signal, because another check tests that.
    return Promise.race([reading.return?.(undefined).catch(() => {}), turns()])
  })
  const [first, second] = quakes(2)
  t.transcript.step('followQuakes() is called and asked for a quake')
  const one = reading.next()
  await waitForRequest(t, server, 1, one)
  server.send(eventOf(first, 'n-0'))
  await t.withTimeout(one, notGiven(first))
  t.transcript.step('the caller is busy with the quake')
  let passedMs = 0
  for (let beat = 0; beat < 3; beat += 1) {
    clock.advance(8000 - passedMs)
    const { useCount } = clock
    server.send(':\n\n')
    // A client that reads ahead gets the heartbeat, and a client that does not read runs no watchdog.
    const isOff = (): boolean => clock.nextDueMs === undefined
    const story = (): Story => ({
      seen: `The caller was busy with a quake and heartbeats arrived, but the watchdog would have fired after ${clock.nextDueMs} ms.`,
      expected:
        'Expected either no watchdog while the caller is busy, or a watchdog that every heartbeat restarts.',
      often:
        'your watchdog keeps running while the caller is busy, but nothing reads the heartbeats during that time.',
    })
    await t.waitFor(() => isOff() || clock.useCount > useCount, story)
    passedMs = 1000
    clock.advance(passedMs)
    await t.waitFor(() => isOff() || clock.nextDueMs === 9000 - passedMs, story)
  }
  const two = reading.next()
  server.send(eventOf(second, 'n-1'))
  const { value } = await t.withTimeout(two, {
    seen: 'The caller took 24 seconds for a quake, and then followQuakes() did not yield the next quake.',
    expected:
      'Expected followQuakes() to yield the next quake from the same connection, because only the caller was slow.',
  })
  must(deepEqual(value, second) && server.requests.length === 1, {
    seen: `The caller took 24 seconds for a quake, and the client made ${counted(server.requests.length, 'request')}.`,
    expected: 'Expected the client to make one request, because no connection was lost.',
  })
})

edgeCase('6.2n', 'each sleep ends as soon as it is no longer needed', async (t) => {
  const follower = await followTimed(t, { stallMs: 9000 })
  const { server, got, clock, opens, ends, backsOff } = follower
  const [quake] = quakes(1)
  await opens(1)
  server.send(`:\n\n${eventOf(quake, 'n-0')}`)
  await t.waitFor(() => got.length === 1, notGiven(quake))
  server.cut()
  await backsOff()
  must(clock.sleeperCount === 1, {
    seen: `The client waited before reconnecting, and ${clock.sleeperCount} calls to sleep() were pending.`,
    expected:
      'Expected only one call to sleep() to be pending, because the watchdog has no connection to watch.',
    often: 'your watchdog keeps sleeping. Abort its signal when bytes have arrived.',
  })
  follower.abort()
  await ends('The signal aborted while the client waited')
  await t.waitFor(() => clock.nextDueMs === undefined && server.requests.length === 1, {
    seen: 'The signal aborted while the client waited, but a call to sleep() was still pending, or another request was made.',
    expected: 'Expected sleep() to end, and no request to follow.',
    often:
      'your client does not pass the signal to clock.sleep(), or it does not check the signal afterwards.',
  })
})

check('6.2o', 'status 204 ends the loop', async (t) => {
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
    seen: `The server answered 204. The last state passed to onState() was ${last?.name ?? 'missing'}, and the client made ${counted(server.requests.length, 'request')}.`,
    expected: 'Expected the last state to be "over", after 2 requests.',
  })
})

edgeCase('6.2p', 'a finished connection leaves no listener on the signal', async (t) => {
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
      seen: `After its first connection, the client had ${counted(first, 'listener')} on the signal, but later it had ${listeners}.`,
      expected:
        'Expected no more listeners than after the first connection, because the client may follow the stream for months.',
      often:
        'your client does not call removeEventListener() when the request is over, or it passes the signal itself to fetch().',
    })
    clock.advance(ms)
  }
})

// 6.3 Cut anywhere

check('6.3a', 'each quake is yielded once, wherever a response is cut', async (t) => {
  const { ids, responseLength, headLength, startClient } = await cuttingServer(t)
  const plans = [
    ...cutAfterEachByte('response', 0, headLength - 1, ONE_IN_A_HEAD),
    ...cutAfterEachByte('response', headLength, responseLength - 1),
  ].map((cut) => [cut])
  await runCutPlans(t, plans, startClient, {
    ids,
    often:
      'your client moves its cursor when it reads the id line, instead of when the event is complete.',
    sign: 'early id',
  })
})

edgeCase(
  '6.3b',
  'each quake is yielded once, even if the next connections are cut as well',
  async (t) => {
    const { ids, responseLength, headLength, startClient } = await cuttingServer(t)
    // The next cut: at once, in the head, in the middle of an event, between two events.
    const next = [1, headLength - 30, headLength + 20, headLength + 32]
    const twice = cutAfterEachByte('response', headLength, responseLength - 1).map(
      (cut, n): Cut[] => [cut, { of: 'response', after: next[n % next.length]! }],
    )
    // The client cannot know how many bytes of its request have arrived.
    const inARow: Cut[] = [
      { of: 'response', after: headLength + 38 },
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
  '6.3c',
  'in random sequences of faults, no quake is lost without a gap, and none arrives twice',
  (t) => mustEndWell(t, { createHistory, createApp, followQuakes }),
)

// 6.4 The same with an EventSource

check('6.4a', 'an EventSource reconnects with the last ID, and reports each quake', async (t) => {
  const server = await scriptedServer(t)
  const { got, states } = watch(t, server)
  for (const [n, quake] of quakes(3).entries()) {
    await waitForRequest(t, server, n + 1)
    mustHaveCursor(server, n + 1, n === 0 ? undefined : `n-${n - 1}`)
    server.send(`retry: 5\n\n${eventOf(quake, `n-${n}`)}`)
    await t.waitFor(() => got.length === n + 1, {
      seen: `The server sent ${describeQuake(quake)}, but onQuake() was not called.`,
      expected: 'Expected a call to onQuake() with that quake.',
    })
    must(deepEqual(got[n], quake), {
      seen: `onQuake() was called with ${excerptJson(got[n])}`,
      expected: `Expected a call with ${excerptJson(quake)}`,
    })
    if (n < 2) server.cut()
  }
  const wanted = ['connecting', 'open', 'connecting', 'open', 'connecting', 'open']
  must(deepEqual(states, wanted), {
    seen: `The connection was lost twice, and onState() was called with ${listed(states)}.`,
    expected: `Expected onState() to be called with ${wanted.join(', ')}.`,
    ...(states.includes('closed') && {
      often:
        "your code treats 'error' as the end. While readyState is CONNECTING, the EventSource is reconnecting.",
    }),
  })
})

edgeCase('6.4b', 'gaps and data that is not JSON are not reported as quakes', async (t) => {
  const server = await scriptedServer(t)
  const { got, gaps } = watch(t, server)
  const [quake] = quakes(1)
  await waitForRequest(t, server, 1)
  server.send(`${GAP_EVENT}data: no JSON\n\n${eventOf(quake, 'n-0')}`)
  await t.waitFor(() => got.length > 0, {
    seen: 'A gap, data that is not JSON and a quake arrived, but onQuake() was not called.',
    expected: 'Expected a call to onQuake() with that quake.',
    // The EventSource of Node swallows what its listeners throw.
    often: 'your code throws an error for data that is not JSON, and then handles no more events.',
  })
  must(deepEqual(gaps, [0]) && deepEqual(got, [quake]), {
    seen: `A gap, data that is not JSON and a quake arrived. onGap() was called ${counted(gaps.length, 'time')}, and onQuake() was called with ${excerptJson(got[0])}`,
    expected: 'Expected one call to onGap(), then one call to onQuake() with the quake.',
    often: 'your code listens only for "message". Named events need a listener with their name.',
  })
})

check('6.4c', 'the EventSource closes after 204, and when the caller stops it', async (t) => {
  const server = await scriptedServer(t)
  const { states, stop } = watch(t, server)
  await waitForRequest(t, server, 1)
  server.send('retry: 5\n\n')
  server.answer(204)
  server.end()
  await t.waitFor(() => states.at(-1) === 'closed', {
    seen: () => `The server answered 204, and onState() was called with ${listed(states)}.`,
    expected:
      'Expected the last state to be "closed", because the EventSource no longer reconnects.',
  })
  stop()
  const other = await scriptedServer(t)
  const watcher = watch(t, other)
  await waitForRequest(t, other, 1)
  t.transcript.step('the function that watchQuakes() returned is called')
  watcher.stop()
  await t.waitFor(() => other.openResponses === 0, {
    seen: 'The function that watchQuakes() returned was called, but the client stayed connected.',
    expected: 'Expected the function to close the connection.',
  })
})

/** Blocks without a quake, each with the last ID after it if the previous event had the ID `before`. */
const IDS_IN_BLOCKS = [
  ['event: weather\nid: named\ndata: {"rain":true}\n\n', 'named'],
  ['event: gap\nid: no-gap\n\n', 'no-gap'],
  ['id: bad\ndata: no JSON\n\n', 'bad'],
  ['id: again\nretry: 9\n\n', 'again'],
  ['event: weather\ndata: x\n\n:\n\ndata: no JSON\n\nretry: 9\n\n', 'before'],
] as const

/** The highest number of IDs that a client may remember. */
const MOST_IDS = 10_000

const GAP_EVENT = 'event: gap\ndata: lost\n\n'

const GAP_UNTOLD: Story = {
  seen: 'The server sent a gap, but onGap() was not called.',
  expected: 'Expected a call to onGap().',
}

const AS_IT_CAME =
  'Your client must send the last ID back unchanged, because the server looks for exactly that text.'

const ID_LOST =
  'your client does not keep the ID, keeps it only until the connection is lost, or encodes it.'

type Watched = { got: unknown[]; gaps: number[]; states: string[]; stop(): void }

/** Watches a server with `watchQuakes()` until the script ends. */
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
