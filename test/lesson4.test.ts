import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import compression from 'compression'
import express, { type Request, type Response } from 'express'
import { recordedQuakes, type Quake } from '#feed'
import { predict, type Hop, type Verdict } from '#work/04-buffering/predict.ts'
import { readQuakes, type StreamEvent } from '#work/04-buffering/reader.ts'
import { createApp } from '#work/04-buffering/server.ts'
import type { NginxPorts } from '../protocol/grading.ts'
import { isNotWritten } from '../protocol/not-written.ts'
import type { ProxySetting } from '../wire/proxy.ts'
import { check, must, nginxCheck, type Tools, edgeCase, nginxEdgeCase } from './harness/check.ts'
import { RawClient, type RequestOptions } from './harness/raw-client.ts'
import type { Head } from '../wire/response.ts'
import { describeEvent, type EventClient } from './harness/event-client.ts'
import { Failure, type Story } from './harness/failure.ts'
import { controlledFeed, type ControlledFeed } from './harness/controlled-feed.ts'
import { controlledIterable, type ControlledIterable } from './harness/controlled-iterable.ts'
import { scriptedServer, type ScriptedServer } from './harness/scripted-server.ts'
import { parseSeconds } from './harness/nginx-time.ts'
import {
  awkwardQuakes,
  describeQuake,
  ordinaryQuakes,
  largeQuakes,
  quakes,
} from './harness/quakes.ts'
import { tryParseJson, deepEqual } from './harness/equality.ts'
import type { TestServer } from './harness/serve.ts'
import { EventStreamParser } from './harness/event-stream-parser.ts'
import { isEventStream } from './harness/methods.ts'
import { serveFeed, type CreateApp } from './harness/open-stream.ts'
import { outcomeOf } from './harness/outcome.ts'
import { hasToken } from './harness/header-tokens.ts'
import { differingExcerpts, excerpt, excerptJson, SILENT } from './harness/transcript.ts'

const PATH = '/events'

/** Where a check waits for heartbeats: so short that nobody waits. */
const OFTEN = 2

/** So many lines that two of them are heartbeats, whatever a server says at the beginning. */
const SOME = 5

/** More heartbeats than somebody sends who counts them. */
const MANY = 40

/** nginx that asks over HTTP/1.0. */
const FILLS_A_BUFFER: ProxySetting = { http: '1.0', holds: 4096 }
const FILLS_A_BUFFER_TOLD = 'a proxy that asks over HTTP/1.0 and fills a buffer of 4 KiB'

/** nginx that asks over HTTP/1.1, and compresses. */
const COMPRESSES: ProxySetting = { holds: 'head', gzip: true }

/** What Chrome and Firefox send. */
const BROWSERS_ACCEPT = 'gzip, deflate, br, zstd'

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

edgeCase('4.1d', 'there are two ways to have compression() let a stream pass', async (t) => {
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
  for (const version of ['1.1', '1.0'] as const) {
    const { client } = await connectDirectly(t, { version })
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
  }
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

edgeCase('4.2c', 'a proxy that fills its buffers passes the head', async (t) => {
  for (const http of ['1.0', '1.1'] as const) {
    const { client } = await connectThroughProxy(
      t,
      { ...FILLS_A_BUFFER, http },
      `a proxy that asks over HTTP/${http} and fills a buffer of 4 KiB`,
    )
    await client.head({
      seen: `The feed is silent, and the proxy, which asks over HTTP/${http}, waits for 4 KiB.`,
      expected: 'Expected the response to tell it not to buffer: X-Accel-Buffering: no',
      ...(await causeInHead(t, { version: http })),
    })
  }
})

check('4.2d', 'each event passes that proxy before the next one happens', async (t) => {
  const { feed, server, proxy, ...behind } = await connectThroughProxy(
    t,
    FILLS_A_BUFFER,
    FILLS_A_BUFFER_TOLD,
  )
  await waitForReaders(t, feed, 1)
  // Answered behind the same proxy: what was sent before has passed it, if it passes.
  const other = sendRequest(t, proxy, { path: '/other' }, 'another client')
  await other.client.head(noHead('/other'))
  // A head that does not pass is a rule of 4.2c. What the events say can be seen without the proxy as well.
  const passes = behind.client.hasHead
  const { events } = passes ? behind : sendRequest(t, server, {}, 'direct client')
  const { cause } = passes ? await causeInHead(t) : {}
  await mustArriveInTurn(feed, events, awkwardQuakes(), {
    expected: 'Expected the client to read it while the feed was waiting.',
    ...(cause && { cause: `${cause} Padding would fill the first buffer, and no other.` }),
  })
})

edgeCase('4.2e', 'clients that come and leave change nothing for the others', async (t) => {
  let feed = controlledFeed(SILENT)
  const first = feed
  const server = await t.serve(createApp({ open: (signal) => feed.open(signal) }))
  const stays = sendRequest(t, server, {}, 'client that stays')
  await waitForReaders(t, first, 1)
  let before = 'One client is there'
  for (const { how, leave } of VISITS) {
    feed = controlledFeed(SILENT)
    const client = new RawClient(server.port, { transcript: SILENT, waiting: t })
    const { readers } = feed
    const isRead = (): boolean => readers.some(({ hasPulled }) => hasPulled)
    const isServed = async (): Promise<void> => {
      const story = {
        seen: `${before}, and the handler asked the feed for nothing when the next one came.`,
        expected: 'Expected it to be served like the first one.',
      }
      // Whether a compressor holds the head is a rule of 4.3b.
      await t.waitFor(() => isRead() || client.hasHead, story)
      if (client.hasHead) await mustBeServed(client, before)
      await t.waitFor(isRead, story)
    }
    await leave({ t, server, feed, client, isServed })
    client.close()
    await mustBeAlone(t, server, `A client ${how}`)
    before = `A client ${how}`
    feed = controlledFeed(SILENT)
    const next = new RawClient(server.port, { transcript: SILENT, waiting: t })
    next.request(PATH)
    await mustBeServed(next, before)
    await mustArriveInTurn(feed, next.events, quakes(1), {
      seen: `${before}, and the next one got no event when a quake happened.`,
      expected: 'Expected it to be served like the first one.',
    })
    next.close()
    before = 'A client left when it had an event'
    await mustBeAlone(t, server, before)
  }
  feed = controlledFeed(SILENT)
  const crowd = Array.from({ length: CROWD }, () => {
    const client = new RawClient(server.port, { transcript: SILENT, waiting: t })
    client.request(PATH)
    return client
  })
  await t.waitFor(() => feed.readers.filter(({ hasPulled }) => hasPulled).length === CROWD, {
    seen: () =>
      `${CROWD} clients connected, and the handler reads the feed for ${feed.readers.length} of them.`,
    expected: 'Expected each of them to be served like the first one.',
  })
  for (const client of crowd) client.close()
  await mustBeAlone(t, server, `${CROWD} clients left`)
  const visits = 2 * VISITS.length + CROWD
  t.transcript.step(`${visits} clients came and left, in every way there is`)
  feed = controlledFeed(t.transcript)
  await mustArriveInTurn(first, stays.events, quakes(2), {
    expected: 'Expected the client that stayed to get it, whoever else has come and left.',
  })
  const last = sendRequest(t, server, {}, 'client that comes last')
  await mustArriveInTurn(feed, last.events, quakes(3), {
    expected: 'Expected the client that came last to be served like the first one.',
  })
})

// 4.3 Compression

check('4.3a', 'the rest of the site is compressed for those who take it', async (t) => {
  const { server } = await serveFeed(t, PATH, createApp)
  let known: string | undefined
  for (const acceptEncoding of ['gzip', BROWSERS_ACCEPT, 'deflate,gzip;q=0.8']) {
    const client = t.connect(server)
    const { headers, status } = await client.get(
      '/week.json',
      { seen: 'GET /week.json got no head.', expected: 'Expected the quakes of the week as JSON.' },
      { acceptEncoding },
    )
    const type = headers.get('content-type')
    must(status === 200 && /^application\/json\s*(;|$)/i.test(type ?? ''), {
      seen: `GET /week.json was answered ${status}, ${type ?? 'without a Content-Type'}.`,
      expected: 'Expected 200 and application/json.',
    })
    const coding = headers.get('content-encoding')
    must(coding !== undefined && coding !== 'identity', {
      seen: `GET /week.json, with Accept-Encoding: ${acceptEncoding}, is not compressed.`,
      expected: 'Expected Content-Encoding: gzip, or another that the client takes.',
      ...(/\bno-transform\b/i.test(headers.get('cache-control') ?? '')
        ? { cause: 'its Cache-Control has no-transform, and compression() obeys.' }
        : acceptEncoding === 'gzip'
          ? { often: 'compression() is used behind the route, or not at all.' }
          : {
              often:
                'Accept-Encoding is taken for one word. It is a list: gzip may stand anywhere in it, after a comma without a space, and with a weight.',
            }),
    })
    // It is the same page. For this client its coding is enough.
    if (acceptEncoding.includes('q=')) {
      client.close()
      continue
    }
    const body = await client.body((text) => text === known || isJson(text), {
      seen: 'The body of /week.json is no JSON.',
      expected: 'Expected all quakes of the week.',
    })
    if (body === known) continue
    const all = recordedQuakes()
    const given = tryParseJson(body)
    const isShort = Array.isArray(given) && given.length !== all.length
    must(deepEqual(given, all), {
      seen: isShort
        ? `/week.json has ${given.length} quakes.`
        : `The body of /week.json is ${excerpt(body)}`,
      expected: `Expected all ${all.length} quakes of the week.`,
    })
    known = body
  }
})

check(
  '4.3b',
  'whatever a client takes, it gets each event before the next one happens',
  async (t) => {
    for (const acceptEncoding of [
      'gzip',
      BROWSERS_ACCEPT,
      'gzip, deflate, br',
      'br',
      'deflate',
      '*',
    ]) {
      const { feed, events } = await connectDirectly(t, { acceptEncoding })
      await mustArriveInTurn(feed, events, quakes(3), {
        seen: `A quake happened, and no event reached a client with Accept-Encoding: ${acceptEncoding}.`,
        expected: 'Expected it at once: the compressor must not wait for more.',
        often:
          'compression() compresses text/event-stream, too. no-transform, or flush(), ends that.',
      })
    }
  },
)

edgeCase('4.3c', 'who does not take gzip does not get it', async (t) => {
  const server = await t.serve(createApp(controlledFeed(SILENT)))
  for (const [path, all] of [
    [PATH, [undefined, 'identity', 'br', 'gzip;q=0', 'gzip', BROWSERS_ACCEPT]],
    ['/week.json', [undefined, '', 'gzip;q=0', 'deflate;q=0.5, gzip; q=0.000', 'gzip']],
  ] as const) {
    for (const acceptEncoding of all) {
      const client = t.connect(server)
      const { headers } = await client.get(path, noHead(path), { acceptEncoding })
      const coding = (headers.get('content-encoding') ?? 'identity').toLowerCase()
      const asked =
        acceptEncoding === undefined ? 'no Accept-Encoding' : `Accept-Encoding: ${acceptEncoding}`
      must(['identity', ...codingsOf(acceptEncoding)].includes(coding), {
        seen: `The client sent ${asked}, and ${path} has Content-Encoding: ${coding}.`,
        expected: 'Expected no coding, or one that the client takes.',
        ...(coding === 'none' && {
          cause:
            'none is no coding that a client knows. What is not compressed has no Content-Encoding; no-transform keeps compression() away.',
        }),
        ...(/gzip; ?q=0/.test(acceptEncoding ?? '') &&
          coding === 'gzip' && { cause: 'q=0 says no.' }),
      })
      const vary = headers.get('vary')
      must(coding === 'identity' || hasToken(vary, 'accept-encoding', '*'), {
        seen: `${path} is compressed, and ${vary ? `its Vary is ${vary}` : 'has no Vary'}.`,
        expected:
          'Expected Vary: Accept-Encoding, or a cache gives it to those who do not take gzip.',
        often: 'the compressor is built by hand. compression() sets Vary by itself.',
      })
      client.close()
    }
  }
})

nginxCheck('4.3d', 'head and events pass the real nginx as well', async (t, nginx) => {
  const { cause: cannotPass } = await causeInHead(t, { version: '1.0' })
  if (cannotPass) {
    t.transcript.note = `not graded, see 4.2c and 4.2d: ${cannotPass.replace(/\.$/, '')}`
    return
  }
  for (const acceptEncoding of [undefined, 'gzip', BROWSERS_ACCEPT]) {
    const { feed, client, events } = await connectThroughNginx(t, nginx, acceptEncoding)
    const how = acceptEncoding ? 'compresses' : 'asks over HTTP/1.0'
    const why = await causeInHead(t, { version: '1.0', acceptEncoding })
    await client.head({
      seen: `The feed is silent, nginx ${how}, and the client got no head.`,
      expected: 'Expected the head at once.',
      ...why,
    })
    const expected = `Expected it at once. This nginx ${how}.`
    await mustArriveInTurn(feed, events, quakes(3), { expected, ...why })
  }
})

// 4.4 Heartbeats

check('4.4a', 'something passes while the feed is silent, again and again', async (t) => {
  const delays = t.recordTimerDelays()
  const unset = await connectDirectly(t)
  await waitForReaders(t, unset.feed, 1)
  delays.stop()
  const { feed, events } = await connectDirectly(t, { app: withHeartbeats })
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
  const { fields, lastEventId } = events
  await events.heartbeats(MANY, {
    seen: 'The feed is silent again after a quake, and the client sees no sign of life any more.',
    expected: 'Expected the heartbeat to go on as long as the response does.',
    often: 'the timer is cleared in the loop and not behind it, or a quake ends it.',
  })
  must(events.fields === fields, {
    seen: `The feed is silent, and the heartbeat arrived as a field${events.lastEventId === lastEventId ? '' : `, which changed the last event ID from "${lastEventId}" to "${excerpt(events.lastEventId)}"`}.`,
    expected: 'Expected a comment: a line that begins with a colon.',
    often: 'the colon is missing, or a name stands before it.',
  })
  // A heartbeat every few milliseconds is nothing that a server wants to send to everybody.
  must(
    delays.ms.some((ms) => ms >= 1000 && ms <= 60_000),
    {
      seen: `heartbeatMs is left out, and ${delays.ms.length > 0 ? `the timers of the handler take ${[...new Set(delays.ms)].slice(0, 3).join(', ')} ms` : 'the handler sets no timer'}.`,
      expected: 'Expected 15 seconds by default: nginx cuts what is silent for 60.',
    },
  )
})

check('4.4b', 'heartbeats reach a client that takes gzip, and a proxy over HTTP/1.0', async (t) => {
  for (const acceptEncoding of ['gzip', BROWSERS_ACCEPT]) {
    const { events } = await connectDirectly(t, { acceptEncoding, app: withHeartbeats })
    await events.heartbeats(SOME, {
      seen: `heartbeatMs is ${OFTEN}, and a client that takes ${acceptEncoding} sees no sign of life.`,
      expected: 'Expected the comments to come as they are written.',
      often: 'flush() is called after events, and not after heartbeats.',
    })
  }
  const { events } = await connectDirectly(t, { version: '1.0', app: withHeartbeats })
  await events.heartbeats(SOME, {
    seen: `heartbeatMs is ${OFTEN}, and a client that asks over HTTP/1.0 sees no sign of life.`,
    expected: 'Expected heartbeats for it as well: some proxies ask like that.',
  })
})

edgeCase(
  '4.4c',
  'a client that left behind a proxy is noticed with the next heartbeats',
  async (t) => {
    let hasLeft = false
    const { feed, client, events } = await connectThroughProxy(
      t,
      { tellsServerAfter: 3, onLeft: () => (hasLeft = true) },
      'a proxy that tells the server of a client that left at the third write behind that',
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
      seen: 'The client left, the proxy closes the connection at the third heartbeat, and the feed is still open.',
      expected: 'Expected the feed to be closed.',
      often: "nobody listens for 'close' of the response.",
    })
  },
)

edgeCase('4.4d', 'every client gets heartbeats, whoever else comes and leaves', async (t) => {
  const { feed, server } = await serveFeed(t, PATH, withHeartbeats)
  const clients = ['first', 'second', 'third'].map((nth) => ({
    nth,
    ...sendRequest(t, server, {}, `${nth} client`),
  }))
  await waitForReaders(t, feed, clients.length)
  const isAlive = async (
    { nth, events }: { nth: string; events: EventClient },
    when: string,
  ): Promise<void> => {
    await events.heartbeats(SOME, {
      seen: `${when}, and the ${nth} client sees no sign of life.`,
      expected: 'Expected heartbeats for each client, as long as its own response goes on.',
      often: 'a variable outside the handler has the timer, and there is one for all.',
    })
  }
  for (const client of clients) await isAlive(client, 'Three clients are there')
  for (const [n, { nth, client }] of clients.entries()) {
    client.disconnect()
    await t.waitFor(() => feed.readers.filter(({ closed }) => closed).length > n, {
      seen: `The ${nth} client left, and the feed is still open for it.`,
      expected: 'Expected it to be closed.',
    })
    for (const other of clients.slice(n + 1)) await isAlive(other, `The ${nth} client left`)
  }
  const last = { nth: 'next', ...sendRequest(t, server, {}, 'next client') }
  await isAlive(last, 'All three have left')
})

// 4.5 nginx.conf

nginxCheck('4.5a', 'nginx takes the file', async (_t, nginx) => {
  ownNginx(nginx)
})

nginxCheck(
  '4.5b',
  'a stream passes, though the server says nothing about buffers',
  async (t, nginx) => {
    // The clients before stay.
    for (const acceptEncoding of [undefined, 'gzip', BROWSERS_ACCEPT]) {
      const asked = `${PATH}?min=4`
      const { stream, client, events } = await streamThroughOwnNginx(t, nginx, {
        acceptEncoding,
        path: asked,
        headers: CLIENTS_HEADERS,
      })
      const whose = acceptEncoding ? `a client that takes ${acceptEncoding}` : 'the client'
      await mustAsk(t, { stream, client, asked })
      const { status, headers } = await client.head({
        seen: `The server sent a head, and ${whose} did not get it.`,
        expected: 'Expected it at once.',
        ...whyBuffered(nginx),
      })
      const type = headers.get('content-type')
      must(status === 200 && (type ?? '').includes('text/event-stream'), {
        seen: `The server answered 200, text/event-stream, and ${whose} got ${status}, ${type ?? 'without a Content-Type'}.`,
        expected: 'Expected the head of the server: EventSource reads no other type.',
      })
      const request = stream.requests.at(-1)
      must(request?.originalUrl === asked, asksForAnother(asked, request?.originalUrl))
      mustHaveHeaders(request)
      for (const text of ['one', 'two']) {
        stream.send(`data: ${text}\n\n`)
        await events.next({
          seen: `The server sent an event, and ${whose} did not get it.`,
          expected: 'Expected it at once.',
          ...whyBuffered(nginx),
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
  const own = ownNginx(nginx)
  const client = t.connect(own)
  // A page whose name begins as that of the stream does.
  await client.get('/every.txt', noHead('/every.txt'), { headers: forServer(server) })
  client.pause()
  await t.waitFor(() => isOver, {
    seen: 'The client stopped reading a page of 24 MB, and the server has to wait for it.',
    expected: 'Expected nginx to take it all: that is what its buffers are for.',
    ...(/\bproxy_max_temp_file_size\b/.test(readConf())
      ? { often: 'proxy_max_temp_file_size leaves nginx no more room than its buffers have.' }
      : {
          often:
            'proxy_buffering off stands outside of the location of the stream, or that takes more.',
        }),
  })
  client.close()
  await mustStayBuffered(t, own, OTHER_PAGES)
  // What nginx answers by itself, such as its own status page, is none of the rest of the site.
  const alike = await pagesAskedFor(t, own, pagesLikeLocations())
  if (alike.length > 0) await mustStayBuffered(t, own, alike)
})

nginxCheck('4.5d', 'the rest of the site is still there, and compressed', async (t, nginx) => {
  let asked: Request | undefined
  const server = await t.serve((request, response) => {
    asked = request
    response.json(recordedQuakes().slice(0, 20))
  })
  for (const page of ['/week.json', '/maps/week.json?of=events']) {
    for (const acceptEncoding of ['gzip', BROWSERS_ACCEPT]) {
      const client = t.connect(ownNginx(nginx))
      const { headers } = await client.get(page, noHead(page), {
        acceptEncoding,
        headers: { ...CLIENTS_HEADERS, Via: '1.1 cdn', ...forServer(server) },
      })
      must(asked?.originalUrl === page, asksForAnother(page, asked?.originalUrl))
      mustHaveHeaders(asked)
      must(headers.get('content-encoding') === 'gzip', {
        seen: `GET ${page}, with Accept-Encoding: ${acceptEncoding} and Via: 1.1 cdn, is not compressed.`,
        expected: 'Expected Content-Encoding: gzip, by nginx.',
        often: 'one of the lines with gzip at the top has been changed, or switched off below.',
      })
    }
  }
})

nginxCheck('4.5e', 'a silent page is given up, a stream is not so soon', async (t, nginx) => {
  const started = await startStreamThroughOwnNginx(t, nginx)
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
  if (!started) return
  const { stream, client } = started
  stream.send(`:late ${FILLS_BUFFERS}\n\n`, 'a long comment')
  await client.skipUntil('late', {
    seen: 'The stream was silent for a second, and what the server sent behind that did not come.',
    expected: 'Expected it to stay: the heartbeats of task 4.4 come every 15 seconds.',
    ...(nginx.settings &&
      parseSeconds(nginx.settings.readTimeout ?? '60s') <= 1 && {
        cause: 'the location inherits proxy_read_timeout 1s.',
      }),
  })
})

nginxCheck('4.5f', 'a silent stream is given up, and not before a heartbeat', async (t, nginx) => {
  ownNginx(nginx)
  if (!nginx.settings) {
    if (!(await isAsked(t, await streamThroughOwnNginx(t, nginx)))) return
    t.transcript.note =
      'cannot read your nginx.conf, which includes other files or sets proxy_method: only nginx has judged it'
    return
  }
  const timeout = nginx.settings.readTimeout ?? '60s'
  const seconds = parseSeconds(timeout)
  must(seconds > 15 && seconds <= 600, {
    seen: `For ${PATH} proxy_read_timeout is ${timeout}.`,
    expected: 'Expected more than the 15 seconds between two heartbeats, and 10 minutes at most.',
    ...(seconds > 3600 && {
      often: 'it was set to a day, since the stream was cut. Heartbeats are the cure of that.',
    }),
    ...(seconds <= 15 && {
      cause: 'nginx gives the stream up before a heartbeat comes. They are 15 seconds apart.',
    }),
  })
})

nginxEdgeCase('4.5g', 'the server is told when a client leaves', async (t, nginx) => {
  // Began to be silent earlier: a timeout ends this one first.
  const stays = await streamThroughOwnNginx(t, nginx, { name: 'client that stays' })
  if (!(await isAsked(t, stays))) return
  const leaves = await streamThroughOwnNginx(t, nginx, { name: 'other client' })
  if (!(await isAsked(t, leaves))) return
  leaves.client.disconnect()
  await t.waitFor(() => leaves.stream.openResponses === 0, {
    seen: 'The client left, and nginx keeps the connection to the server.',
    expected: 'Expected nginx to close it.',
    ...(/\bproxy_ignore_client_abort\s+on\b/.test(readConf()) && {
      often: 'the location has proxy_ignore_client_abort on, of its own or inherited.',
    }),
  })
  must(stays.stream.openResponses === 1, {
    seen: 'nginx closed the connection to the server, and that of a client that stays before it.',
    expected: 'Expected the server to hear of a client that leaves when it leaves.',
    ...(nginx.settings?.readTimeout === '1s' && {
      cause: 'the location inherits proxy_read_timeout 1s, and that closes them all.',
    }),
  })
})

nginxEdgeCase(
  '4.5h',
  'a server that crashes does not look like one that is done',
  async (t, nginx) => {
    const started = await startStreamThroughOwnNginx(t, nginx)
    if (!started) return
    const { stream, client, headers } = started
    stream.cut()
    const how = await client.ended({
      seen: 'The server cut the connection, and the client was not told.',
      expected: 'Expected nginx to cut it, too.',
    })
    const asksOver = stream.requests.at(-1)!.httpVersion
    must(how === 'cut', {
      seen: 'The server cut the connection, and for the client the response is complete.',
      expected: 'Expected a response that is cut off, too.',
      ...(asksOver === '1.0'
        ? { cause: 'nginx asks over HTTP/1.0, where a close is the only end there is.' }
        : !headers.has('transfer-encoding') && {
            cause:
              'nginx sends no chunks, and without them a close is the only end there is. chunked_transfer_encoding off forbids them.',
          }),
    })
  },
)

// 4.6 Ends

check('4.6a', 'a stream says that it is over', async (t) => {
  const { feed, proxy, server, ...first } = await connectThroughProxy(
    t,
    { http: '1.0' },
    OVER_HTTP_10,
  )
  await waitForReaders(t, feed, 1)
  const second = sendRequest(t, proxy, {}, 'second client')
  const third = sendRequest(t, proxy, { acceptEncoding: 'gzip' }, 'client that takes gzip')
  await waitForReaders(t, feed, 3)
  // On a night without a quake: then, too.
  feed.end()
  for (const { client, events } of [first, second, third]) {
    const whom =
      client === second.client ? ' to a second client' : ' to a third client, which takes gzip'
    const end = await events.next({
      seen: `The feed is over, and no event says so${client === first.client ? '' : whom}.`,
      expected: 'Expected an event named end. Behind this proxy a crash looks the same.',
      ...(client === first.client && {
        often: 'res.end() is called without a last event, if only where no quake was sent.',
      }),
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
  for (const name of ['client that comes later', 'client that comes later still']) {
    const late = sendRequest(t, server, {}, name)
    const { status } = await late.client.head({
      seen: 'The feed is over, and who asks now gets no head.',
      expected: LATER,
    })
    if (status === 204) continue
    must(status === 200, {
      seen: `The feed is over, and who asks now is answered ${status}.`,
      expected: LATER,
    })
    const { type } = await late.events.next({
      seen: 'The feed is over, and who asks now gets 200 and no event.',
      expected: LATER,
    })
    must(type === 'end', {
      seen: `The feed is over, and who asks now gets an event that is not named end, but ${excerpt(type)}.`,
      expected: LATER,
    })
    await late.client.ended({
      seen: 'The feed is over, who asks now gets the event end, and the response goes on.',
      expected: 'Expected the response to end.',
    })
  }
})

check('4.6b', 'a stream that failed does not say that it is over', async (t) => {
  for (const [count, acceptEncoding] of [[1], [0], [0, 'gzip']] as const) {
    const { feed, client, events } = await connectDirectly(t, { acceptEncoding })
    await waitForReaders(t, feed, 1)
    // Whether a compressor holds the first bytes is a rule of 4.3b.
    if (!acceptEncoding) await events.firstBytes(NOTHING_YET)
    for (const quake of quakes(count)) {
      feed.release(quake)
      await events.next(noEvent(quake))
    }
    feed.fail('the network is down')
    const when = count > 0 ? 'The feed failed' : 'The feed failed before its first quake'
    const failed = acceptEncoding ? `${when}, the client takes ${acceptEncoding}` : when
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
  for (const [n, quake] of [...ordinaryQuakes(1), ...awkwardQuakes(), quakeInBend()].entries()) {
    const next = reading.next()
    source.push({ type: 'message', data: JSON.stringify(quake) })
    const { done, value } = await t.withTimeout(next, {
      seen: `The event of ${describeQuake(quake)} is here, and readQuakes() gives nothing.`,
      expected: 'Expected the quake at once.',
      ...(n === 0 && { often: 'the events are collected first.' }),
    })
    must(!done, {
      seen: `The event of ${describeQuake(quake)} is here, and readQuakes() ended.`,
      expected: 'Expected the quake: it is a message, and no end.',
      ...(quake.place.includes('Bend') && {
        often: 'the end is looked for in the data. It is in the type of an event.',
      }),
    })
    must(deepEqual(value, quake), {
      seen: `The event of ${describeQuake(quake)} is here, and readQuakes() gives ${excerptJson(value)}`,
      expected: `Expected ${excerptJson(quake)}`,
      ...(typeof value === 'string' && { often: 'the data is given as text.' }),
    })
  }
})

check('4.6d', 'the reader ends at the event end, and lets go of the stream', async (t) => {
  for (const [count, data] of [
    [0, 'the feed is over'],
    [2, ''],
  ] as const) {
    const { source, reading } = await readQuakesOf(t, count)
    const next = t.withTimeout(reading.next().catch(errorOf), {
      seen: 'The event end is here, and readQuakes() waits for more.',
      expected: 'Expected it to end at once: a proxy may keep the connection open.',
      often: 'the event is taken for one more message, or only noted.',
    })
    source.push({ type: 'end', data })
    const given = await next
    must(!(given instanceof Error), {
      seen: `The event end is here, and readQuakes() threw ${excerpt(String(given))}`,
      expected: 'Expected it to end without an error.',
    })
    must(given.done === true, {
      seen: `The event end is here, and readQuakes() gives ${excerptJson(given.value)}`,
      expected: 'Expected it to end.',
    })
    must(source.isLeft, {
      seen: 'readQuakes() has ended, and the stream of events is still open.',
      expected: 'Expected it to be left: that is what closes the connection.',
      often: 'next() is called by hand, and nobody calls return().',
    })
  }
  const { source, reading } = await readQuakesOf(t, 1)
  t.transcript.step('the caller stops reading, with break')
  const stopped = await t.withTimeout(reading.return(undefined).catch(errorOf), {
    seen: 'The caller stopped reading, and readQuakes() does not return.',
    expected: 'Expected it to return at once.',
  })
  must(!(stopped instanceof Error), {
    seen: `The caller stopped reading, and readQuakes() threw ${excerpt(String(stopped))}`,
    expected: 'Expected it to return without an error: the caller has seen enough.',
  })
  must(source.isLeft, {
    seen: 'The caller stopped reading, and the stream of events is still open.',
    expected: 'Expected readQuakes() to leave the stream: that is what closes the connection.',
  })
})

check('4.6e', 'a stream that ends without it was cut off', async (t) => {
  for (const count of [1, 0, 100]) {
    const { source, reading } = await readQuakesOf(t, count)
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

edgeCase('4.6f', 'an event of another name is no quake, and no end', async (t) => {
  const source = controlledIterable<StreamEvent>()
  const reading = readQuakes(source.values)
  const [quake] = quakes(1)
  for (const [type, data] of OTHER_EVENTS) {
    t.transcript.step(`the events have one named ${type}, then a message`)
    source.push({ type, data })
    source.push({ type: 'message', data: JSON.stringify(quake) })
    const { done, value } = await t.withTimeout(reading.next(), {
      seen: `An event named ${type} is here, then a message, and readQuakes() gives nothing.`,
      expected: 'Expected the quake of the message.',
    })
    must(!done, {
      seen: `An event named ${type} is here, and readQuakes() ended.`,
      expected: 'Expected it to pass over the event, and to end at the one named end alone.',
      ...(type === 'END'
        ? { cause: 'the name is compared without its case.' }
        : type.includes('end') && {
            often: 'whatever is no message is taken for the end, or a part of the name is.',
          }),
    })
    must(deepEqual(value, quake), {
      seen: `An event named ${type} is here, then a message, and readQuakes() gives ${excerptJson(value)}`,
      expected: 'Expected the quake of the message: only a message is a quake.',
      often:
        type in {}
          ? `the name is looked up in an object, and every object has a property ${type}.`
          : 'your code does not look at the type of an event.',
    })
  }
})

edgeCase('4.6g', 'a connection that is lost is no end either', async (t) => {
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

/** Names that are like others, or that objects have by themselves. Data need not be JSON. */
const OTHER_EVENTS = [
  ['ending', '{"inMinutes":10}'],
  ['weekend', 'in two days'],
  ['END', ''],
  ['error', 'the sensor of Hualian is silent'],
  ['close', 'the gate'],
  ['constructor', '{}'],
  ['__proto__', 'null'],
] as const

/** A reader that has been given so many quakes, each as its event came. */
async function readQuakesOf(
  t: Tools,
  count: number,
): Promise<{
  source: ControlledIterable<StreamEvent>
  reading: AsyncGenerator<Quake>
}> {
  const source = controlledIterable<StreamEvent>()
  const reading = readQuakes(source.values)
  for (const quake of quakes(count)) {
    source.push({ type: 'message', data: JSON.stringify(quake) })
    await t.withTimeout(reading.next(), {
      seen: 'An event is here, and readQuakes() gives nothing.',
      expected: 'Expected the quake at once.',
    })
  }
  return { source, reading }
}

/** What was thrown, but for what is not written yet, which is told by itself. */
function errorOf(thrown: unknown): Error {
  if (isNotWritten(thrown)) throw thrown
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}

/** More than all buffers of the kernel take, between a server and nginx and between nginx and a client. */
const LARGE = 24 * 1024 * 1024

const OVER_HTTP_10 = 'a proxy that asks over HTTP/1.0'

type Visit = {
  t: Tools
  server: TestServer
  feed: ControlledFeed
  client: RawClient
  /** Waits until the handler reads the feed. A head has to say 200. */
  isServed(): Promise<void>
}

/** How a client comes and leaves. */
const VISITS: { how: string; leave(visit: Visit): Promise<void> }[] = [
  {
    how: 'left as soon as it had asked',
    async leave({ client }) {
      client.request(PATH)
      client.disconnect()
    },
  },
  {
    how: 'left while the feed was silent',
    async leave({ client, isServed }) {
      client.request(PATH)
      await isServed()
      client.disconnect()
    },
  },
  {
    how: 'that takes gzip left when a quake happened',
    async leave({ client, feed, isServed }) {
      client.request(PATH, { acceptEncoding: BROWSERS_ACCEPT })
      await isServed()
      feed.release(...quakes(1))
      client.disconnect()
    },
  },
  {
    how: 'that asked over HTTP/1.0 left',
    async leave({ client, isServed }) {
      client.request(PATH, { version: '1.0' })
      await isServed()
      client.disconnect()
    },
  },
  {
    how: 'stopped reading and left',
    async leave({ t, server, client, feed, isServed }) {
      client.request(PATH)
      await isServed()
      server.blockNetwork(SILENT)
      feed.release(...largeQuakes(40, 4096))
      await t.waitFor(() => feed.readers[0]!.delivered > 0, OURS)
      client.disconnect()
      server.unblockNetwork(SILENT)
    },
  },
  {
    how: 'asked with HEAD',
    async leave({ t, client, feed }) {
      client.request(PATH, { method: 'HEAD' })
      // What HEAD is answered is a rule of lesson 2.
      await t.waitFor(() => client.hasHead || feed.readers.some(({ hasPulled }) => hasPulled), {
        seen: 'A client asked with HEAD, and the handler did nothing.',
        expected: 'Expected it to answer.',
      })
    },
  },
  {
    how: 'asked with POST',
    async leave({ client }) {
      client.request(PATH, { method: 'POST', headers: { 'Content-Length': 0 } })
      await client.head({ seen: 'POST got no answer.', expected: 'Expected one.' })
    },
  },
  ...[1, 0].map((count) => ({
    how: `was there when the feed failed${count > 0 ? '' : ' before its first quake'}`,
    async leave({ client, feed, isServed }: Visit) {
      client.request(PATH)
      await isServed()
      await mustArriveInTurn(feed, client.events, quakes(count), {
        expected: 'Expected it at once.',
      })
      feed.fail('the network is down')
      await client.ended({
        seen: 'The feed failed, and the response goes on.',
        expected: 'Expected the connection to be cut.',
      })
    },
  })),
]

/** As many as a limit on clients may be that are counted up and never down. */
const CROWD = 100

/** Only the client that stays is left. */
async function mustBeAlone(t: Tools, server: TestServer, before: string): Promise<void> {
  await t.waitFor(() => server.connections <= 1, {
    seen: `${before}, and the server keeps the connection.`,
    expected: 'Expected it to be closed.',
  })
  must(server.connections === 1, {
    seen: `${before}, and the connection of another client was closed as well.`,
    expected: 'Expected the other client to stay connected.',
  })
}

async function mustBeServed(client: RawClient, before: string): Promise<void> {
  const { status } = await client.head({
    seen: `${before}, and the next one got no head.`,
    expected: 'Expected it to be served like the first one.',
  })
  must(status === 200, {
    seen: `${before}, and the next one was answered ${status}.`,
    expected: 'Expected it to be served like the first one: 200, and a stream.',
  })
}

const LATER = 'Expected 204, or 200 with the event end at once.'

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
  client.request(PATH, takesGzip ? { acceptEncoding: 'gzip' } : {})
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
async function fence(t: Tools, hop: { port: number }, server?: { port: number }): Promise<void> {
  t.transcript.step('what is on its way has time until …')
  const other = t.connect(hop, 'another client')
  other.request('/other', server ? { headers: { ...forServer(server), Fence: 1 } } : {})
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
  { app = createApp, ...options }: { app?: CreateApp } & RequestOptions = {},
): Promise<Requested & { feed: ControlledFeed }> {
  const { feed, server } = await serveFeed(t, PATH, app)
  return { feed, ...sendRequest(t, server, options) }
}

/** A client of the stream behind a proxy. */
async function connectThroughProxy(
  t: Tools,
  setting: ProxySetting,
  description: string,
  app: CreateApp = createApp,
): Promise<Requested & { feed: ControlledFeed; server: TestServer; proxy: { port: number } }> {
  const { feed, server } = await serveFeed(t, PATH, app)
  const proxy = await t.proxy(server, setting, description)
  return { feed, server, proxy, ...sendRequest(t, proxy) }
}

/** A client of the stream behind the real nginx, set up to hold back all it can. */
async function connectThroughNginx(
  t: Tools,
  { holding }: NginxPorts,
  acceptEncoding?: string,
): Promise<Requested & { feed: ControlledFeed }> {
  const { feed, server } = await serveFeed(t, PATH, createApp)
  t.transcript.step(
    `before the server: the real nginx, ${acceptEncoding ? 'which compresses' : 'over HTTP/1.0'}`,
  )
  const options = { acceptEncoding, headers: forServer(server) }
  return { feed, ...sendRequest(t, { port: holding }, options) }
}

function sendRequest(
  t: Tools,
  server: { port: number },
  { path = PATH, ...options }: RequestOptions & { path?: string } = {},
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
  happening: Quake[],
  { seen, ...story }: Omit<Story, 'seen'> & { seen?: string },
): Promise<void> {
  for (const quake of happening) {
    feed.release(quake)
    const { type, data } = await events.next({
      seen: seen ?? `The feed released ${describeQuake(quake)} and no event reached the client.`,
      ...story,
    })
    must(type === 'message', {
      seen: `The event of ${describeQuake(quake)} is named ${excerpt(type)}.`,
      expected:
        'Expected a message, which is an event without a name: readers pass over the others.',
      often: 'the event has a field event, as the one that says end.',
    })
    const [is, wanted] = differingExcerpts(data, JSON.stringify(quake))
    must(deepEqual(tryParseJson(data), quake), {
      seen: `The data of ${describeQuake(quake)} is ${is}`,
      expected: `Expected ${wanted}`,
    })
  }
}

/** Looks at the last character first: it is asked each time when more of a long text has come. */
function isJson(text: string): boolean {
  return /[\]}"\s]$/.test(text) && tryParseJson(text) !== undefined
}

/** What a compressor would be, of those that a client takes. */
function codingsOf(acceptEncoding = ''): string[] {
  return acceptEncoding
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => !/;\s*q=0(\.0*)?$/.test(coding))
    .map((coding) => coding.replace(/;.*/, '').trim())
}

/** What a response says to nginx about buffers, when that is not what it has to be. */
async function causeInHead(
  t: Tools,
  options: Pick<RequestOptions, 'version' | 'acceptEncoding'> = {},
): Promise<Pick<Story, 'cause'>> {
  const { acceptEncoding } = options
  const server = await t.serve(createApp(controlledFeed(SILENT)))
  const client = new RawClient(server.port, { transcript: SILENT, waiting: t })
  const head = await client.get(PATH, NOTHING_YET, options).catch(() => undefined)
  client.close()
  const said = head?.headers.get('x-accel-buffering')
  if (!head || /^no$/i.test(said ?? '')) return {}
  const whose = acceptEncoding ? `, when the client takes ${acceptEncoding}` : ''
  return {
    cause: `the response has ${said === undefined ? 'no X-Accel-Buffering' : `X-Accel-Buffering: ${excerpt(said, 20)}`}${whose}.`,
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

function noHead(path: string): Story {
  return { seen: `GET ${path} got no head.`, expected: 'Expected one at once.' }
}

/** A stream that says nothing about buffers, behind an nginx with the nginx.conf of the work. */
async function streamThroughOwnNginx(
  t: Tools,
  nginx: NginxPorts,
  { name, headers, ...options }: RequestOptions & { path?: string; name?: string } = {},
): Promise<Requested & { stream: ScriptedServer }> {
  const own = ownNginx(nginx)
  const stream = await scriptedServer(t)
  t.transcript.step('before the server: nginx with your nginx.conf')
  const all = { ...options, headers: { ...headers, ...forServer(stream) } }
  return { stream, ...sendRequest(t, own, all, name) }
}

/** The same with so much at its beginning that it passes whatever buffers there are: they are the rule of 4.5b. */
async function startStreamThroughOwnNginx(
  t: Tools,
  nginx: NginxPorts,
): Promise<
  { stream: ScriptedServer; client: RawClient; headers: Map<string, string> } | undefined
> {
  const { stream, client } = await streamThroughOwnNginx(t, nginx)
  if (!(await isAsked(t, { stream, client }))) return undefined
  stream.send(`:${FILLS_BUFFERS}\n\n`, 'a long comment')
  const { headers } = await client.head({
    seen: 'The client got no head.',
    expected: 'Expected it.',
  })
  return { stream, client, headers }
}

/** Whether nginx asks the server for the stream. That it does is a rule of 4.5b. */
async function isAsked(
  t: Tools,
  { stream, client }: { stream: ScriptedServer; client: RawClient },
): Promise<boolean> {
  await t.waitFor(() => stream.requests.length > 0 || client.hasHead || client.isClosed, {
    seen: 'nginx asked the server for nothing, and did not answer.',
    expected: `Expected it to ask for ${PATH}.`,
  })
  if (stream.requests.length > 0) return true
  t.transcript.note = 'not graded, see 4.5b: nginx does not ask the server for the stream'
  return false
}

async function mustAsk(
  t: Tools,
  {
    stream,
    client,
    asked,
  }: {
    stream: ScriptedServer
    client: RawClient
    asked: string
  },
): Promise<void> {
  if (await isAsked(t, { stream, client })) return
  const head = client.hasHead ? await client.head(NOTHING_YET) : undefined
  const did = head ? `answered ${head.status}` : 'closed the connection'
  throw new Failure({
    seen: `The client asked for ${asked}. nginx ${did}, and did not ask the server.`,
    expected: 'Expected nginx to ask the server.',
    ...whyNotAsked(head),
  })
}

/** Why nginx answers by itself. Nothing when that is not known. */
function whyNotAsked(head: Head | undefined): Pick<Story, 'cause' | 'often'> {
  if (/\/events\/(\?|$)/.test(head?.headers.get('location') ?? '')) {
    return { cause: 'the location is one for /events/, with a slash at its end.' }
  }
  if (readConf().match(/\binclude\s+["']?listen\.conf/g)!.length > 1) {
    return {
      often:
        'more than one server block includes listen.conf. Where no server_name matches the host, nginx takes the first of them.',
    }
  }
  switch (head?.status) {
    case 404:
      return {
        often:
          'the location has no proxy_pass, so nginx looks for a file. A location does not inherit proxy_pass.',
      }
    case 502:
      return { often: 'proxy_pass names another server than $tremor.' }
    default:
      return {}
  }
}

/** A head that comes alone passes nginx only where its buffers are off. */
async function mustStayBuffered(t: Tools, own: { port: number }, pages: string[]): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const begun: Response[] = []
    const server = await t.serve((request, response) => {
      if (request.get('Fence')) return void response.end('other')
      begun.push(response)
      response.type('text/plain').flushHeaders()
    })
    const visits = pages.map((page) => ({
      page,
      client: t.connect(own, `client of ${page}`),
    }))
    for (const { page, client } of visits) client.request(page, { headers: forServer(server) })
    await t.waitFor(() => begun.length === visits.length, {
      seen: () =>
        `The clients asked for ${pages.join(', ')}, and nginx did not ask the server for ${visits
          .flatMap(({ page }) => (begun.some(({ req }) => req.originalUrl === page) ? [] : page))
          .join(', ')}.`,
      expected: 'Expected it to ask for each of them.',
    })
    await fence(t, own, server)
    const passed = visits.find(({ client }) => client.hasHead)
    await fence(t, own, server)
    // On a machine that is very busy a page may have been given up meanwhile. Then its head has come with that.
    if (begun.some(({ closed }) => closed) && tries < 10) continue
    must(passed === undefined, {
      seen: `nginx does not buffer ${passed?.page}.`,
      expected: `Expected it to buffer every page but ${PATH}.`,
      ...(passed?.page.includes('events') && {
        often:
          'the location is a pattern that matches a part of a path. ^ and $ tie it to the ends.',
      }),
    })
    return
  }
}

/** Fills each buffer that nginx has by default several times. */
const FILLS_BUFFERS = '~'.repeat(256 * 1024)

/** Pages that somebody's pattern for the stream may match, or a location for files. */
const OTHER_PAGES = [
  ...['/static/events.js', '/old/events', '/eve', '/event', '/week?of=/events', '/'],
  ...['/week.json', '/logo.png', '/app.css'],
]

/** Pages that are named like the locations of the work: those that a location takes by mistake are among them. */
function pagesLikeLocations(): string[] {
  const patterns = [...readConf().matchAll(/\blocation\s+([^@{}][^{}]*?)\s*\{/g)]
  const words = new Set(patterns.flatMap(([, pattern]) => pattern!.match(/[\w-]+/g) ?? []))
  return [...words]
    .flatMap((word) => [`/${word}`, `/${word}/1`, `/${word.slice(0, -1)}`, `/old/${word}`])
    .filter((page) => !page.startsWith(PATH) && !OTHER_PAGES.includes(page) && page !== '/')
    .slice(0, 40)
}

/** Those of the pages that nginx asks the server for. */
async function pagesAskedFor(t: Tools, own: { port: number }, pages: string[]): Promise<string[]> {
  const asked: string[] = []
  const server = await t.serve((request, response) => {
    asked.push(request.originalUrl)
    response.end()
  })
  for (const page of pages) {
    const client = new RawClient(own.port, { transcript: SILENT, waiting: t })
    client.request(page, { headers: forServer(server) })
    await t.waitFor(() => client.hasHead || client.isClosed, noHead(page))
    client.close()
  }
  return pages.filter((page) => asked.includes(page))
}

/** What a client says to the server, and nginx hands on. */
const CLIENTS_HEADERS = { 'Last-Event-ID': '7', Cookie: 'site=tremor', Authorization: 'Bearer t' }

function mustHaveHeaders(request: Request | undefined): void {
  for (const [name, value] of Object.entries(CLIENTS_HEADERS)) {
    const came = request?.get(name)
    must(came === value, {
      seen: `The client sent ${name}: ${value}, and the server got ${came === undefined ? 'no such header' : `${name}: ${excerpt(came)}`}.`,
      expected: 'Expected the server to get the headers of the client.',
    })
  }
}

/** With a variable in it, `proxy_pass` asks for what stands behind that, and for nothing else. */
function asksForAnother(asked: string, url: string | undefined): Story {
  return {
    seen: `The client asked for ${asked}, and nginx asked the server for ${url}.`,
    expected: `Expected it to ask for ${asked}.`,
    ...whyAnother(),
  }
}

function whyAnother(): Pick<Story, 'often'> {
  if (/\brewrite\s/.test(readConf())) return { often: 'a rewrite changes what is asked for.' }
  if (!/\bproxy_pass\s+["']?http:\/\/\$tremor[^;"'\s]/.test(readConf())) return {}
  return {
    often:
      'proxy_pass has something behind $tremor. With a variable that takes the place of path and query.',
  }
}

/** The nginx with the nginx.conf of the work. */
function ownNginx({ ofWork, problem = '' }: NginxPorts): { port: number } {
  const [, notWritten] = /^\s*# (lesson 4, task 4\.5: write .*)$/m.exec(conf()) ?? []
  if (notWritten) throw new Error(notWritten)
  must(ofWork !== undefined, {
    seen: problem,
    expected: 'Expected nginx to start.',
    ...(/unknown directive|invalid number of arguments|unexpected|not terminated/.test(problem) && {
      often:
        'a semicolon is missing there or in the line before, or this version of nginx has no directive of that name.',
    }),
    ...(/directive is not allowed here/.test(problem) && {
      often: 'the line belongs elsewhere: this file stands inside of http { … } already.',
    }),
  })
  return { port: ofWork }
}

/** Why buffers are in the way: they are on. Nothing when that is not known. */
function whyBuffered({ settings }: NginxPorts): Pick<Story, 'cause'> {
  if (!settings || settings.buffering === 'off') return {}
  const isOffElsewhere = /\bproxy_buffering\s+["']?off\b/.test(readConf())
  return {
    cause: `for ${PATH} proxy_buffering is on${isOffElsewhere ? ', and is off only in a place that does not apply to it' : ''}. Over HTTP/1.1 nginx holds the head then, with gzip everything.`,
  }
}

/** The nginx.conf of the work, without its comments. */
function readConf(): string {
  return conf().replace(/#.*$/gm, '')
}

function conf(): string {
  return readFileSync(join(process.env.WORKSHOP_SANDBOX!, '04-buffering', 'nginx.conf'), 'utf8')
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
