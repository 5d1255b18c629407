import { readFileSync } from 'node:fs'
import { get, type IncomingMessage } from 'node:http'
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
import { check, must, nginxCheck, type Tools, edgeCase } from './harness/check.ts'
import { RawClient, type RequestOptions } from './harness/raw-client.ts'
import type { ResponseHead } from '../wire/message-head.ts'
import { describeEvent, type EventClient } from './harness/event-client.ts'
import { Failure, type Story } from './harness/failure.ts'
import { controlledFeed, type ControlledFeed } from './harness/controlled-feed.ts'
import { controlledIterable, type ControlledIterable } from './harness/controlled-iterable.ts'
import { sampleSize } from './harness/sampling.ts'
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

/** The interval of heartbeats in checks that wait for heartbeats. It is short, so that the checks are fast. */
const OFTEN = 2

/** Enough lines to contain two heartbeats, whatever a server sends at the beginning. */
const SOME = 5

/** Enough heartbeats to notice a limit on their number. */
const MANY = 40

/** A proxy with this setting behaves like an nginx that uses HTTP/1.0. */
const FILLS_A_BUFFER: ProxySetting = { http: '1.0', holds: 4096 }
const FILLS_A_BUFFER_TOLD = 'a proxy that uses HTTP/1.0 and fills a buffer of 4 KiB'

/** A proxy with this setting behaves like an nginx that uses HTTP/1.1 and compresses. */
const COMPRESSES: ProxySetting = { holds: 'head', gzip: true }

/** The `Accept-Encoding` of Chrome and Firefox. */
const BROWSERS_ACCEPT = 'gzip, deflate, br, zstd'

// 4.1 Predictions

check('4.1a', 'predict() is right about nginx over HTTP/1.0 and HTTP/1.1', async (t) => {
  await mustPredict(t, 'nginx, HTTP/1.1', {
    truth: 'head waits',
    proxy: { holds: 'head' },
    why: 'nginx passes on each chunk when it is complete, and sends the head with the first chunk.',
  })
  await mustPredict(t, 'nginx, HTTP/1.0', {
    truth: 'holds',
    proxy: FILLS_A_BUFFER,
    why: 'A response over HTTP/1.0 has no chunks, so nginx waits until a buffer is full.',
  })
})

check('4.1b', 'predict() is right about compressors, in nginx and in the server', async (t) => {
  await mustPredict(t, 'nginx, HTTP/1.1, gzip', {
    truth: 'holds',
    proxy: COMPRESSES,
    takesGzip: true,
    why: 'The compressor in nginx waits for more input, because nothing tells it to flush.',
  })
  await mustPredict(t, 'compression()', {
    truth: 'holds',
    compresses: true,
    takesGzip: true,
    why: 'compression() sends everything that you write through a compressor, which waits for more input.',
  })
})

check('4.1c', 'predict() is right about nginx and X-Accel-Buffering: no', async (t) => {
  const why =
    'With this header, nginx passes on the head and each event at once, and flushes its compressor.'
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

edgeCase(
  '4.1d',
  'predict() is right about compression() with flush() or no-transform',
  async (t) => {
    await mustPredict(t, 'compression(), flush() after each event', {
      truth: 'passes',
      compresses: true,
      flushes: true,
      takesGzip: true,
      why: 'compression() adds a flush() method to the response, which makes the compressor emit everything it has.',
    })
    await mustPredict(t, 'compression(), Cache-Control: no-transform', {
      truth: 'passes',
      compresses: true,
      headers: { 'Cache-Control': 'no-transform' },
      takesGzip: true,
      why: 'no-transform forbids every hop to change the body, and compression() obeys it.',
    })
  },
)

// 4.2 A head and a first byte that pass

check(
  '4.2a',
  'the head announces an event stream and keeps caches from replaying it',
  async (t) => {
    for (const version of ['1.1', '1.0'] as const) {
      const { client } = await connectDirectly(t, { version })
      const head = await client.head({
        seen: 'The client got no response head.',
        expected: 'Expected the status and the headers to arrive at once.',
        often: 'your handler writes nothing before the first quake.',
      })
      const type = head.headers.get('content-type')
      must(head.status === 200 && isEventStream(head), {
        seen: `GET ${PATH} was answered with status ${head.status} and ${type ? `Content-Type: ${type}` : 'no Content-Type'}.`,
        expected: 'Expected status 200 and Content-Type: text/event-stream.',
      })
      const control = head.headers.get('cache-control')
      must(hasToken(control, 'no-store', 'no-cache'), {
        seen: control
          ? `The response has Cache-Control: ${control}.`
          : 'The response has no Cache-Control.',
        expected:
          'Expected no-store or no-cache in Cache-Control, because a cache would replay old quakes.',
      })
    }
  },
)

check(
  '4.2b',
  'the head gets through a proxy that waits for the first byte of the body',
  async (t) => {
    const { client } = await connectThroughProxy(
      t,
      { holds: 'head', ignoresAccelBuffering: true },
      'a proxy that sends the head with the first byte of the body',
    )
    await client.head({
      seen: 'While the feed was silent, the proxy received the response head but no bytes of the body.',
      expected: 'Expected your handler to send some bytes of the body together with the head.',
      often:
        'your handler calls flushHeaders(), which sends only the head. A first write, such as retry: 2000, sends the head and part of the body.',
    })
  },
)

edgeCase('4.2c', 'the head gets through a proxy that fills a buffer of 4 KiB', async (t) => {
  for (const http of ['1.0', '1.1'] as const) {
    const { client } = await connectThroughProxy(
      t,
      { ...FILLS_A_BUFFER, http },
      `a proxy that uses HTTP/${http} and fills a buffer of 4 KiB`,
    )
    await client.head({
      seen: `While the feed was silent, the proxy, which uses HTTP/${http}, waited for 4 KiB and passed on no response head.`,
      expected:
        'Expected the response to have the header X-Accel-Buffering: no, which tells a proxy not to buffer.',
      ...(await causeInHead(t, { version: http })),
    })
  }
})

check(
  '4.2d',
  'each event gets through a proxy with a buffer of 4 KiB before the next quake',
  async (t) => {
    const { feed, server, proxy, ...behind } = await connectThroughProxy(
      t,
      FILLS_A_BUFFER,
      FILLS_A_BUFFER_TOLD,
    )
    await waitForReaders(t, feed, 1)
    // The answer takes the same path, so everything that was sent before it and gets through has arrived.
    const other = sendRequest(t, proxy, { path: '/other' }, 'another client')
    await other.client.head(noHead('/other'))
    // 4.2c grades whether the head gets through. If it does not, look at the events without the proxy.
    const passes = behind.client.hasHead
    const { events } = passes ? behind : sendRequest(t, server, {}, 'direct client')
    const { cause } = passes ? await causeInHead(t) : {}
    await mustArriveInTurn(feed, events, awkwardQuakes(), {
      expected: 'Expected the event to arrive while the feed waits for the next quake.',
      ...(cause && { cause: `${cause} Padding would fill only the first buffer.` }),
    })
  },
)

check('4.2e', 'clients that connect and disconnect do not affect other clients', async (t) => {
  let feed = controlledFeed(SILENT)
  const first = feed
  const server = await t.serve(createApp({ open: (signal) => feed.open(signal) }))
  const stays = sendRequest(t, server, {}, 'first client')
  await waitForReaders(t, first, 1)
  let before = 'One client was connected'
  for (const { how, leave } of VISITS) {
    feed = controlledFeed(SILENT)
    const client = new RawClient(server.port, { transcript: SILENT, waiting: t })
    const { readers } = feed
    const isRead = (): boolean => readers.some(({ hasPulled }) => hasPulled)
    const isServed = async (): Promise<void> => {
      const story = {
        seen: `${before}. Another client connected, but your handler did not read the feed for that client.`,
        expected: 'Expected each client to be served like the first one.',
      }
      // 4.3b grades whether a compressor delays the head.
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
      seen: `${before}. A quake happened, but the next client got no event.`,
      expected: 'Expected each client to be served like the first one.',
    })
    next.close()
    before = 'A client disconnected after an event'
    await mustBeAlone(t, server, before)
  }
  feed = controlledFeed(SILENT)
  const size = sampleSize(CROWD)
  const crowd = Array.from({ length: size }, () => {
    const client = new RawClient(server.port, { transcript: SILENT, waiting: t })
    client.request(PATH)
    return client
  })
  await t.waitFor(() => feed.readers.filter(({ hasPulled }) => hasPulled).length === size, {
    seen: () =>
      `${size} clients connected, but your handler read the feed for only ${feed.readers.length} of them.`,
    expected: 'Expected each client to be served like the first one.',
  })
  for (const client of crowd) client.close()
  await mustBeAlone(t, server, `${size} clients disconnected`)
  const visits = 2 * VISITS.length + size
  t.transcript.step(`${visits} clients connected and disconnected in different ways`)
  feed = controlledFeed(t.transcript)
  await mustArriveInTurn(first, stays.events, quakes(2), {
    expected: 'Expected the first client to get the event, whatever the other clients did.',
  })
  const last = sendRequest(t, server, {}, 'last client')
  await mustArriveInTurn(feed, last.events, quakes(3), {
    expected: 'Expected the last client to be served like the first one.',
  })
})

// 4.3 Compression

check('4.3a', '/week.json is compressed for clients that accept gzip', async (t) => {
  const { server } = await serveFeed(t, PATH, createApp)
  let known: string | undefined
  const codings = ['gzip', BROWSERS_ACCEPT, 'deflate,gzip;q=0.8']
  for (const acceptEncoding of codings.slice(0, sampleSize(codings.length))) {
    const client = t.connect(server)
    const { headers, status } = await client.get(
      '/week.json',
      {
        seen: 'The client asked for /week.json, but got no response head.',
        expected: 'Expected the response to contain the quakes from the week as JSON.',
      },
      { acceptEncoding },
    )
    const type = headers.get('content-type')
    must(status === 200 && /^application\/json\s*(;|$)/i.test(type ?? ''), {
      seen: `GET /week.json was answered with status ${status} and ${type ? `Content-Type: ${type}` : 'no Content-Type'}.`,
      expected: 'Expected status 200 and Content-Type: application/json.',
    })
    const coding = headers.get('content-encoding')
    must(coding !== undefined && coding !== 'identity', {
      seen: `GET /week.json with Accept-Encoding: ${acceptEncoding} was answered without compression.`,
      expected: 'Expected Content-Encoding: gzip, or another coding that the client accepts.',
      ...(/\bno-transform\b/i.test(headers.get('cache-control') ?? '')
        ? { cause: 'the Cache-Control header contains no-transform, and compression() obeys it.' }
        : acceptEncoding === 'gzip'
          ? { often: 'your app registers compression() after the route, or not at all.' }
          : {
              often:
                'your code treats Accept-Encoding as one word. The header is a list, in which gzip may be anywhere, without a space before it, and with a weight after it.',
            }),
    })
    // The page is the same, so it is enough to check the coding.
    if (acceptEncoding.includes('q=')) {
      client.close()
      continue
    }
    const body = await client.body((text) => text === known || isJson(text), {
      seen: 'The body of /week.json was not JSON.',
      expected: 'Expected the body to contain all quakes from the week as JSON.',
    })
    if (body === known) continue
    const all = recordedQuakes()
    const given = tryParseJson(body)
    const isShort = Array.isArray(given) && given.length !== all.length
    must(deepEqual(given, all), {
      seen: isShort
        ? `/week.json had ${given.length} quakes.`
        : `The body of /week.json was ${excerpt(body)}`,
      expected: `Expected the body to contain all ${all.length} quakes from the week.`,
    })
    known = body
  }
})

check(
  '4.3b',
  'each event arrives before the next quake, whatever codings the client accepts',
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
        seen: `A quake happened, but no event reached the client that sent Accept-Encoding: ${acceptEncoding}.`,
        expected:
          'Expected the event to arrive at once. A compressor must not wait for more input.',
        often:
          'compression() also compresses your stream. Send Cache-Control: no-transform, or call res.flush() after each write.',
      })
    }
  },
)

check('4.3c', 'a client that does not accept gzip is not sent gzip', async (t) => {
  await mustAcceptCoding(t, PATH, [undefined, 'identity', 'br', 'gzip', BROWSERS_ACCEPT])
  await mustAcceptCoding(t, '/week.json', [undefined, 'identity', 'gzip'])
})

nginxCheck('4.3d', 'the head and each event get through the real nginx', async (t, nginx) => {
  const { cause: cannotPass } = await causeInHead(t, { version: '1.0' })
  if (cannotPass) {
    t.transcript.note = `not graded, see 4.2c and 4.2d: ${cannotPass.replace(/\.$/, '')}`
    return
  }
  for (const acceptEncoding of [undefined, 'gzip', BROWSERS_ACCEPT]) {
    const { feed, client, events } = await connectThroughNginx(t, nginx, acceptEncoding)
    const how = acceptEncoding ? 'compresses' : 'uses HTTP/1.0'
    const why = await causeInHead(t, { version: '1.0', acceptEncoding })
    await client.head({
      seen: `While the feed was silent, the client of an nginx that ${how} got no response head.`,
      expected: 'Expected the response head to arrive at once.',
      ...why,
    })
    const expected = `Expected the event to arrive at once, although this nginx ${how}.`
    await mustArriveInTurn(feed, events, quakes(3), { expected, ...why })
  }
})

edgeCase('4.3e', 'a client that excludes gzip with q=0 is not sent gzip', async (t) => {
  await mustAcceptCoding(t, PATH, ['gzip;q=0'])
  await mustAcceptCoding(t, '/week.json', ['', 'gzip;q=0', 'deflate;q=0.5, gzip; q=0.000'])
})

// 4.4 Heartbeats

check('4.4a', 'heartbeats are sent while the feed is silent', async (t) => {
  const delays = t.recordTimerDelays()
  const unset = await connectDirectly(t)
  await waitForReaders(t, unset.feed, 1)
  delays.stop()
  const { feed, events } = await connectDirectly(t, { app: withHeartbeats })
  await events.heartbeats(SOME, {
    seen: `heartbeatMs was ${OFTEN}, but the client got no heartbeats.`,
    expected:
      'Expected a comment to arrive every heartbeatMs milliseconds, because proxies cut silent connections.',
    often: 'your handler sends no heartbeat or only one, or it does not use heartbeatMs.',
  })
  const { unexpected } = events
  must(unexpected === undefined, {
    seen: `The feed was silent, but the client read an event: ${unexpected && describeEvent(unexpected)}.`,
    expected:
      'Expected the heartbeat to be a comment. A heartbeat must not be an event, not even a named one.',
    often: 'your heartbeat has a "data" field. A comment is a line that begins with a colon.',
  })
  const [quake] = quakes(1)
  feed.release(quake)
  await events.next(noEvent(quake))
  const { fields, lastEventId } = events
  await events.heartbeats(MANY, {
    seen: 'The feed was silent again after a quake, but the client got no more heartbeats.',
    expected: 'Expected heartbeats to arrive until the response ends.',
    often: 'your handler clears the timer inside the loop. Clear it after the loop.',
  })
  must(events.fields === fields, {
    seen: `The feed was silent, and the heartbeat arrived as a field${events.lastEventId === lastEventId ? '' : `, which changed the last event ID from "${lastEventId}" to "${excerpt(events.lastEventId)}"`}.`,
    expected: 'Expected the heartbeat to be a comment, which is a line that begins with a colon.',
    often: 'your heartbeat has a field name before the colon, or no colon.',
  })
  // A default of a few milliseconds would flood every client.
  must(
    delays.ms.some((ms) => ms >= 1000 && ms <= 60_000),
    {
      seen: `heartbeatMs was left out, and ${delays.ms.length > 0 ? `your handler's timers were set to ${[...new Set(delays.ms)].slice(0, 3).join(', ')} ms` : 'your handler set no timer'}.`,
      expected:
        'Expected a default interval of 15 seconds, because nginx cuts a connection that is silent for 60 seconds.',
    },
  )
})

check(
  '4.4b',
  'heartbeats reach clients that accept gzip, and proxies that use HTTP/1.0',
  async (t) => {
    for (const acceptEncoding of ['gzip', BROWSERS_ACCEPT]) {
      const { events } = await connectDirectly(t, { acceptEncoding, app: withHeartbeats })
      await events.heartbeats(SOME, {
        seen: `heartbeatMs was ${OFTEN}, but a client that accepts ${acceptEncoding} got no heartbeats.`,
        expected:
          'Expected each comment to arrive at once. A compressor must not wait for more input.',
        often: 'your handler calls flush() after events, but not after heartbeats.',
      })
    }
    const { events } = await connectDirectly(t, { version: '1.0', app: withHeartbeats })
    await events.heartbeats(SOME, {
      seen: `heartbeatMs was ${OFTEN}, but a client that uses HTTP/1.0 got no heartbeats.`,
      expected:
        'Expected heartbeats to be sent over HTTP/1.0 as well, because some proxies use it.',
    })
  },
)

check('4.4c', 'the feed closes even if a proxy reports the disconnect late', async (t) => {
  let hasLeft = false
  const { feed, client, events } = await connectThroughProxy(
    t,
    { tellsServerAfter: 3, onLeft: () => (hasLeft = true) },
    'a proxy that closes the connection at the third write after the client disconnected',
    withHeartbeats,
  )
  await events.firstBytes(NOTHING_YET)
  await waitForReaders(t, feed, 1)
  client.disconnect()
  await t.waitFor(() => hasLeft, {
    seen: 'The client disconnected, but the proxy did not notice.',
    expected: 'Expected the proxy to notice the disconnect.',
  })
  await t.waitFor(() => feed.readers[0]!.closed, {
    seen: 'The client disconnected, and the proxy closed its connection to the server at the third heartbeat, but the feed stayed open.',
    expected: 'Expected your handler to close the feed.',
    often: "your handler does not listen for 'close' on the response.",
  })
})

check('4.4d', 'every client gets heartbeats until its own response ends', async (t) => {
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
      seen: `${when}, but the ${nth} client got no heartbeats.`,
      expected: 'Expected each client to get heartbeats until its own response ends.',
      often: 'your timer is in a variable outside the handler, so all clients share it.',
    })
  }
  for (const client of clients) await isAlive(client, 'Three clients connected')
  for (const [n, { nth, client }] of clients.entries()) {
    client.disconnect()
    await t.waitFor(() => feed.readers.filter(({ closed }) => closed).length > n, {
      seen: `The ${nth} client disconnected, but its feed stayed open.`,
      expected: 'Expected your handler to close the feed of that client.',
    })
    for (const other of clients.slice(n + 1)) await isAlive(other, `The ${nth} client disconnected`)
  }
  const last = { nth: 'next', ...sendRequest(t, server, {}, 'next client') }
  await isAlive(last, 'All three clients disconnected')
})

// 4.5 nginx.conf

nginxCheck('4.5a', 'nginx accepts nginx.conf', async (_t, { ofWork, problem = '' }) => {
  mustBeWritten()
  must(ofWork !== undefined, {
    seen: problem,
    expected: 'Expected nginx to start with your nginx.conf.',
    ...(/unknown directive|invalid number of arguments|unexpected|not terminated/.test(problem) && {
      often:
        'your file lacks a semicolon in the reported line or in the line before it, or this nginx does not know the directive.',
    }),
    ...(/directive is not allowed here/.test(problem) && {
      often: 'your directive is in the wrong block. This file is already inside http { … }.',
    }),
  })
})

nginxCheck(
  '4.5b',
  'the head and each event of /events get through nginx at once',
  async (t, nginx) => {
    // Earlier clients stay connected.
    for (const acceptEncoding of [undefined, 'gzip', BROWSERS_ACCEPT]) {
      const asked = `${PATH}?min=4`
      const { stream, client, events } = await streamThroughOwnNginx(t, nginx, {
        acceptEncoding,
        path: asked,
        headers: CLIENTS_HEADERS,
      })
      const whose = acceptEncoding ? `a client that accepts ${acceptEncoding}` : 'the client'
      await mustAsk(t, { stream, client, asked })
      const { status, headers } = await client.head({
        seen: `The server sent a head, but ${whose} did not get it.`,
        expected: 'Expected the response head to arrive at once.',
        ...whyBuffered(nginx),
      })
      const type = headers.get('content-type')
      must(status === 200 && (type ?? '').includes('text/event-stream'), {
        seen: `The server answered with status 200 and text/event-stream, but ${whose} got status ${status} ${type ? `with ${type}` : 'without a Content-Type'}.`,
        expected:
          'Expected the client to get the status and Content-Type that the server sent, because EventSource accepts only text/event-stream.',
      })
      const request = stream.requests.at(-1)
      must(request?.originalUrl === asked, asksForAnother(asked, request?.originalUrl))
      mustHaveHeaders(request)
      for (const text of ['one', 'two']) {
        stream.send(`data: ${text}\n\n`)
        await events.next({
          seen: `The server sent an event, but ${whose} did not get it.`,
          expected: 'Expected the event to arrive at once.',
          ...whyBuffered(nginx),
        })
      }
    }
  },
)

nginxCheck('4.5c', 'nginx still buffers the rest of the site', async (t, nginx) => {
  let isOver = false
  const server = await t.serve((_request, response) => {
    response.on('finish', () => (isOver = true))
    response.type('text/plain').end(Buffer.alloc(LARGE, 'x'))
  })
  const own = ownNginx(nginx)
  const client = t.connect(own)
  // The path begins with the same letters as the path of the stream.
  await client.get('/every.txt', noHead('/every.txt'), { headers: forServer(server) })
  client.pause()
  await t.waitFor(() => isOver, {
    seen: 'The client stopped reading a page of 24 MB, and the server had to wait for the client.',
    expected:
      'Expected nginx to take the whole page from the server, because that is what its buffers are for.',
    ...(/\bproxy_max_temp_file_size\b/.test(readConf())
      ? {
          often:
            'your proxy_max_temp_file_size limits what nginx can store on disk, so the page does not fit.',
        }
      : {
          often:
            'your proxy_buffering off is outside the location for the stream, or that location also matches other paths.',
        }),
  })
  client.close()
  await mustStayBuffered(t, own, OTHER_PAGES)
  // Pages that nginx answers itself, such as its status page, are not part of the site.
  const alike = await pagesAskedFor(t, own, pagesLikeLocations())
  if (alike.length > 0) await mustStayBuffered(t, own, alike)
})

nginxCheck('4.5d', 'nginx still forwards and compresses the rest of the site', async (t, nginx) => {
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
        seen: `GET ${page} with Accept-Encoding: ${acceptEncoding} and Via: 1.1 cdn was answered without compression.`,
        expected: 'Expected nginx to compress the response, with Content-Encoding: gzip.',
        often:
          'your nginx.conf changes one of the gzip lines at the top, or switches gzip off further down.',
      })
    }
  }
})

nginxCheck(
  '4.5e',
  'nginx times out a silent page after a second, but not the stream',
  async (t, nginx) => {
    const started = await startStreamThroughOwnNginx(t, nginx)
    const silent = t.connect(ownNginx(nginx), 'client of a page')
    const page = await t.serve(() => {})
    const { status } = await silent.get(
      '/page',
      {
        seen: 'The server did not answer a request for a page, and nginx did not time out.',
        expected:
          'Expected nginx to give up on the page after a second, because of proxy_read_timeout 1s.',
        often: 'your nginx.conf changes the timeout for the whole site.',
      },
      { headers: forServer(page) },
    )
    t.transcript.step(`nginx gave up on the page, with status ${status}`)
    if (!started) return
    const { stream, client } = started
    stream.send(`:late ${FILLS_BUFFERS}\n\n`, 'a long comment')
    await client.skipUntil('late', {
      seen: 'The stream was silent for a second. Then the server sent a comment, but the client did not get it.',
      expected: 'Expected nginx to keep the stream open, because heartbeats are 15 seconds apart.',
      ...(nginx.settings &&
        parseSeconds(nginx.settings.readTimeout ?? '60s') <= 1 && {
          cause: 'your location inherits proxy_read_timeout 1s.',
        }),
    })
  },
)

nginxCheck(
  '4.5f',
  'the timeout for the stream is longer than 15 seconds and at most 10 minutes',
  async (t, nginx) => {
    ownNginx(nginx)
    if (!nginx.settings) {
      if (!(await isAsked(t, await streamThroughOwnNginx(t, nginx)))) return
      t.transcript.note =
        'the timeout was not checked, because your nginx.conf sets proxy_method or proxy_set_body'
      return
    }
    const timeout = nginx.settings.readTimeout ?? '60s'
    const seconds = parseSeconds(timeout)
    must(seconds > 15 && seconds <= 600, {
      seen: `For ${PATH}, proxy_read_timeout is ${timeout}.`,
      expected:
        'Expected a timeout that is longer than the 15 seconds between heartbeats and at most 10 minutes.',
      ...(seconds > 3600 && {
        often:
          'you raised the timeout because nginx had cut the stream. Heartbeats prevent such cuts.',
      }),
      ...(seconds <= 15 && {
        cause:
          'nginx gives up on the stream before the next heartbeat, because heartbeats are 15 seconds apart.',
      }),
    })
  },
)

nginxCheck('4.5g', 'nginx tells the server when a client disconnects', async (t, nginx) => {
  // This stream has been silent for longer, so a timeout would end it first.
  const stays = await streamThroughOwnNginx(t, nginx, { name: 'client that stays' })
  if (!(await isAsked(t, stays))) return
  const leaves = await streamThroughOwnNginx(t, nginx, { name: 'other client' })
  if (!(await isAsked(t, leaves))) return
  leaves.client.disconnect()
  await t.waitFor(() => leaves.stream.openResponses === 0, {
    seen: 'The client disconnected, but nginx kept the connection to the server open.',
    expected: 'Expected nginx to close the connection to the server.',
    ...(/\bproxy_ignore_client_abort\s+on\b/.test(readConf()) && {
      often: 'your location sets or inherits proxy_ignore_client_abort on.',
    }),
  })
  must(stays.stream.openResponses === 1, {
    seen: 'nginx closed the connection for the client that disconnected, but it had already closed the connection for a client that had stayed connected.',
    expected:
      'Expected nginx to close the connection for a client only when that client disconnects.',
    ...(nginx.settings?.readTimeout === '1s' && {
      cause: 'your location inherits proxy_read_timeout 1s, which closes every silent connection.',
    }),
  })
})

nginxCheck(
  '4.5h',
  'if the server crashes, the response to the client is cut off',
  async (t, nginx) => {
    const started = await startStreamThroughOwnNginx(t, nginx)
    if (!started) return
    const { stream, client, headers } = started
    stream.cut()
    const how = await client.ended({
      seen: 'The server cut the connection, but the connection to the client stayed open.',
      expected: 'Expected nginx to cut the connection to the client as well.',
    })
    const asksOver = stream.requests.at(-1)!.httpVersion
    must(how === 'cut', {
      seen: 'The server cut the connection, but the client got a complete response.',
      expected: 'Expected the response to be cut off for the client as well.',
      ...(asksOver === '1.0'
        ? {
            cause:
              'nginx uses HTTP/1.0, in which every response ends when the connection closes, so a crash looks like a normal end.',
          }
        : !headers.has('transfer-encoding') && {
            cause:
              'nginx sends the client no chunks. Without chunks, a response ends when the connection closes, so a crash looks like a normal end. chunked_transfer_encoding off disables chunks.',
          }),
    })
  },
)

// 4.6 Ends

check('4.6a', 'every client gets an event named "end" when the feed ends', async (t) => {
  const { feed, proxy, server, ...first } = await connectThroughProxy(
    t,
    { http: '1.0' },
    OVER_HTTP_10,
  )
  await waitForReaders(t, feed, 1)
  const second = sendRequest(t, proxy, {}, 'second client')
  const third = sendRequest(t, proxy, { acceptEncoding: 'gzip' }, 'client that accepts gzip')
  await waitForReaders(t, feed, 3)
  // The feed ends without a quake, because the event must be sent even then.
  feed.end()
  for (const [whom, { client, events }] of [
    ['the client', first],
    ['a second client', second],
    ['a third client, which accepts gzip', third],
  ] as const) {
    const end = await events.next({
      seen: `The feed ended, but no event named "end" reached ${whom}.`,
      expected:
        'Expected an event named "end" to arrive, because this proxy makes a crash look like a normal end.',
      ...(client === first.client && {
        often:
          'your handler calls res.end() without sending that event, perhaps only if there was no quake.',
      }),
    })
    must(end.type === 'end', {
      seen: `The feed ended, and the client read an event: ${describeEvent(end)}.`,
      expected: 'Expected the event to be named "end".',
    })
    await client.ended({
      seen: 'The client got the event named "end", but the response did not end.',
      expected: 'Expected the response to end after that event.',
    })
  }
  for (const name of ['late client', 'second late client']) {
    const late = sendRequest(t, server, {}, name)
    const { status } = await late.client.head({
      seen: 'The feed had ended, and a new client got no response head.',
      expected: LATER,
    })
    if (status === 204) continue
    must(status === 200, {
      seen: `The feed had ended, and a new client was answered with status ${status}.`,
      expected: LATER,
    })
    const { type } = await late.events.next({
      seen: 'The feed had ended, and a new client got status 200 but no event.',
      expected: LATER,
    })
    must(type === 'end', {
      seen: `The feed had ended, and a new client got an event named ${excerpt(type)}.`,
      expected: LATER,
    })
    await late.client.ended({
      seen: 'The feed had ended, and a new client got the event named "end", but the response did not end.',
      expected: 'Expected the response to end after that event.',
    })
  }
})

check(
  '4.6b',
  'when the feed fails, the connection is cut without an event named "end"',
  async (t) => {
    for (const [count, acceptEncoding] of [[1], [0], [0, 'gzip']] as const) {
      const { feed, client, events } = await connectDirectly(t, { acceptEncoding })
      await waitForReaders(t, feed, 1)
      // 4.3b grades whether a compressor delays the first bytes.
      if (!acceptEncoding) await events.firstBytes(NOTHING_YET)
      for (const quake of quakes(count)) {
        feed.release(quake)
        await events.next(noEvent(quake))
      }
      feed.fail('the network is down')
      const when = count > 0 ? 'The feed failed' : 'The feed failed before its first quake'
      const failed = acceptEncoding
        ? `A client that accepts ${acceptEncoding} was connected. ${when}`
        : when
      const how = await client.ended({
        seen: `${failed}, but the response did not end.`,
        expected: 'Expected the connection to be cut.',
      })
      const rest = client.unread()
      must(!/^event: ?end\s*$/m.test(rest), {
        seen: `${failed}, and the client read ${excerpt(rest)}`,
        expected:
          'Expected no event named "end", because there will be more quakes when the feed works again.',
        often: 'your handler sends the event in a finally block, which also runs after a failure.',
      })
      must(how === 'cut', {
        seen: `${failed}, but the client got a complete response.`,
        expected:
          'Expected the response to be cut off, so that clients that do not parse events notice the failure as well.',
        often: 'your handler calls res.end(), which writes the last chunk. res.destroy() does not.',
      })
    }
  },
)

check('4.6c', 'readQuakes() yields each quake when its event arrives', async (t) => {
  const source = controlledIterable<StreamEvent>()
  const reading = readQuakes(source.values)
  for (const [n, quake] of [...ordinaryQuakes(1), ...awkwardQuakes(), quakeInBend()].entries()) {
    const next = reading.next()
    source.push({ type: 'message', data: JSON.stringify(quake) })
    const { done, value } = await t.withTimeout(next, {
      seen: `The event for ${describeQuake(quake)} arrived, but readQuakes() yielded nothing.`,
      expected: 'Expected readQuakes() to yield the quake at once.',
      ...(n === 0 && { often: 'your code collects all events before it yields a quake.' }),
    })
    must(!done, {
      seen: `The event for ${describeQuake(quake)} arrived, but readQuakes() returned.`,
      expected:
        'Expected readQuakes() to yield the quake, because the event is a message, not the end.',
      ...(quake.place.includes('Bend') && {
        often: 'your code looks for the end in the data. Check the type of the event instead.',
      }),
    })
    must(deepEqual(value, quake), {
      seen: `The event for ${describeQuake(quake)} arrived, but readQuakes() yielded ${excerptJson(value)}`,
      expected: `Expected ${excerptJson(quake)}`,
      ...(typeof value === 'string' && {
        often: 'your code yields the data as text. Parse it with JSON.parse().',
      }),
    })
  }
})

check('4.6d', 'readQuakes() returns at the event named "end" and closes the stream', async (t) => {
  for (const [count, data] of [
    [0, 'the feed is over'],
    [2, ''],
  ] as const) {
    const { source, reading } = await readQuakesOf(t, count)
    const next = t.withTimeout(reading.next().catch(errorOf), {
      seen: 'The event named "end" arrived, but readQuakes() waited for more events.',
      expected:
        'Expected readQuakes() to return at once, because a proxy may keep the connection open.',
      often: 'your code only remembers the event, or handles it like a message. Return at once.',
    })
    source.push({ type: 'end', data })
    const given = await next
    must(!(given instanceof Error), {
      seen: `The event named "end" arrived, but readQuakes() threw ${excerpt(String(given))}`,
      expected: 'Expected readQuakes() to return without an error.',
    })
    must(given.done === true, {
      seen: `The event named "end" arrived, but readQuakes() yielded ${excerptJson(given.value)}`,
      expected: 'Expected readQuakes() to return.',
    })
    must(source.isLeft, {
      seen: 'readQuakes() returned, but the stream of events stayed open.',
      expected: 'Expected readQuakes() to close the stream, which closes the connection.',
      often: 'your code calls next() itself, but never calls return().',
    })
  }
  const { source, reading } = await readQuakesOf(t, 1)
  t.transcript.step('the caller breaks out of its loop')
  const stopped = await t.withTimeout(reading.return(undefined).catch(errorOf), {
    seen: 'The caller stopped reading, but readQuakes() did not return.',
    expected: 'Expected readQuakes() to return at once.',
  })
  must(!(stopped instanceof Error), {
    seen: `The caller stopped reading, but readQuakes() threw ${excerpt(String(stopped))}`,
    expected: 'Expected readQuakes() to return without an error, because the caller chose to stop.',
  })
  must(source.isLeft, {
    seen: 'The caller stopped reading, but the stream of events stayed open.',
    expected: 'Expected readQuakes() to close the stream, which closes the connection.',
  })
})

check(
  '4.6e',
  'readQuakes() throws if the stream of events finishes without an event named "end"',
  async (t) => {
    for (const count of [1, 0, 100]) {
      const { source, reading } = await readQuakesOf(t, count)
      const without = count > 0 ? 'an event named "end"' : 'any event'
      t.transcript.step(`the stream of events finishes without ${without}`)
      source.close()
      const outcome = await t.withTimeout(outcomeOf(reading.next()), {
        seen: `The stream of events finished without ${without}, but readQuakes() waited for more events.`,
        expected: 'Expected readQuakes() to throw.',
      })
      t.transcript.step(`readQuakes() ${outcome}`)
      must(outcome === 'threw', {
        seen: `The stream of events finished without ${without}, but readQuakes() returned as if nothing were wrong.`,
        expected:
          'Expected readQuakes() to throw, because the server crashed or the connection was cut.',
        often: 'your code treats the end of the loop as the end of the feed. Throw after the loop.',
      })
    }
  },
)

check('4.6f', 'readQuakes() skips all named events other than "end"', async (t) => {
  await mustSkip(t, OTHER_EVENTS)
})

check('4.6g', 'readQuakes() throws if the connection is lost', async (t) => {
  const stream = await scriptedServer(t)
  for (const count of [1, 0]) {
    const reading = readQuakes(eventsOf(await responseOf(stream)))
    for (const quake of quakes(count)) {
      stream.send(`data: ${JSON.stringify(quake)}\n\n`)
      await t.withTimeout(reading.next(), {
        seen: 'An event arrived, but readQuakes() yielded nothing.',
        expected: 'Expected readQuakes() to yield the quake at once.',
      })
    }
    stream.cut()
    const lost = `The connection was cut${count > 0 ? '' : ' before the first event'}`
    const outcome = await t.withTimeout(outcomeOf(reading.next()), {
      seen: `${lost}, but readQuakes() waited for more events.`,
      expected: 'Expected readQuakes() to throw.',
    })
    t.transcript.step(`readQuakes() ${outcome}`)
    must(outcome === 'threw', {
      seen: `${lost} and the stream of events threw an error, but readQuakes() returned as if nothing were wrong.`,
      expected: 'Expected readQuakes() to throw as well.',
      often: 'your code catches the error and does not throw it again.',
    })
  }
})

edgeCase('4.6h', 'readQuakes() skips events whose name resembles "end"', async (t) => {
  await mustSkip(t, AWKWARD_NAMES)
})

/** Requests the path with each Accept-Encoding, and checks that the client can read the response. */
async function mustAcceptCoding(
  t: Tools,
  path: string,
  all: readonly (string | undefined)[],
): Promise<void> {
  const server = await t.serve(createApp(controlledFeed(SILENT)))
  for (const acceptEncoding of all) {
    const client = t.connect(server)
    const { headers } = await client.get(path, noHead(path), { acceptEncoding })
    const coding = (headers.get('content-encoding') ?? 'identity').toLowerCase()
    const asked =
      acceptEncoding === undefined ? 'no Accept-Encoding' : `Accept-Encoding: ${acceptEncoding}`
    must(['identity', ...codingsOf(acceptEncoding)].includes(coding), {
      seen: `The client sent ${asked}, but got ${path} with Content-Encoding: ${coding}.`,
      expected:
        'Expected the response to have no Content-Encoding, or one that the client accepts.',
      ...(coding === 'none' && {
        cause:
          '"none" is not a coding. A response without compression has no Content-Encoding. To keep compression() from compressing, send Cache-Control: no-transform.',
      }),
      ...(/gzip; ?q=0/.test(acceptEncoding ?? '') &&
        coding === 'gzip' && { cause: 'q=0 means that the client does not accept that coding.' }),
    })
    const vary = headers.get('vary')
    must(coding === 'identity' || hasToken(vary, 'accept-encoding', '*'), {
      seen: `${path} was compressed, ${vary ? `with Vary: ${vary}` : 'without a Vary header'}.`,
      expected:
        'Expected Vary: Accept-Encoding. Otherwise a cache may send the compressed response to clients that do not accept gzip.',
      often:
        'your code compresses the response itself but does not set Vary. compression() sets it.',
    })
    client.close()
  }
}

/** Events that a server may add. Their data need not be JSON. */
const OTHER_EVENTS = [
  ['alert', '{"inMinutes":10}'],
  ['notice', 'the sensor of Hualian is silent'],
  ['ping', ''],
] as const

/** Names that resemble "end", or that are properties of every object. */
const AWKWARD_NAMES = [
  ['ending', '{"inMinutes":10}'],
  ['weekend', 'in two days'],
  ['END', ''],
  ['error', 'the sensor of Hualian is silent'],
  ['close', 'the gate'],
  ['constructor', '{}'],
  ['__proto__', 'null'],
] as const

/** Sends each of these events and then a message. Fails unless readQuakes() yields the quake of the message. */
async function mustSkip(t: Tools, others: readonly (readonly [string, string])[]): Promise<void> {
  const source = controlledIterable<StreamEvent>()
  const reading = readQuakes(source.values)
  const [quake] = quakes(1)
  for (const [type, data] of others) {
    t.transcript.step(`an event named ${type} arrives, and then a message`)
    source.push({ type, data })
    source.push({ type: 'message', data: JSON.stringify(quake) })
    const { done, value } = await t.withTimeout(reading.next(), {
      seen: `An event named ${type} arrived, and then a message, but readQuakes() yielded nothing.`,
      expected: 'Expected readQuakes() to yield the quake of the message.',
    })
    must(!done, {
      seen: `An event named ${type} arrived, but readQuakes() returned.`,
      expected:
        'Expected readQuakes() to skip the event, and to return only at the event named "end".',
      ...(type === 'END'
        ? { cause: 'your code ignores the case of the name.' }
        : type.includes('end')
          ? { often: 'your code compares only part of the name.' }
          : type === 'alert' && {
              often: 'your code returns at every event that is not a message.',
            }),
    })
    must(deepEqual(value, quake), {
      seen: `An event named ${type} arrived, and then a message, but readQuakes() yielded ${excerptJson(value)}`,
      expected:
        'Expected readQuakes() to yield the quake of the message, because only messages are quakes.',
      often:
        type in {}
          ? `your code looks the name up in an object, and every object has a property named ${type}.`
          : 'your code does not check the type of the event.',
    })
  }
}

/** Returns a reader that has already yielded some quakes. */
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
      seen: 'An event arrived, but readQuakes() yielded nothing.',
      expected: 'Expected readQuakes() to yield the quake at once.',
    })
  }
  return { source, reading }
}

/** Returns the thrown value as an error. Throws it again if it says that the code is not written yet. */
function errorOf(thrown: unknown): Error {
  if (isNotWritten(thrown)) throw thrown
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}

/** More bytes than the kernel buffers between a server and nginx, and between nginx and a client. */
const LARGE = 24 * 1024 * 1024

const OVER_HTTP_10 = 'a proxy that uses HTTP/1.0'

type Visit = {
  t: Tools
  server: TestServer
  feed: ControlledFeed
  client: RawClient
  /** Waits until the handler reads the feed. If there is a head, its status must be 200. */
  isServed(): Promise<void>
}

/** The ways in which a client connects and disconnects. */
const VISITS: { how: string; leave(visit: Visit): Promise<void> }[] = [
  {
    how: 'disconnected right after its request',
    async leave({ client }) {
      client.request(PATH)
      client.disconnect()
    },
  },
  {
    how: 'disconnected while the feed was silent',
    async leave({ client, isServed }) {
      client.request(PATH)
      await isServed()
      client.disconnect()
    },
  },
  {
    how: 'that accepts gzip disconnected when a quake happened',
    async leave({ client, feed, isServed }) {
      client.request(PATH, { acceptEncoding: BROWSERS_ACCEPT })
      await isServed()
      feed.release(...quakes(1))
      client.disconnect()
    },
  },
  {
    how: 'that uses HTTP/1.0 disconnected',
    async leave({ client, isServed }) {
      client.request(PATH, { version: '1.0' })
      await isServed()
      client.disconnect()
    },
  },
  {
    how: 'stopped reading and disconnected',
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
    how: 'sent a HEAD request',
    async leave({ t, client, feed }) {
      client.request(PATH, { method: 'HEAD' })
      // Lesson 2 grades the answer to HEAD.
      await t.waitFor(() => client.hasHead || feed.readers.some(({ hasPulled }) => hasPulled), {
        seen: 'A client sent a HEAD request, but your handler did nothing.',
        expected: 'Expected your handler to answer the HEAD request.',
      })
    },
  },
  {
    how: 'sent a POST request',
    async leave({ client }) {
      client.request(PATH, { method: 'POST', headers: { 'Content-Length': 0 } })
      await client.head({
        seen: 'A client sent a POST request but got no answer.',
        expected: 'Expected your app to answer, for example with status 404.',
      })
    },
  },
  ...[1, 0].map((count) => ({
    how: `was connected when the feed failed${count > 0 ? '' : ' before its first quake'}`,
    async leave({ client, feed, isServed }: Visit) {
      client.request(PATH)
      await isServed()
      await mustArriveInTurn(feed, client.events, quakes(count), {
        expected: 'Expected the event to arrive at once.',
      })
      feed.fail('the network is down')
      await client.ended({
        seen: 'The feed failed, but the response did not end.',
        expected: 'Expected the connection to be cut.',
      })
    },
  })),
]

/** Enough clients to notice a counter that is never decremented. */
const CROWD = 100

/** Checks that only the first client is still connected. */
async function mustBeAlone(t: Tools, server: TestServer, before: string): Promise<void> {
  await t.waitFor(() => server.connections <= 1, {
    seen: `${before}, but the server kept the connection open.`,
    expected: 'Expected the server to close that connection.',
  })
  must(server.connections === 1, {
    seen: `${before}, and another client's connection was closed as well.`,
    expected: 'Expected the other client to stay connected.',
  })
}

async function mustBeServed(client: RawClient, before: string): Promise<void> {
  const { status } = await client.head({
    seen: `${before}. The next client got no response head.`,
    expected: 'Expected each client to be served like the first one.',
  })
  must(status === 200, {
    seen: `${before}. The next client was answered with status ${status}.`,
    expected:
      'Expected the next client to be served like the first one, with status 200 and a stream.',
  })
}

const LATER = 'Expected status 204, or status 200 followed at once by the event named "end".'

/** How a check sets up a hop, and what that hop does. */
type Setup = {
  truth: Verdict
  /** Why the hop behaves in this way. */
  why: string
  proxy?: ProxySetting
  headers?: Record<string, string>
  compresses?: boolean
  flushes?: boolean
  takesGzip?: boolean
}

/** Compares a prediction with what the hop does. */
async function mustPredict(t: Tools, hop: Hop, setup: Setup): Promise<void> {
  const { truth, why } = setup
  const predicted = predict(hop)
  t.transcript.step(hop)
  const saw = await playHop(t, setup)
  // This step differs from the solution's, so it is the last. It is short enough to be printed beside the other.
  t.transcript.step(`your prediction: ${excerpt(String(predicted), 20)}`)
  must(predicted === truth, {
    seen: `Your prediction for "${hop}" was ${JSON.stringify(predicted)}. ${saw}`,
    expected: `Expected "${truth}". ${why}`,
  })
}

/** Sends events through the hop, and returns a sentence about what the client saw. */
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
  const hop = proxy ? await t.proxy(server, proxy, 'the built-in proxy with this setting') : server
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
  if (truth === 'passes')
    return 'The head arrived before the first event was sent, and then each event arrived at once.'
  if (truth === 'head waits')
    return 'The head arrived together with the first event, and then each event arrived at once.'
  await fence(t, hop)
  must(events.unexpected === undefined && client.unread() === '', OURS)
  t.transcript.step('client has no event')
  response!.end()
  t.transcript.step('server ended the response')
  await events.next(OURS)
  await events.next(OURS)
  return 'Two events were sent, but neither of them arrived until the response ended.'
}

async function mustHaveNoHead(t: Tools, client: RawClient, hop: { port: number }): Promise<void> {
  await fence(t, hop)
  must(!client.hasHead, OURS)
  t.transcript.step('client has no head')
}

/** Sends another request. When it has been answered, everything that was sent before it has arrived. */
async function fence(t: Tools, hop: { port: number }, server?: { port: number }): Promise<void> {
  t.transcript.step('everything sent so far has time to arrive until …')
  const other = t.connect(hop, 'another client')
  other.request('/other', server ? { headers: { ...forServer(server), Fence: 1 } } : {})
  await other.body((text) => text === 'other', OURS)
}

/** The failure to report if a check is wrong, and not the learner's code. */
const OURS = {
  seen: 'The hop did not behave as the workshop describes.',
  expected: 'Expected the hop to behave as measured. Please report this failure.',
}

const withHeartbeats: CreateApp = (feed) => createApp(feed, { heartbeatMs: OFTEN })

type Requested = { client: RawClient; events: EventClient }

/** Connects a client without a proxy. */
async function connectDirectly(
  t: Tools,
  { app = createApp, ...options }: { app?: CreateApp } & RequestOptions = {},
): Promise<Requested & { feed: ControlledFeed }> {
  const { feed, server } = await serveFeed(t, PATH, app)
  return { feed, ...sendRequest(t, server, options) }
}

/** Connects a client through a proxy. */
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

/** Connects a client through the real nginx, in the setup that buffers most. */
async function connectThroughNginx(
  t: Tools,
  { holding }: NginxPorts,
  acceptEncoding?: string,
): Promise<Requested & { feed: ControlledFeed }> {
  const { feed, server } = await serveFeed(t, PATH, createApp)
  t.transcript.step(
    `in front of the server: the real nginx, ${acceptEncoding ? 'which compresses' : 'over HTTP/1.0'}`,
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

/** Returns the header that tells our nginx the port of the server. */
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
      seen: seen ?? `The feed released ${describeQuake(quake)}, but no event reached the client.`,
      ...story,
    })
    must(type === 'message', {
      seen: `The event for ${describeQuake(quake)} was named ${excerpt(type)}.`,
      expected:
        'Expected a message, which is an event without a name, because readQuakes() skips all other events.',
      often: 'your handler sends an "event" field with each quake.',
    })
    const [is, wanted] = differingExcerpts(data, JSON.stringify(quake))
    must(deepEqual(tryParseJson(data), quake), {
      seen: `The data of ${describeQuake(quake)} was ${is}`,
      expected: `Expected ${wanted}`,
    })
  }
}

/**
 * Returns whether a text is JSON. Looks at the last character first, because the function is called whenever another
 * part of a long text arrives.
 */
function isJson(text: string): boolean {
  return /[\]}"\s]$/.test(text) && tryParseJson(text) !== undefined
}

/** Returns the codings that a client accepts. */
function codingsOf(acceptEncoding = ''): string[] {
  return acceptEncoding
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => !/;\s*q=0(\.0*)?$/.test(coding))
    .map((coding) => coding.replace(/;.*/, '').trim())
}

/** Returns a cause if the response does not tell nginx to stop buffering. */
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
  const whose = acceptEncoding ? ` if the client accepts ${acceptEncoding}` : ''
  return {
    cause: `the response has ${said === undefined ? 'no X-Accel-Buffering' : `X-Accel-Buffering: ${excerpt(said, 20)}`}${whose}.`,
  }
}

function noEvent(quake: Quake): Story {
  return {
    seen: `The feed released ${describeQuake(quake)}, but no event reached the client.`,
    expected: 'Expected the event to arrive at once.',
  }
}

/** Waits until the handler reads the feed for this number of clients. */
async function waitForReaders(t: Tools, feed: ControlledFeed, clients: number): Promise<void> {
  await t.waitFor(() => feed.readers.filter(({ hasPulled }) => hasPulled).length === clients, {
    seen: 'Your handler did not read the feed.',
    expected: 'Expected your handler to open the feed for each client, and to read it.',
  })
}

const NOTHING_YET: Story = {
  seen: 'The client got no bytes of the body.',
  expected: 'Expected the first bytes to arrive at once.',
}

function noHead(path: string): Story {
  return {
    seen: `The client asked for ${path}, but got no response head.`,
    expected: 'Expected the response head to arrive at once.',
  }
}

/** Connects a client to a stream without X-Accel-Buffering, through an nginx with the learner's nginx.conf. */
async function streamThroughOwnNginx(
  t: Tools,
  nginx: NginxPorts,
  { name, headers, ...options }: RequestOptions & { path?: string; name?: string } = {},
): Promise<Requested & { stream: ScriptedServer }> {
  const own = ownNginx(nginx)
  const stream = await scriptedServer(t)
  t.transcript.step('in front of the server: nginx with your nginx.conf')
  const all = { ...options, headers: { ...headers, ...forServer(stream) } }
  return { stream, ...sendRequest(t, own, all, name) }
}

/** Connects a client in the same way, and sends enough bytes to fill any buffers, because 4.5b grades buffering. */
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
    seen: 'The server sent a response head and 256 KiB, but the client got no response head.',
    expected: 'Expected the client to get the head.',
  })
  return { stream, client, headers }
}

/** Returns whether nginx asks the server for the stream, which 4.5b grades. */
async function isAsked(
  t: Tools,
  { stream, client }: { stream: ScriptedServer; client: RawClient },
): Promise<boolean> {
  await t.waitFor(() => stream.requests.length > 0 || client.hasHead || client.isClosed, {
    seen: 'nginx sent no request to the server, and no answer to the client.',
    expected: `Expected nginx to ask the server for ${PATH}.`,
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
  const did = head ? `answered with status ${head.status}` : 'closed the connection'
  throw new Failure({
    seen: `The client asked for ${asked}. nginx ${did} and did not ask the server.`,
    expected: 'Expected nginx to ask the server for the stream.',
    ...whyNotAsked(head),
  })
}

/** Explains why nginx answers by itself, if the reason is known. */
function whyNotAsked(head: ResponseHead | undefined): Pick<Story, 'cause' | 'often'> {
  if (/\/events\/(\?|$)/.test(head?.headers.get('location') ?? '')) {
    return { cause: 'your location is for /events/, with a slash at the end.' }
  }
  if (readConf().match(/\binclude\s+["']?listen\.conf/g)!.length > 1) {
    return {
      often:
        'more than one of your server blocks includes listen.conf. If no server_name matches the host, nginx takes the first of them.',
    }
  }
  switch (head?.status) {
    case 404:
      return {
        often:
          'your location has no proxy_pass, so nginx looks for a file. A location does not inherit proxy_pass.',
      }
    case 502:
      return { often: 'your proxy_pass names a server other than $tremor.' }
    default:
      return {}
  }
}

/** Sends the head of each page without a body. nginx passes such a head on only if buffering is off. */
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
        `The clients asked for ${pages.join(', ')}, but nginx did not ask the server for ${visits
          .flatMap(({ page }) => (begun.some(({ req }) => req.originalUrl === page) ? [] : page))
          .join(', ')}.`,
      expected: 'Expected nginx to ask the server for each page.',
    })
    await fence(t, own, server)
    const passed = visits.find(({ client }) => client.hasHead)
    await fence(t, own, server)
    // On a very busy machine, nginx may have given up on a page in the meantime, and then it sends a head.
    if (begun.some(({ closed }) => closed) && tries < 10) continue
    must(passed === undefined, {
      seen: `nginx did not buffer ${passed?.page}.`,
      expected: `Expected nginx to buffer every page except ${PATH}.`,
      ...(passed?.page.includes('events') && {
        often:
          'your location is a pattern that also matches in the middle of a path. Anchor it with ^ and $.',
      }),
    })
    return
  }
}

/** Several times as large as all default buffers of nginx. */
const FILLS_BUFFERS = '~'.repeat(256 * 1024)

/** Pages that a location for the stream, or for files, might match by mistake. */
const OTHER_PAGES = [
  ...['/static/events.js', '/old/events', '/eve', '/event', '/week?of=/events', '/'],
  ...['/week.json', '/logo.png', '/app.css'],
]

/** Returns paths that resemble the learner's locations, because a location may match too much. */
function pagesLikeLocations(): string[] {
  const patterns = [...readConf().matchAll(/\blocation\s+([^@{}][^{}]*?)\s*\{/g)]
  const words = new Set(patterns.flatMap(([, pattern]) => pattern!.match(/[\w-]+/g) ?? []))
  return [...words]
    .flatMap((word) => [`/${word}`, `/${word}/1`, `/${word.slice(0, -1)}`, `/old/${word}`])
    .filter((page) => !page.startsWith(PATH) && !OTHER_PAGES.includes(page) && page !== '/')
    .slice(0, 40)
}

/** Returns the pages for which nginx asks the server. */
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

/** Headers of a client that nginx must forward. */
const CLIENTS_HEADERS = { 'Last-Event-ID': '7', Cookie: 'site=tremor', Authorization: 'Bearer t' }

function mustHaveHeaders(request: Request | undefined): void {
  for (const [name, value] of Object.entries(CLIENTS_HEADERS)) {
    const came = request?.get(name)
    must(came === value, {
      seen: `The client sent ${name}: ${value}, but the server got ${came === undefined ? 'no such header' : `${name}: ${excerpt(came)}`}.`,
      expected: 'Expected nginx to forward the headers of the client.',
    })
  }
}

/** Returns the failure for a request whose path or query nginx has changed. */
function asksForAnother(asked: string, url: string | undefined): Story {
  return {
    seen: `The client asked for ${asked}, but nginx asked the server for ${url}.`,
    expected: `Expected nginx to ask the server for ${asked}.`,
    ...whyAnother(),
  }
}

function whyAnother(): Pick<Story, 'often'> {
  if (/\brewrite\s/.test(readConf())) return { often: 'your rewrite changes the path.' }
  if (!/\bproxy_pass\s+["']?http:\/\/\$tremor[^;"'\s]/.test(readConf())) return {}
  return {
    often:
      'your proxy_pass has text after $tremor. Because $tremor is a variable, that text replaces the path and the query.',
  }
}

/** Returns the port of the nginx with the learner's nginx.conf. If nginx does not start, 4.5a explains why. */
function ownNginx({ ofWork }: NginxPorts): { port: number } {
  mustBeWritten()
  must(ofWork !== undefined, {
    seen: 'nginx did not start with your nginx.conf.',
    expected: 'Expected nginx to start. Check 4.5a says why it did not.',
  })
  return { port: ofWork }
}

/** Throws if the location is not written yet. */
function mustBeWritten(): void {
  const [, notWritten] = /^\s*# (lesson 4, task 4\.5: write .*)$/m.exec(conf()) ?? []
  if (notWritten) throw new Error(notWritten)
}

/** Returns a cause if proxy_buffering is on for the stream. */
function whyBuffered({ settings }: NginxPorts): Pick<Story, 'cause'> {
  if (!settings || settings.buffering === 'off') return {}
  const isOffElsewhere = /\bproxy_buffering\s+["']?off\b/.test(readConf())
  return {
    cause: `proxy_buffering is on for ${PATH}${isOffElsewhere ? `, because you switched it off only in a place that does not apply to ${PATH}` : ''}. With buffering, nginx delays the head over HTTP/1.1, and everything if it compresses.`,
  }
}

/** Reads the learner's nginx.conf without its comments. */
function readConf(): string {
  return conf().replace(/#.*$/gm, '')
}

function conf(): string {
  return readFileSync(join(process.env.WORKSHOP_SANDBOX!, '04-buffering', 'nginx.conf'), 'utf8')
}

/** Returns a quake whose place contains "end". */
function quakeInBend(): Quake {
  const [quake] = quakes(1)
  return { ...quake, place: '12 km ENE of Bend, Oregon' }
}

/** Requests a stream, and returns the response when its head arrives. */
function responseOf({ url }: ScriptedServer): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => void get(url, resolve).on('error', reject))
}

/** Yields the events of a response as they arrive. Throws if the connection is lost. */
async function* eventsOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<StreamEvent> {
  const parser = new EventStreamParser()
  for await (const bytes of body) yield* parser.push(bytes)
}
