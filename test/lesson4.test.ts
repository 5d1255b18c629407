import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import compression from 'compression'
import express, { type Response } from 'express'
import { recordedQuakes, type Quake } from '#feed'
import { predict, type Hop, type Verdict } from '#work/04-buffering/predict.ts'
import { readQuakes, type StreamEvent } from '#work/04-buffering/reader.ts'
import { createApp } from '#work/04-buffering/server.ts'
import type { NginxPorts } from '../protocol/grading.ts'
import type { ProxySetting } from '../wire/proxy.ts'
import { check, must, nginxCheck, type Tools } from './harness/check.ts'
import type { RawClient, RequestOptions } from './harness/raw-client.ts'
import { describeEvent, type EventClient } from './harness/event-client.ts'
import type { Story } from './harness/failure.ts'
import type { ControlledFeed } from './harness/controlled-feed.ts'
import { controlledIterable } from './harness/controlled-iterable.ts'
import { scriptedServer, type ScriptedServer } from './harness/scripted-server.ts'
import { withoutComments, effectiveValue, parseSeconds } from './harness/nginx-conf.ts'
import { describeQuake, quakes } from './harness/quakes.ts'
import { tryParseJson, deepEqual } from './harness/equality.ts'
import { EventStreamParser } from './harness/event-stream-parser.ts'
import { isEventStream } from './harness/methods.ts'
import { serveFeed, type CreateApp } from './harness/open-stream.ts'
import { outcomeOf } from './harness/outcome.ts'
import { hasToken } from './harness/header-tokens.ts'
import { excerpt, excerptJson } from './harness/transcript.ts'

const PATH = '/events'

/** Where a check waits for heartbeats: so short that nobody waits. */
const OFTEN = 2

/** So many lines that two of them are heartbeats, whatever a server says at the beginning. */
const SOME = 5

/** nginx that asks over HTTP/1.0. */
const FILLS_A_BUFFER: ProxySetting = { http: '1.0', holds: 4096 }
const FILLS_A_BUFFER_TOLD = 'a proxy that asks over HTTP/1.0 and fills a buffer of 4 KiB'

/** The same with a buffer that many heartbeats do not fill. */
const HOLDS_ALL: ProxySetting = { http: '1.0', holds: 'end' }
const HOLDS_ALL_TOLD = 'a proxy that asks over HTTP/1.0 and holds what it is not told to pass'

/** nginx that asks over HTTP/1.1, and compresses. */
const COMPRESSES: ProxySetting = { holds: 'head', gzip: true }

// 4.1 Predictions

check('4.1a', 'what nginx holds back depends on how it asks', async (t) => {
  await mustPredict(t, 'nginx, HTTP/1.1', {
    truth: 'head waits',
    proxy: { holds: 'head' },
    why: 'Each chunk of the response is passed on when it is complete, and the head with the first of them.',
  })
  await mustPredict(t, 'nginx, HTTP/1.0', {
    truth: 'holds',
    proxy: FILLS_A_BUFFER,
    why: 'Without chunks there are only bytes, and nginx waits until a buffer is full.',
  })
})

check('4.1b', 'a compressor waits for more, and needs nobody else to hold a stream', async (t) => {
  await mustPredict(t, 'nginx, HTTP/1.1, gzip', {
    truth: 'holds',
    proxy: COMPRESSES,
    takesGzip: true,
    why: 'The compressor gives something when it has enough, and nobody asks it to flush.',
  })
  await mustPredict(t, 'compression()', {
    truth: 'holds',
    compresses: true,
    takesGzip: true,
    why: 'compression() puts a compressor behind res.write(), and that waits for more.',
  })
})

check('4.1c', 'X-Accel-Buffering: no is what nginx listens to', async (t) => {
  const why = 'nginx sends on what it gets as it gets it, head and all, and flushes its compressor.'
  const asked = { truth: 'passes', headers: { 'X-Accel-Buffering': 'no' }, why } as const
  await mustPredict(t, 'nginx, HTTP/1.0, told not to buffer', { ...asked, proxy: FILLS_A_BUFFER })
  await mustPredict(t, 'nginx, HTTP/1.1, told not to buffer', {
    ...asked,
    proxy: { holds: 'head' },
  })
  await mustPredict(t, 'nginx, HTTP/1.1, gzip, told not to buffer', {
    ...asked,
    proxy: COMPRESSES,
    takesGzip: true,
  })
})

check('4.1d', 'there are two ways to have compression() let a stream pass', async (t) => {
  await mustPredict(t, 'compression(), flush() after each event', {
    truth: 'passes',
    compresses: true,
    flushes: true,
    takesGzip: true,
    why: 'flush() has the compressor give what it has. compression() adds it to the response.',
  })
  await mustPredict(t, 'compression(), Cache-Control: no-transform', {
    truth: 'passes',
    compresses: true,
    headers: { 'Cache-Control': 'no-transform' },
    takesGzip: true,
    why: 'no-transform forbids everybody on the way to change the body, and compression() obeys.',
  })
})

// 4.2 A head and a first byte that pass

check('4.2a', 'the head says: an event stream, not to be stored', async (t) => {
  const { client } = await connectDirectly(t)
  const head = await client.head({
    seen: 'The client got no head.',
    expected: 'Expected status and headers at once.',
    often: 'nothing is written before the first quake.',
  })
  const type = head.headers.get('content-type')
  must(head.status === 200 && isEventStream(head), {
    seen: `GET ${PATH} was answered ${head.status}, ${type ?? 'without a Content-Type'}.`,
    expected: 'Expected 200 and text/event-stream.',
  })
  const control = head.headers.get('cache-control')
  must(hasToken(control, 'no-store', 'no-cache'), {
    seen: control ? `The Cache-Control is ${control}.` : 'The response has no Cache-Control.',
    expected: 'Expected no-store, or no-cache: a cache on the way would replay old quakes.',
  })
})

check('4.2b', 'a proxy that holds a head which comes alone passes it', async (t) => {
  const { client } = await connectThroughProxy(
    t,
    { holds: 'head', ignoresAccelBuffering: true },
    'a proxy that holds a head',
  )
  await client.head({
    seen: 'The feed is silent, and the proxy got a head without a byte of the body.',
    expected: 'Expected some bytes of the body with the head.',
    often: 'flushHeaders() sends the head alone. A first write, such as retry: 2000, sends both.',
  })
})

check('4.2c', 'a proxy that fills its buffers passes the head', async (t) => {
  const { client } = await connectThroughProxy(t, FILLS_A_BUFFER, FILLS_A_BUFFER_TOLD)
  await client.head({
    seen: 'The feed is silent, and the proxy waits for 4 KiB.',
    expected: 'Expected the response to tell it not to buffer: X-Accel-Buffering: no',
    often: 'the header is missing, or has another value than no.',
  })
})

check('4.2d', 'each event passes that proxy before the next one happens', async (t) => {
  const { feed, events } = await connectThroughProxy(t, FILLS_A_BUFFER, FILLS_A_BUFFER_TOLD)
  await mustArriveInTurn(feed, events, {
    expected: 'Expected the client to read it while the feed was waiting.',
    often: 'padding at the beginning fills the first buffer, and no other; or a quake is not sent.',
  })
})

// 4.3 Compression

check('4.3a', 'the rest of the site is compressed for those who take it', async (t) => {
  const { server } = await serveFeed(t, PATH, createApp)
  const client = t.connect(server)
  const { headers, status } = await client.get(
    '/week.json',
    { seen: 'GET /week.json got no head.', expected: 'Expected the quakes of the week as JSON.' },
    // As browsers do, it says more than the one word.
    { takesGzip: true, headers: { 'Accept-Encoding': 'gzip, identity;q=0.5' } },
  )
  const type = headers.get('content-type')
  must(status === 200 && /^application\/json\s*(;|$)/i.test(type ?? ''), {
    seen: `GET /week.json was answered ${status}, ${type ?? 'without a Content-Type'}.`,
    expected: 'Expected 200 and application/json.',
  })
  const isForbidden = /\bno-transform\b/i.test(headers.get('cache-control') ?? '')
  must(headers.get('content-encoding') === 'gzip', {
    seen: 'GET /week.json, with Accept-Encoding: gzip, identity;q=0.5, is not compressed.',
    expected: 'Expected Content-Encoding: gzip.',
    ...(isForbidden
      ? { cause: 'its Cache-Control has no-transform, and compression() obeys.' }
      : { often: 'compression() is used behind the route, or not at all.' }),
  })
  const body = await client.body((text) => tryParseJson(text) !== undefined, {
    seen: 'The body of /week.json is no JSON.',
    expected: 'Expected all quakes of the week.',
  })
  const all = recordedQuakes()
  const given = tryParseJson(body)
  const isShort = Array.isArray(given) && given.length !== all.length
  must(deepEqual(given, all), {
    seen: isShort
      ? `/week.json has ${given.length} quakes.`
      : `The body of /week.json is ${excerpt(body)}`,
    expected: `Expected all ${all.length} quakes of the week.`,
  })
})

check('4.3b', 'a client that takes gzip gets each event before the next one happens', async (t) => {
  const { feed, events } = await connectDirectly(t, { takesGzip: true })
  await mustArriveInTurn(feed, events, {
    expected: 'Expected it at once: the compressor must not wait for more.',
    often: 'compression() compresses text/event-stream, too. no-transform, or flush(), ends that.',
  })
})

check('4.3c', 'who does not take gzip does not get it', async (t) => {
  for (const path of [PATH, '/week.json']) {
    const { server } = await serveFeed(t, PATH, createApp)
    const { headers } = await t.connect(server).get(path, noHead(path))
    const coding = headers.get('content-encoding') ?? 'identity'
    must(coding === 'identity', {
      seen: `The client does not take gzip, and ${path} has Content-Encoding: ${coding}.`,
      expected: 'Expected no compression.',
      often: 'the compressor is built by hand, and nobody reads Accept-Encoding.',
    })
  }
  for (const path of [PATH, '/week.json']) {
    const { server } = await serveFeed(t, PATH, createApp)
    const taker = t.connect(server, 'client that takes gzip')
    const { headers } = await taker.get(path, noHead(path), { takesGzip: true })
    const vary = headers.get('vary')
    must(!headers.has('content-encoding') || hasToken(vary, 'accept-encoding', '*'), {
      seen: `${path} is compressed, and ${vary ? `its Vary is ${vary}` : 'has no Vary'}.`,
      expected:
        'Expected Vary: Accept-Encoding, or a cache gives it to those who do not take gzip.',
      often: 'the compressor is built by hand. compression() sets Vary by itself.',
    })
  }
})

nginxCheck('4.3d', 'head and events pass the real nginx as well', async (t, nginx) => {
  for (const takesGzip of [false, true]) {
    const { feed, client, events } = await connectThroughNginx(t, nginx, takesGzip)
    const how = takesGzip ? 'compresses' : 'asks over HTTP/1.0'
    await client.head({
      seen: `The feed is silent, nginx ${how}, and the client got no head.`,
      expected: 'Expected the head at once.',
      often: 'nothing tells nginx not to buffer when the client takes gzip.',
    })
    await mustArriveInTurn(feed, events, { expected: `Expected it at once. This nginx ${how}.` })
  }
})

// 4.4 Heartbeats

check('4.4a', 'something passes a proxy while the feed is silent, again and again', async (t) => {
  const { feed, events } = await connectThroughProxy(t, HOLDS_ALL, HOLDS_ALL_TOLD, withHeartbeats)
  await events.heartbeats(SOME, {
    seen: `heartbeatMs is ${OFTEN}, and the client sees no sign of life.`,
    expected: 'Expected a comment again and again: proxies cut what is silent.',
    often: 'there is no heartbeat, only one, or heartbeatMs is not used.',
  })
  const { unexpected } = events
  must(unexpected === undefined, {
    seen: `The feed is silent, and the client read an event: ${unexpected && describeEvent(unexpected)}.`,
    expected: 'Expected no event, not even a named one: a heartbeat is nothing that happened.',
    often: 'the heartbeat has a field data. A line that begins with a colon is a comment.',
  })
  const [quake] = quakes(1)
  feed.release(quake)
  await events.next(noEvent(quake))
  await events.heartbeats(SOME, {
    seen: 'The feed is silent again after a quake, and the client sees no sign of life any more.',
    expected: 'Expected the heartbeat to go on as long as the response does.',
    often: 'the timer is cleared in the loop and not behind it, or a quake ends it.',
  })
})

check('4.4b', 'heartbeats reach a client that takes gzip', async (t) => {
  const { events } = await connectDirectly(t, { takesGzip: true, app: withHeartbeats })
  await events.heartbeats(SOME, {
    seen: `heartbeatMs is ${OFTEN}, and a client that takes gzip sees no sign of life.`,
    expected: 'Expected the comments to come as they are written.',
    often: 'flush() is called after events, and not after heartbeats.',
  })
})

check('4.4c', 'a client that left behind a proxy is noticed by the next heartbeat', async (t) => {
  let hasLeft = false
  const { feed, client, events } = await connectThroughProxy(
    t,
    { tellsServer: 'at the next piece', onLeft: () => (hasLeft = true) },
    'a proxy that tells the server of a client that left when it sends the next bytes',
    withHeartbeats,
  )
  await events.firstBytes(NOTHING_YET)
  await waitForReaders(t, feed, 1)
  client.disconnect()
  await t.waitFor(() => hasLeft, {
    seen: 'The client left and the proxy did not see it.',
    expected: 'Expected the connection to be closed.',
  })
  await t.waitFor(() => feed.readers[0]!.closed, {
    seen: 'The client left, the proxy closed the connection at the next heartbeat, and the feed is still open.',
    expected: 'Expected the feed to be closed.',
    often: "nobody listens for 'close' of the response.",
  })
})

// 4.5 nginx.conf

nginxCheck('4.5a', 'nginx takes the file', async (_t, nginx) => {
  ownNginx(nginx)
})

nginxCheck(
  '4.5b',
  'a stream passes, though the server says nothing about buffers',
  async (t, nginx) => {
    for (const takesGzip of [false, true]) {
      const asked = `${PATH}?min=4`
      const { stream, client, events } = await streamThroughOwnNginx(t, nginx, {
        takesGzip,
        path: asked,
      })
      const whose = takesGzip ? 'a client that takes gzip' : 'the client'
      const { status } = await client.head({
        seen: `The server sent a head, and ${whose} did not get it.`,
        expected: 'Expected it at once.',
        often: whyBuffered(),
      })
      must(status === 200, {
        seen: `nginx answered GET ${asked} ${status}.`,
        expected: 'Expected the answer of the server.',
        ...(status === 301 && {
          often: 'the location is one for /events/, with a slash at its end.',
        }),
      })
      const url = stream.requests.at(-1)?.originalUrl
      must(url === asked, asksForAnother(asked, url))
      for (const text of ['one', 'two']) {
        stream.send(`data: ${text}\n\n`)
        await events.next({
          seen: `The server sent an event, and ${whose} did not get it.`,
          expected: 'Expected it at once.',
          often: whyBuffered(),
        })
      }
    }
  },
)

nginxCheck('4.5c', 'the rest of the site is still buffered', async (t, nginx) => {
  let isOver = false
  const server = await t.serve((_request, response) => {
    response.on('finish', () => (isOver = true))
    response.type('text/plain').end(Buffer.alloc(LARGE, 'x'))
  })
  const client = t.connect(ownNginx(nginx))
  // A page whose name begins as that of the stream does.
  await client.get('/every.txt', noHead('/every.txt'), { headers: forServer(server) })
  client.pause()
  await t.waitFor(() => isOver, {
    seen: 'The client stopped reading a page of 24 MB, and the server has to wait for it.',
    expected: 'Expected nginx to take it all: that is what its buffers are for.',
    often: 'proxy_buffering off stands outside of the location of the stream, or that takes more.',
  })
})

nginxCheck('4.5d', 'the rest of the site is still there, and compressed', async (t, nginx) => {
  let url: string | undefined
  const server = await t.serve((request, response) => {
    url = request.originalUrl
    response.json(recordedQuakes().slice(0, 20))
  })
  const client = t.connect(ownNginx(nginx))
  const options = { takesGzip: true, headers: forServer(server) }
  const { headers } = await client.get('/week.json', noHead('/week.json'), options)
  must(url === '/week.json', asksForAnother('/week.json', url))
  must(headers.get('content-encoding') === 'gzip', {
    seen: 'GET /week.json, with Accept-Encoding: gzip, is not compressed.',
    expected: 'Expected Content-Encoding: gzip, by nginx.',
    often: 'gzip is switched off for everybody.',
  })
})

nginxCheck('4.5e', 'a silent page is given up, a stream is not so soon', async (t, nginx) => {
  const { stream, client, events } = await streamThroughOwnNginx(t, nginx)
  await client.head(NO_HEAD)
  const silent = t.connect(ownNginx(nginx), 'visitor of a page')
  const page = await t.serve(() => {})
  const { status } = await silent.get(
    '/page',
    {
      seen: 'A page that the server never answers was not given up.',
      expected: 'Expected nginx to give it up after a second: proxy_read_timeout 1s;',
      often: 'the timeout was changed for the whole site.',
    },
    { headers: forServer(page) },
  )
  t.transcript.step(`nginx gave the page up: ${status}`)
  stream.send('data: late\n\n')
  await events.next({
    seen: 'The stream was silent for a second, and the event behind that did not come.',
    expected: 'Expected it to stay: the heartbeats of task 4.4 come every 15 seconds.',
    often: 'the location inherits proxy_read_timeout 1s.',
  })
})

nginxCheck('4.5f', 'a silent stream is given up, and not before a heartbeat', async (_t, nginx) => {
  ownNginx(nginx)
  const timeout = effectiveValue(conf(), PATH, 'proxy_read_timeout') ?? '60s'
  const seconds = parseSeconds(timeout)
  must(seconds > 15 && seconds <= 600, {
    seen: `For ${PATH} proxy_read_timeout is ${timeout}.`,
    expected: 'Expected more than the 15 seconds between two heartbeats, and 10 minutes at most.',
    often:
      seconds > 600
        ? 'it was set to a day, since the stream was cut. Heartbeats are the cure of that.'
        : 'nginx gives the stream up before a heartbeat comes. They are 15 seconds apart.',
  })
})

nginxCheck('4.5g', 'the server is told when a client leaves', async (t, nginx) => {
  // Began to be silent earlier: a timeout ends this one first.
  const stays = await streamThroughOwnNginx(t, nginx, { name: 'client that stays' })
  await stays.client.head(NO_HEAD)
  const leaves = await streamThroughOwnNginx(t, nginx, { name: 'other client' })
  await leaves.client.head(NO_HEAD)
  leaves.client.disconnect()
  await t.waitFor(() => leaves.stream.openResponses === 0, {
    seen: 'The client left, and nginx keeps the connection to the server.',
    expected: 'Expected nginx to close it.',
    often: 'the location inherits proxy_ignore_client_abort on.',
  })
  must(stays.stream.openResponses === 1, {
    seen: 'nginx closed the connection to the server, and that of a client that stays before it.',
    expected: 'Expected the server to hear of a client that leaves when it leaves.',
    often: 'the location inherits proxy_read_timeout 1s, and that closes them all.',
  })
})

nginxCheck(
  '4.5h',
  'a server that crashes does not look like one that is done',
  async (t, nginx) => {
    const { stream, client, events } = await streamThroughOwnNginx(t, nginx)
    const { headers } = await client.head(NO_HEAD)
    stream.send('data: one\n\n')
    await events.next({ seen: 'The client got no event.', expected: 'Expected it at once.' })
    stream.cut()
    const how = await client.ended({
      seen: 'The server cut the connection, and the client was not told.',
      expected: 'Expected nginx to cut it, too.',
    })
    must(how === 'cut', {
      seen: 'The server cut the connection, and for the client the response is complete.',
      expected: 'Expected a response that is cut off, too.',
      often: headers.has('transfer-encoding')
        ? 'nginx asks over HTTP/1.0, where a close is the only end there is.'
        : 'nginx sends no chunks, and without them a close is the only end there is.',
    })
  },
)

// 4.6 Ends

check('4.6a', 'a stream says that it is over', async (t) => {
  const { feed, proxy, ...first } = await connectThroughProxy(t, { http: '1.0' }, OVER_HTTP_10)
  await waitForReaders(t, feed, 1)
  const second = sendRequest(t, proxy, {}, 'second client')
  await waitForReaders(t, feed, 2)
  // On a night without a quake: then, too.
  feed.end()
  for (const { client, events } of [first, second]) {
    const end = await events.next({
      seen: `The feed is over, and no event says so${client === first.client ? '' : ' to a second client'}.`,
      expected: 'Expected an event named end. Behind this proxy a crash looks the same.',
      often: 'res.end() is called without a last event, if only where no quake was sent.',
    })
    must(end.type === 'end', {
      seen: `The feed is over, and the client read an event: ${describeEvent(end)}.`,
      expected: 'Expected the event to be named end.',
    })
    await client.ended({
      seen: 'The client has the event end, and the response goes on.',
      expected: 'Expected the response to end.',
    })
  }
})

check('4.6b', 'a stream that failed does not say that it is over', async (t) => {
  for (const count of [1, 0]) {
    const { feed, client, events } = await connectDirectly(t)
    await events.firstBytes(NOTHING_YET)
    for (const quake of quakes(count)) {
      feed.release(quake)
      await events.next(noEvent(quake))
    }
    feed.fail('the network is down')
    const failed = count > 0 ? 'The feed failed' : 'The feed failed before its first quake'
    const how = await client.ended({
      seen: `${failed}, and the response goes on.`,
      expected: 'Expected the connection to be cut.',
    })
    const rest = client.unread()
    must(!/^event: ?end\s*$/m.test(rest), {
      seen: `${failed}, and the client read ${excerpt(rest)}`,
      expected: 'Expected no event end: more quakes will come when the feed works again.',
      often: 'the event is sent in finally, where a failure leads as well.',
    })
    must(how === 'cut', {
      seen: `${failed}, and for the client the response is complete.`,
      expected: 'Expected a response that is cut off: who reads no events knows then, too.',
      often: 'res.end() writes the chunk that says "complete". res.destroy() does not.',
    })
  }
})

check('4.6c', 'the reader gives each quake as its event comes', async (t) => {
  const source = controlledIterable<StreamEvent>()
  const reading = readQuakes(source.values)
  for (const quake of [...quakes(3), quakeInBend()]) {
    const next = reading.next()
    source.push({ type: 'message', data: JSON.stringify(quake) })
    const { done, value } = await t.withTimeout(next, {
      seen: `The event of ${describeQuake(quake)} is here, and readQuakes() gives nothing.`,
      expected: 'Expected the quake at once.',
      often: 'the events are collected first.',
    })
    must(!done, {
      seen: `The event of ${describeQuake(quake)} is here, and readQuakes() ended.`,
      expected: 'Expected the quake: it is a message, and no end.',
      often: 'the end is looked for in the data. It is in the type of an event.',
    })
    must(deepEqual(value, quake), {
      seen: `The event of ${describeQuake(quake)} is here, and readQuakes() gives ${excerptJson(value)}`,
      expected: `Expected ${excerptJson(quake)}`,
      often: 'the data is given as text.',
    })
  }
})

check('4.6d', 'the reader ends at the event end, and lets go of the stream', async (t) => {
  const source = controlledIterable<StreamEvent>()
  const reading = readQuakes(source.values)
  const next = t.withTimeout(reading.next(), {
    seen: 'The event end is here, and readQuakes() waits for more.',
    expected: 'Expected it to end at once: a proxy may keep the connection open.',
    often: 'the event is taken for one more message, or only noted.',
  })
  source.push({ type: 'end', data: 'the feed is over' })
  const { done, value } = await next
  must(done === true, {
    seen: `The event end is here, and readQuakes() gives ${excerptJson(value)}`,
    expected: 'Expected it to end.',
  })
  must(source.isLeft, {
    seen: 'readQuakes() has ended, and the stream of events is still open.',
    expected: 'Expected it to be left: that is what closes the connection.',
    often: 'next() is called by hand, and nobody calls return().',
  })
})

check('4.6e', 'a stream that ends without it was cut off', async (t) => {
  for (const count of [1, 0]) {
    const source = controlledIterable<StreamEvent>()
    const reading = readQuakes(source.values)
    for (const quake of quakes(count)) {
      source.push({ type: 'message', data: JSON.stringify(quake) })
      await t.withTimeout(reading.next(), {
        seen: 'An event is here, and readQuakes() gives nothing.',
        expected: 'Expected the quake at once.',
      })
    }
    const without = count > 0 ? 'an event end' : 'any event'
    t.transcript.step(`the events are over, without ${without}`)
    source.close()
    const outcome = await t.withTimeout(outcomeOf(reading.next()), {
      seen: `The events are over without ${without}, and readQuakes() waits for more.`,
      expected: 'Expected it to throw.',
    })
    t.transcript.step(`readQuakes() ${outcome}`)
    must(outcome === 'threw', {
      seen: `The events were over without ${without}, and readQuakes() ended as if all were well.`,
      expected: 'Expected it to throw: the server crashed, or somebody cut the connection.',
      often: 'the end of the loop is taken for the end of the stream.',
    })
  }
})

check('4.6f', 'an event of another name is no quake, and no end', async (t) => {
  const source = controlledIterable<StreamEvent>()
  const reading = readQuakes(source.values)
  const [quake] = quakes(1)
  source.push({ type: 'ending', data: '{"inMinutes":10}' })
  source.push({ type: 'message', data: JSON.stringify(quake) })
  const { done, value } = await t.withTimeout(reading.next(), {
    seen: 'An event named ending is here, then a message, and readQuakes() gives nothing.',
    expected: 'Expected the quake of the message.',
  })
  must(!done, {
    seen: 'An event named ending is here, and readQuakes() ended.',
    expected: 'Expected it to pass over the event, and to end at the one named end alone.',
    often: 'whatever is no message is taken for the end, or a part of the name is.',
  })
  must(deepEqual(value, quake), {
    seen: `An event named ending is here, then a message, and readQuakes() gives ${excerptJson(value)}`,
    expected: 'Expected the quake of the message: only a message is a quake.',
    often: 'nobody looks at the type of an event.',
  })
})

check('4.6g', 'a connection that is lost is no end either', async (t) => {
  const stream = await scriptedServer(t)
  for (const count of [1, 0]) {
    const { body } = await fetch(stream.url)
    const reading = readQuakes(eventsOf(body!))
    for (const quake of quakes(count)) {
      stream.send(`data: ${JSON.stringify(quake)}\n\n`)
      await t.withTimeout(reading.next(), {
        seen: 'An event is here, and readQuakes() gives nothing.',
        expected: 'Expected the quake at once.',
      })
    }
    stream.cut()
    const lost = `The connection was cut${count > 0 ? '' : ' before the first event'}`
    const outcome = await t.withTimeout(outcomeOf(reading.next()), {
      seen: `${lost}, and readQuakes() waits for more.`,
      expected: 'Expected it to throw.',
    })
    t.transcript.step(`readQuakes() ${outcome}`)
    must(outcome === 'threw', {
      seen: `${lost}, the events threw an error, and readQuakes() ended as if all were well.`,
      expected: 'Expected it to throw, too.',
      often: 'the error is caught, and nobody throws it again.',
    })
  }
})

/** More than all buffers of the kernel take, between a server and nginx and between nginx and a client. */
const LARGE = 24 * 1024 * 1024

const OVER_HTTP_10 = 'a proxy that asks over HTTP/1.0'

/** A hop, as it is set up here, and what it does. */
type Setup = {
  truth: Verdict
  /** Why it does that. */
  why: string
  proxy?: ProxySetting
  headers?: Record<string, string>
  compresses?: boolean
  flushes?: boolean
  takesGzip?: boolean
}

/** Asks for a prediction, plays the hop, and compares. */
async function mustPredict(t: Tools, hop: Hop, setup: Setup): Promise<void> {
  const { truth, why } = setup
  const predicted = predict(hop)
  t.transcript.step(hop)
  const saw = await playHop(t, setup)
  // What differs from the reference comes last, and short enough to stand beside it.
  t.transcript.step(`predict() had said: ${excerpt(String(predicted), 20)}`)
  must(predicted === truth, {
    seen: `You predict that "${hop}" gives ${JSON.stringify(predicted)}. ${saw}`,
    expected: `Expected "${truth}". ${why}`,
  })
}

/** Shows that the hop does what the truth says: what the client saw, in a sentence. */
async function playHop(t: Tools, setup: Setup): Promise<string> {
  const { truth, proxy, headers = {}, compresses, flushes, takesGzip = false } = setup
  let response: Response | undefined
  const app = express()
  if (compresses) app.use(compression())
  app.get(PATH, (_request, started) => {
    response = started.set({ 'Content-Type': 'text/event-stream', ...headers })
    response.flushHeaders()
  })
  app.get('/other', (_request, other) => void other.send('other'))
  const server = await t.serve(app)
  const hop = proxy ? await t.proxy(server, proxy, 'the built-in proxy, set up like that') : server
  const client = t.connect(hop)
  const { events } = client
  client.request(PATH, { takesGzip })
  await t.waitFor(() => response !== undefined, OURS)
  t.transcript.step('server sent the head')
  if (truth === 'passes') await client.head(OURS)
  else if (proxy) await mustHaveNoHead(t, client, hop)

  for (const data of ['one', 'two']) {
    t.transcript.step(`server sent an event: data: ${data}`)
    response!.write(`data: ${data}\n\n`)
    if (flushes) response!.flush()
    if (truth !== 'holds') await events.next(OURS)
  }
  if (truth === 'passes') return 'The head came before there was an event, then each event at once.'
  if (truth === 'head waits') return 'The head came with the first event, then each event at once.'
  await fence(t, hop)
  must(events.unexpected === undefined && client.unread() === '', OURS)
  t.transcript.step('client has no event')
  response!.end()
  t.transcript.step('server ended the response')
  await events.next(OURS)
  await events.next(OURS)
  return 'Two events had been sent, and none was there. They came with the end.'
}

async function mustHaveNoHead(t: Tools, client: RawClient, hop: { port: number }): Promise<void> {
  await fence(t, hop)
  must(!client.hasHead, OURS)
  t.transcript.step('client has no head')
}

/** A request that begins after what was sent before, and is answered: what was on its way has come. */
async function fence(t: Tools, hop: { port: number }): Promise<void> {
  t.transcript.step('what is on its way has time until …')
  const other = t.connect(hop, 'another client')
  other.request('/other')
  await other.body((text) => text === 'other', OURS)
}

/** What would be a mistake of this file. */
const OURS = {
  seen: 'The hop did not do what the workshop says.',
  expected: 'Expected the measured behaviour. Please report it.',
}

const withHeartbeats: CreateApp = (feed) => createApp(feed, { heartbeatMs: OFTEN })

type Requested = { client: RawClient; events: EventClient }

/** A client of the stream, with nobody between. */
async function connectDirectly(
  t: Tools,
  { app = createApp, takesGzip = false }: { app?: CreateApp; takesGzip?: boolean } = {},
): Promise<Requested & { feed: ControlledFeed }> {
  const { feed, server } = await serveFeed(t, PATH, app)
  return { feed, ...sendRequest(t, server, { takesGzip }) }
}

/** A client of the stream behind a proxy. */
async function connectThroughProxy(
  t: Tools,
  setting: ProxySetting,
  description: string,
  app: CreateApp = createApp,
): Promise<Requested & { feed: ControlledFeed; proxy: { port: number } }> {
  const { feed, server } = await serveFeed(t, PATH, app)
  const proxy = await t.proxy(server, setting, description)
  return { feed, proxy, ...sendRequest(t, proxy) }
}

/** A client of the stream behind the real nginx, set up to hold back all it can. */
async function connectThroughNginx(
  t: Tools,
  { holding }: NginxPorts,
  takesGzip: boolean,
): Promise<Requested & { feed: ControlledFeed }> {
  const { feed, server } = await serveFeed(t, PATH, createApp)
  t.transcript.step(
    `before the server: the real nginx, ${takesGzip ? 'which compresses' : 'over HTTP/1.0'}`,
  )
  return { feed, ...sendRequest(t, { port: holding }, { takesGzip, headers: forServer(server) }) }
}

function sendRequest(
  t: Tools,
  server: { port: number },
  { path = PATH, ...options }: RequestOptions & { path?: string | undefined } = {},
  name?: string,
): Requested {
  const client = t.connect(server, name)
  client.request(path, options)
  return { client, events: client.events }
}

/** What tells our nginx which server to ask. */
function forServer({ port }: { port: number }): Record<string, number> {
  return { 'Server-Port': port }
}

async function mustArriveInTurn(
  feed: ControlledFeed,
  events: EventClient,
  { expected, often }: Omit<Story, 'seen'>,
): Promise<void> {
  for (const quake of quakes(3)) {
    feed.release(quake)
    const { type, data } = await events.next({
      seen: `The feed released ${describeQuake(quake)} and no event reached the client.`,
      expected,
      often,
    })
    must(type === 'message', {
      seen: `The event of ${describeQuake(quake)} is named ${excerpt(type)}.`,
      expected:
        'Expected a message, which is an event without a name: readers pass over the others.',
      often: 'the event has a field event, as the one that says end.',
    })
    must(deepEqual(tryParseJson(data), quake), {
      seen: `The data of ${describeQuake(quake)} is ${excerpt(data)}`,
      expected: `Expected ${excerptJson(quake)}`,
    })
  }
}

function noEvent(quake: Quake): Story {
  return {
    seen: `The feed released ${describeQuake(quake)} and no event reached the client.`,
    expected: 'Expected it at once.',
  }
}

/** Waits until the feed is read for so many clients. */
async function waitForReaders(t: Tools, feed: ControlledFeed, clients: number): Promise<void> {
  await t.waitFor(() => feed.readers.filter(({ hasPulled }) => hasPulled).length === clients, {
    seen: 'The handler asked the feed for nothing.',
    expected: 'Expected it to open the feed for each client.',
  })
}

const NOTHING_YET: Story = {
  seen: 'The client got nothing of the body.',
  expected: 'Expected the first bytes at once.',
}

const NO_HEAD: Story = { seen: 'The client got no head.', expected: 'Expected it at once.' }

function noHead(path: string): Story {
  return { seen: `GET ${path} got no head.`, expected: 'Expected one at once.' }
}

/** A stream that says nothing about buffers, behind an nginx with the nginx.conf of the work. */
async function streamThroughOwnNginx(
  t: Tools,
  nginx: NginxPorts,
  { takesGzip = false, path, name }: { takesGzip?: boolean; path?: string; name?: string } = {},
): Promise<Requested & { stream: ScriptedServer }> {
  const own = ownNginx(nginx)
  const stream = await scriptedServer(t)
  t.transcript.step('before the server: nginx with your nginx.conf')
  return { stream, ...sendRequest(t, own, { takesGzip, path, headers: forServer(stream) }, name) }
}

/** With a variable in it, `proxy_pass` asks for what stands behind that, and for nothing else. */
function asksForAnother(asked: string, url: string | undefined): Story {
  return {
    seen: `The client asked for ${asked}, and nginx asked the server for ${url}.`,
    expected: `Expected it to ask for ${asked}.`,
    often:
      'proxy_pass has something behind $tremor. With a variable that takes the place of path and query.',
  }
}

/** The nginx with the nginx.conf of the work. */
function ownNginx({ ofWork, says }: NginxPorts): { port: number } {
  const [, notWritten] = /^\s*# (lesson 4, task 4\.5: write .*)$/m.exec(conf()) ?? []
  if (notWritten) throw new Error(notWritten)
  must(ofWork !== undefined, {
    seen: `nginx does not start with your nginx.conf. It says: ${says}`,
    expected: 'Expected it to start.',
    often: 'a semicolon is missing there or in the line before, or a directive has another name.',
  })
  return { port: ofWork }
}

/** Why buffers are in the way: nobody switched them off, or for somebody else. */
function whyBuffered(): string {
  return /\bproxy_buffering\s+off\b/.test(withoutComments(conf()))
    ? `proxy_buffering off stands in a location that ${PATH} does not match.`
    : 'proxy_buffering is still on: over HTTP/1.1 it holds the head, with gzip everything.'
}

function conf(): string {
  return readFileSync(join(process.env.WORKSHOP_BOX!, '04-buffering', 'nginx.conf'), 'utf8')
}

/** One whose data has the word that others look for: `…Bend…`. */
function quakeInBend(): Quake {
  const [quake] = quakes(1)
  return { ...quake, place: '12 km ENE of Bend, Oregon' }
}

/** The events of a response, as they come; throws when the connection is lost. */
async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamEvent> {
  const parser = new EventStreamParser()
  for await (const bytes of body) yield* parser.push(bytes)
}
