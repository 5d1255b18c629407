import type { RequestHandler } from 'express'
import { createApp } from '#work/01-raw-chunks/server.ts'
import { readNdjson } from '#work/01-raw-chunks/client.ts'
import { controlledBody, bodyOfChunks } from './harness/controlled-body.ts'
import { mustCostLinearly } from './harness/linear-cost.ts'
import { check, must, type Tools, edgeCase } from './harness/check.ts'
import { tryParseJson, deepEqual } from './harness/equality.ts'
import { consumeRequest, disconnect, requestLogin, slowLogin } from './harness/login.ts'
import { mustEndHead, mustRefusePost } from './harness/methods.ts'
import {
  awkwardQuakes,
  describeQuake,
  largeQuakes,
  ordinaryQuakes,
  quakes,
} from './harness/quakes.ts'
import { mustReadNdjson, whyWrongError } from './harness/vector-runner.ts'
import { visitedServer } from './harness/visits.ts'
import {
  openStream,
  pausedStream,
  serveFeed,
  serveStream,
  slowStream,
} from './harness/open-stream.ts'
import { outcomeOf } from './harness/outcome.ts'
import {
  mustCloseWhenLeft,
  mustCloseWhenStalled,
  mustCutWithFeed,
  mustEndWithFeed,
  mustServeEach,
} from './harness/stream-rules.ts'
import { differingExcerpts, excerpt, excerptJson } from './harness/transcript.ts'
import { turns } from './harness/event-loop.ts'
import { ndjsonVectors, type NdjsonVector } from './harness/vectors.ts'

const PATH = '/quakes.ndjson'

// 1.1 The head

check('1.1a', 'the head of the response comes before the first quake', async (t) => {
  const client = t.connect((await serveFeed(t, PATH, createApp)).server)
  const head = await client.get(PATH, {
    seen: 'The feed is silent, and the client has not got the head of the response.',
    expected: 'Expected status and headers at once: a client that sees nothing gives up.',
    often: 'the head waits for the first res.write().',
  })
  must(head.status === 200, {
    seen: `GET ${PATH} was answered ${head.status}.`,
    expected: 'Expected 200.',
    often: 'the route has another path, or its handler throws before it answers.',
  })
})

check('1.1b', 'the head says that the body is newline-delimited JSON', async (t) => {
  const { head } = await serveStream(t, PATH, createApp)
  const type = head.headers.get('content-type')
  must(NDJSON.test(type ?? ''), {
    seen: type ? `The Content-Type is ${type}.` : 'The response has no Content-Type.',
    expected: 'Expected application/x-ndjson.',
    often: 'the type is another one: application/json promises one JSON text, with an end.',
  })
})

const NDJSON = /^application\/(x-ndjson|ndjson|x-jsonlines|jsonl)\b/i

// 1.2 The lines

check('1.2a', 'each quake reaches the client before the next one happens', async (t) => {
  const timers = t.freezeTimers()
  const { feed, client } = await serveStream(t, PATH, createApp)
  for (const quake of ordinaryQuakes(3)) {
    feed.release(quake)
    await client.line({
      seen: () =>
        `The feed released ${describeQuake(quake)} and no line reached the client${timers.frozen > 0 ? ' while your timers stood still' : ''}.`,
      expected: 'Expected the client to read it while the feed was waiting.',
      often: () =>
        timers.frozen > 0
          ? 'the line waits for a timer, for its turn or for more lines, or for the end of the feed.'
          : 'the handler collects the quakes and sends them at the end.',
    })
  }
})

check('1.2b', 'each line is one quake as JSON', async (t) => {
  const { feed, client } = await serveStream(t, PATH, createApp)
  const sent = new Set<string>()
  for (const quake of awkwardQuakes()) {
    feed.release(quake)
    const hasZero = Object.values(quake).some((value) => !value)
    const line = await client.line({
      seen: `The feed released ${describeQuake(quake)} and no line reached the client.`,
      expected: 'Expected a line for each quake.',
      ...(hasZero && {
        often: "a value is taken for one that is missing: if (value) is false for 0 and for ''.",
      }),
      ...(sent.has(quake.id) && {
        often:
          'a quake is left out because its id has been sent before. Networks correct their reports: the newest data counts.',
      }),
    })
    sent.add(quake.id)
    const [its, expected] = differingExcerpts(line, JSON.stringify(quake))
    must(deepEqual(tryParseJson(line), quake), {
      seen: `The line of ${describeQuake(quake)} is ${its}`,
      expected: `Expected ${expected}`,
      often: line.includes('\ufffd')
        ? 'the text is sent in another encoding. res.write(text) without one sends UTF-8.'
        : 'the line holds more than JSON.stringify(quake), or JSON that spans several lines.',
    })
  }
})

edgeCase('1.2c', 'HTTP/1.1 frames the body: chunked, without a Content-Length', async (t) => {
  const { head } = await serveStream(t, PATH, createApp)
  const encoding = head.headers.get('transfer-encoding')
  must(encoding === 'chunked' && !head.headers.has('content-length'), {
    seen: `The head says Transfer-Encoding: ${encoding ?? '(nothing)'}, Content-Length: ${head.headers.get('content-length') ?? '(nothing)'}.`,
    expected: 'Expected chunks: without them a client cannot tell the end from a lost connection.',
    often: 'a header about the framing is set by hand. Node chooses the right one.',
  })
})

check('1.2d', 'when the feed ends, the response ends behind the last line', async (t) => {
  const { feed, client } = await serveStream(t, PATH, createApp)
  const [quake] = quakes(1)
  feed.release(quake)
  await client.line({
    seen: `The feed released ${describeQuake(quake)} and no line reached the client.`,
    expected: 'Expected its line.',
  })
  feed.end()
  await mustEndWithFeed(client, 'a client cannot know that nothing more comes.')
  must(client.unread() === '', {
    seen: `Behind the last line came ${excerpt(client.unread())}`,
    expected: 'Expected nothing behind the last line feed.',
    often: 'the quakes are separated by line feeds; each must be ended by one.',
  })
})

edgeCase('1.2e', 'an HTTP/1.0 client, which knows no chunks, gets the lines alone', async (t) => {
  const { feed, server } = await serveFeed(t, PATH, createApp)
  const client = t.connect(server)
  await client.get(
    PATH,
    { seen: 'The client got no head.', expected: 'Expected one at once.' },
    { version: '1.0' },
  )
  const [quake] = quakes(1)
  feed.release(quake)
  const line = await client.line({
    seen: `The feed released ${describeQuake(quake)} and no line reached the client.`,
    expected: 'Expected its line.',
  })
  must(deepEqual(tryParseJson(line), quake), {
    seen: `The body begins with ${excerpt(line)}`,
    expected: 'Expected the line of JSON and nothing else: HTTP/1.0 has no chunks.',
    often: 'Transfer-Encoding is set by hand, so Node sends chunks to every client.',
  })
})

check('1.2f', 'two clients at once each get every quake', async (t) => {
  await mustServeEach(await serveFeed(t, PATH, createApp), 'line', (client, story) =>
    client.line(story),
  )
})

// 1.3 The client leaves

check('1.3a', 'the feed is closed when the next quake finds the client gone', async (t) => {
  const { feed, server, open } = await serveFeed(t, PATH, createApp)
  const { client, reader } = await open()
  await disconnect(t, server, client)
  feed.release(...quakes(1))
  await t.waitFor(() => reader.closed, {
    seen: 'The client left, a quake happened, and the handler asked the feed for the next one.',
    expected: 'Expected the feed to be closed: nobody is there to read.',
    often: "nobody listens to 'close' of the response, and a write into nothing throws no error.",
  })
})

check('1.3b', 'the feed is closed when the client leaves between two quakes', async (t) => {
  const stream = await (await serveFeed(t, PATH, createApp)).open()
  await mustCloseWhenLeft(
    t,
    stream,
    'the handler looks for the client only when a quake comes. The signal of feed.open(signal) ends the wait.',
  )
})

edgeCase('1.3c', 'a client that left before it was served leaves no feed open', async (t) => {
  await mustNotServeTheGone(t, 'first client')
})

check('1.3d', 'a client that leaves takes no other client along', async (t) => {
  const { feed, open } = await serveFeed(t, PATH, createApp)
  const first = await open('client A')
  const leaves = await open('client B')
  const last = await open('client C')
  leaves.client.disconnect()
  const often = 'one AbortController serves several clients. Each visit needs its own.'
  await t.waitFor(() => leaves.reader.closed || first.reader.closed || last.reader.closed, {
    seen: 'Client B left, and its reader of the feed was not closed.',
    expected: 'Expected it to be closed.',
    often,
  })
  const [quake] = quakes(1)
  feed.release(quake)
  for (const { client } of [first, last]) {
    await client.line({
      seen: `Client B left, ${describeQuake(quake)} happened, and ${client.name} got no line.`,
      expected: `Expected ${client.name} to go on as before.`,
      often,
    })
  }
})

edgeCase('1.3e', 'a request that has been read is no client that has left', async (t) => {
  const { feed, server } = await serveFeed(t, PATH, createApp, consumeRequest)
  const client = t.connect(server)
  client.request(PATH)
  t.transcript.step('something before the handler has read the request')
  const story = {
    expected: 'Expected a line: the client is still there.',
    often:
      "'close' of the request came. It says that the request has been read, or that the client left.",
  }
  await client.head({ ...story, seen: 'The client got no head.' })
  const [quake] = quakes(1)
  feed.release(quake)
  await client.line({
    ...story,
    seen: `The feed released ${describeQuake(quake)} and no line reached the client.`,
  })
  client.disconnect()
  await t.waitFor(() => feed.openReaders === 0, {
    seen: 'Something before your handler had read the request, and the feed was not closed when the client left.',
    expected: 'Expected it to be closed, whoever has read the request.',
    often:
      "the request is listened to. When it has been read, its 'close' has been, and its 'aborted' never comes.",
  })
  // A handler that notices no early leaving at all fails 1.3c. Here it is told nothing that is not so.
  if ((await outcomeOf(mustNotServeTheGone(t, 'first client'))) === 'ended') {
    await mustNotServeTheGone(t, 'client whose request was read', consumeRequest)
  }
})

/**
 * A client that leaves while a login holds its request, and one that comes after it.
 *
 * @param before what has the requests before the login
 */
async function mustNotServeTheGone(t: Tools, name: string, before?: RequestHandler): Promise<void> {
  const login = slowLogin()
  const { feed, server } = await serveFeed(t, PATH, createApp, (request, response, next) => {
    const pass = (): unknown => login.handler(request, response, next)
    if (before) before(request, response, pass)
    else pass()
  })
  await disconnect(t, server, await requestLogin(t, server, login, PATH, name))
  t.transcript.step('the login lets the request pass')
  login.finish()
  // A fence: when this client is served, the handler of the first one has long begun.
  const second = t.connect(server, 'second client')
  await second.get(PATH, {
    seen: `The ${name} left before it was served, and the second client got no head.`,
    expected: 'Expected one at once.',
  })
  await t.waitFor(() => feed.openReaders > 0, {
    seen: `The ${name} left before it was served, and no feed is open for the second client.`,
    expected: 'Expected one to be open until the second client leaves.',
    often: 'one AbortController serves several clients. Each visit needs its own.',
  })
  second.disconnect()
  await t.waitFor(() => feed.openReaders === 0, {
    seen: `The ${name} left while a login before your handler took its time, and the handler opened the feed for nobody.`,
    expected: 'Expected the feed to stay closed, or to be closed again.',
    often: before
      ? 'the request is asked whether its client has left. One that has been read does not know; res.destroyed says it.'
      : "'close' of the response came before anybody listened to it.",
  })
}

// 1.4 The client is slow

check('1.4a', 'the feed is not asked for more while the client does not read', async (t) => {
  const { slow, happened } = await slowStream(t, PATH, createApp)
  const tookAll = slow.reader.delivered === happened.length
  t.transcript.step(`feed gave ${tookAll ? 'all' : 'some'} of them for the slow client`)
  must(!tookAll, {
    seen: `The client stopped reading, and the handler took all ${happened.length} quakes from the feed, 16 MB.`,
    expected:
      'Expected it to stop when the socket is full: what the client does not take fills your memory.',
    often: 'nobody looks at what res.write() returns.',
  })

  const { feed, server, open } = await serveFeed(t, PATH, createApp)
  const { reader } = await open('client on a full line')
  server.blockNetwork()
  const small = largeQuakes(400, 4096)
  feed.release(...small)
  await t.waitFor(() => reader.delivered > 0, {
    seen: 'The network takes nothing, and the handler did not take one quake from the feed.',
    expected: 'Expected it to take some: a response holds a few.',
  })
  // Time for a handler that goes on to show it.
  await turns(20)
  must(reader.delivered <= MOST_HELD, {
    seen: `The network takes nothing, and the handler took ${reader.delivered} quakes of 4 kB from the feed.`,
    expected: 'Expected it to stop when the response is full, which res.write() says.',
    often: 'more is let wait than Node asks for: a limit of your own on what the response holds.',
  })
})

/** A response holds 16 quakes of 4 kB (64 kB), and streams in front of it some dozens. */
const MOST_HELD = 150

/** More than anybody counts to. */
const MANY = 1100

check('1.4b', 'a client that reads again gets every quake once, in order', async (t) => {
  const timers = t.trackTimers()
  const { paused, happened, feed, server } = await pausedStream(t, PATH, createApp, 32)
  paused.client.resume()
  const held: number[] = []
  for (const [n, quake] of happened.entries()) {
    const line = await paused.client.line({
      seen: `The client reads again, and got ${n} of ${happened.length} quakes.`,
      expected: 'Expected the stream to go on where it stopped.',
      often: 'write() returning false is taken for the end. It only says: not now.',
    })
    const { id } = (tryParseJson(line) ?? {}) as { id?: unknown }
    must(id === quake.id, {
      seen: `Line ${n + 1} is the quake ${JSON.stringify(id)}.`,
      expected: `Expected ${JSON.stringify(quake.id)}: each quake once, in order.`,
      ...(id === happened[n - 1]?.id && {
        often:
          'a quake is written again after drain. write() has kept it although it returned false.',
      }),
    })
    held.push(server.listeners + paused.reader.signalListeners + timers.alive())
  }
  timers.stop()
  // Each of these quakes fills the response. What is added for a wait shows in every one.
  const before = Math.max(...held.slice(0, 12))
  const after = Math.min(...held.slice(-12))
  must(after < before + 5, {
    seen: `The response was full ${happened.length} times, and at the end more listeners and timers were there for this client than early on.`,
    expected: 'Expected the listeners and timers of a wait to be removed after it.',
    often:
      "each wait adds a listener and removes none. once() of node:events removes its own, and res.once('drain') leaves the one for 'close'.",
  })

  server.blockNetwork()
  const small = largeQuakes(MANY, 1024)
  feed.release(...small)
  await t.waitFor(() => paused.reader.delivered > happened.length, {
    seen: `The response was full ${happened.length} times and drained each time, and the handler took no more quakes from the feed.`,
    expected: 'Expected it to go on.',
  })
  await turns(20)
  const taken = paused.reader.delivered - happened.length
  must(taken <= 4 * MOST_HELD, {
    seen: `The response had been full ${happened.length} times. Then the network took nothing, and the handler took ${taken} quakes of 1 kB from the feed.`,
    expected: 'Expected it to stop whenever the response is full.',
    often: 'your handler waits for drain only the first time, or the first few times.',
  })
  server.unblockNetwork()
  // In steps: a handler may let others go first between two quakes.
  for (let n = 99; n < MANY; n += 100) {
    await paused.client.skipUntil(small[n]!.id, {
      seen: `${MANY} more quakes happened, the network takes bytes again, and the client did not get number ${n + 1}.`,
      expected:
        'Expected every quake, however many there are: the stream goes on until the feed ends.',
    })
  }
  await paused.client.line({ seen: 'The line has no end.', expected: 'Expected a line feed.' })

  server.blockNetwork()
  const [last] = quakes(1)
  feed.release(last)
  feed.end()
  // Time for a handler that closes the response to do so. One may wait with the end until the line is gone.
  await turns(20)
  server.unblockNetwork()
  const story = {
    seen: 'The feed ended while the last line was waiting for the network, and the line was lost.',
    expected: 'Expected the client to get it, and then the end.',
    often:
      'the response is destroyed behind res.end(). That throws away what waits; res.end() sends it.',
  }
  await paused.client.line(story)
  const how = await paused.client.ended({
    ...story,
    seen: 'The feed ended, the response did not.',
  })
  must(how === 'complete', { ...story, seen: 'The feed ended, and the server cut the connection.' })
})

check('1.4c', 'the feed is closed when a client leaves that did not read', async (t) => {
  const { paused } = await pausedStream(t, PATH, createApp, 32)
  await mustCloseWhenStalled(t, paused)
})

// 1.5 What can go wrong

check('1.5a', 'a feed that fails does not look like one that ended', async (t) => {
  for (const count of [1, 0]) {
    const { feed, open } = await serveFeed(t, PATH, createApp)
    const { client } = await open()
    for (const quake of quakes(count)) {
      feed.release(quake)
      await client.line({ seen: 'The quake did not arrive.', expected: 'Expected its line.' })
    }
    feed.fail('no word from the network')
    await mustCutWithFeed(
      client,
      `The feed failed${count === 0 ? ' before its first quake' : ''}`,
      'Expected the connection to be cut.',
      count === 0
        ? 'a response without a line is ended. It has its head, and so looks like a feed in which nothing happened.'
        : undefined,
    )
    must(client.unread() === '', {
      seen: `The feed failed, and the client read ${excerpt(client.unread())}`,
      expected:
        'Expected nothing but the cut: each line is a quake, so a reader takes this for one.',
    })
  }
})

edgeCase('1.5b', 'HEAD gets the head, ends, and opens no feed', async (t) => {
  const { feed, server } = await serveFeed(t, PATH, createApp)
  const client = t.connect(server)
  const story = { seen: 'HEAD got no head.', expected: 'Expected what GET gets.' }
  const head = await client.get(PATH, story, { method: 'HEAD' })
  must(head.status === 200, {
    seen: `HEAD was answered ${head.status}.`,
    expected: 'Expected 200, as for GET.',
  })
  const type = head.headers.get('content-type')
  must(NDJSON.test(type ?? ''), {
    seen: `HEAD was answered with ${type ? `the Content-Type ${type}` : 'no Content-Type'}.`,
    expected: 'Expected the one of GET: HEAD asks what GET would say.',
    often: 'the headers are set for GET alone.',
  })
  await mustEndHead(t, server, client, PATH)
  must(
    feed.readers.every(({ hasPulled }) => !hasPulled),
    {
      seen: 'HEAD was answered, and the feed was opened for it.',
      expected: 'Expected no feed: there is no body to put quakes in.',
      often:
        'the feed is opened before the method is looked at, or the handler goes on behind the res.end() for HEAD.',
    },
  )
})

edgeCase('1.5c', 'POST is refused', async (t) => {
  const { server } = await serveFeed(t, PATH, createApp)
  await mustRefusePost(t.connect(server), PATH)
})

edgeCase('1.5d', 'after many clients have gone, the next one is served in full', async (t) => {
  const timers = t.trackTimers()
  const visited = await visitedServer(t, createApp, { path: PATH })
  const { server } = visited
  const calm = t.controlledFeed()
  visited.use(calm)
  const stays = await openStream(t, calm, server, PATH, 'client that stays')
  await visited.visit()
  // Timers that look after all clients may stay, and those of the client that is there.
  await t.waitFor(() => timers.alive() <= 2, {
    seen: () => `Many clients have come and gone, and ${timers.alive()} timers go on for them.`,
    expected: 'Expected the timers of a client to be cleared when it has gone.',
  })
  timers.stop()

  const feed = t.controlledFeed()
  visited.use(feed)
  const { client, reader } = await openStream(t, feed, server, PATH, 'next client')
  const story = {
    expected: 'Expected it to be served like the first one.',
    often: 'a variable outside the handler remembers what happened to one client.',
  }
  const [first, ...more] = quakes(4)
  for (const quake of [first, ...more]) {
    feed.release(quake)
    const seen = `Many clients have come and gone. Then ${describeQuake(quake)} happened, and the next client`
    const line = await client.line({ ...story, seen: `${seen} got no line.` })
    must(deepEqual(tryParseJson(line), quake), {
      ...story,
      seen: `${seen} read ${excerpt(line)}`,
    })
  }
  calm.release(first)
  await stays.client.line({
    seen: 'Many clients have come and gone, a quake happened, and the client that was there all the time got no line.',
    expected: 'Expected it to go on as before.',
  })
  feed.end()
  const how = await client.ended({
    ...story,
    seen: 'Many clients have come and gone. The feed of the next one ended, and the response did not.',
  })
  must(how === 'complete' && reader.closed, {
    ...story,
    seen: 'Many clients have come and gone. The feed of the next one ended, and its connection was cut.',
  })
})

// 1.6 The reader

check('1.6a', 'each record comes out as soon as its line is complete', async (t) => {
  const source = controlledBody(t.transcript)
  const records = readNdjson(source.stream)[Symbol.asyncIterator]()
  for (const quake of quakes(3)) {
    source.push(`${JSON.stringify(quake)}\n`)
    const { value } = await t.withTimeout(records.next(), {
      seen: `The line of ${describeQuake(quake)} came in and nothing came out.`,
      expected: 'Expected the record before the next line.',
      often: 'the body is read to its end first, as response.text() does.',
    })
    t.transcript.step(`reader gave ${excerpt(JSON.stringify(value), 48)}`)
    must(deepEqual(value, quake), {
      seen: `The reader gave ${excerptJson(value)}`,
      expected: `Expected ${excerptJson(quake)}`,
    })
  }
})

check(
  '1.6b',
  'a record may come in any number of chunks',
  mustRead('chunks', 'each chunk is taken for one line. Bytes are cut anywhere on their way.'),
)

check(
  '1.6c',
  'a character that two chunks share comes out whole',
  mustRead('utf8', 'each chunk is decoded by itself, with half a character at its end.'),
)

check(
  '1.6d',
  'LF and CRLF end a line, nothing else does, and blank lines mean nothing',
  mustRead('lines', 'a blank line, sent to keep the connection alive, is given to JSON.parse().'),
)

edgeCase(
  '1.6e',
  'a last line without its line feed is an error',
  mustRead('end', 'the rest is dropped, or taken for a record: 12 may be the beginning of 123.'),
)

check(
  '1.6f',
  'a line that is not JSON is an error that names the line',
  mustRead('invalid', whyWrongError),
)

edgeCase(
  '1.6g',
  'a line longer than maxLineBytes is an error',
  mustRead('limit', 'characters are counted, or the bytes of all lines together, or nothing is.'),
)

edgeCase('1.6h', 'a line that never ends does not fill the memory', async (t) => {
  const line = Buffer.from('{"n":1}\n')
  // Characters of three bytes: whoever counts characters takes three times as much.
  const endless = Array.from({ length: 1000 }, () => Buffer.from('€'.repeat(100)))
  const source = bodyOfChunks([line, ...endless])
  const records = readNdjson(source.stream, { maxLineBytes: 30_000 })[Symbol.asyncIterator]()
  await t.withTimeout(records.next(), {
    seen: 'The line gave nothing.',
    expected: 'Expected its record.',
  })
  t.transcript.step('body goes on with 1000 chunks of 300 bytes and no line feed')
  const outcome = await t.withTimeout(outcomeOf(records.next(), 'gave a record'), {
    seen: 'maxLineBytes is 30000, and the reader waits for more.',
    expected: 'Expected an error.',
  })
  t.transcript.step(`reader ${outcome}`)
  const taken = source.pulled - 1
  t.transcript.step(`reader took ${taken} of the chunks`)
  must(taken <= 200, {
    seen: `maxLineBytes is 30000. The reader took ${taken} chunks, ${taken * 300} bytes of one line.`,
    expected: 'Expected it to give up soon after byte 30000.',
    often:
      taken < endless.length
        ? 'of an unfinished line the characters are counted. These have three bytes each.'
        : 'the length is looked at when the line is complete. This one never is.',
  })

  // Without the option there is a limit all the same, and it is one that lines of everyday fit in.
  await mustHaveLimit('left out', (body) => readNdjson(body))
  await mustHaveLimit('undefined', (body) => readNdjson(body, { maxLineBytes: undefined }))

  async function mustHaveLimit(
    what: string,
    read: (body: ReadableStream<Uint8Array>) => AsyncGenerator<unknown>,
  ): Promise<void> {
    const long = '~'.repeat(60_000)
    const pieces = Array.from({ length: 160 }, () => Buffer.alloc(16 * 1024, '~'))
    const unlimited = bodyOfChunks([Buffer.from(`${JSON.stringify(long)}\n`), ...pieces])
    t.transcript.step(`maxLineBytes is ${what}`)
    const values = read(unlimited.stream)[Symbol.asyncIterator]()
    const isRecord = await t.withTimeout(
      values.next().then(
        ({ value }) => value === long,
        () => false,
      ),
      { seen: 'A line of 60 kB gave nothing.', expected: 'Expected its record.' },
    )
    must(isRecord, {
      seen: `maxLineBytes is ${what}, and a line of 60 kB gave an error.`,
      expected: 'Expected its record: the limit is 1 MiB if it is left out.',
    })
    t.transcript.step(`reader ${await outcomeOf(values.next(), 'gave a record')}`)
    const kept = (unlimited.pulled - 1) * 16
    must(kept < 2048, {
      seen: `maxLineBytes is ${what}, and the reader took ${kept} kB of a line that never ends.`,
      expected:
        'Expected an error soon after 1 MiB: a limit that has to be asked for is forgotten.',
    })
  }
})

check('1.6i', 'leaving the loop cancels the request', async (t) => {
  const source = controlledBody(t.transcript)
  source.push('{"n":1}\n{"n":2}\n')
  const leaveAfterOne = async (): Promise<void> => {
    for await (const _ of readNdjson(source.stream)) break
  }
  await t.withTimeout(leaveAfterOne(), {
    seen: 'Two lines came in and the loop got no record.',
    expected: 'Expected the first at once.',
  })
  t.transcript.step('the loop is left after the first record')
  await t.waitFor(() => source.cancelled, {
    seen: 'The loop was left, and the request goes on.',
    expected: 'Expected the body to be cancelled: a server streams to nobody otherwise.',
    often: 'releaseLock() lets go of the body without cancelling it.',
  })
})

check('1.6j', 'a lost connection is an error, not an end', async (t) => {
  const source = controlledBody(t.transcript)
  source.push('{"n":1}\n')
  const records = readNdjson(source.stream)[Symbol.asyncIterator]()
  await t.withTimeout(records.next(), {
    seen: 'The line gave nothing.',
    expected: 'Expected its record.',
  })
  source.fail(new TypeError('terminated'))
  const outcome = await t.withTimeout(outcomeOf(records.next()), {
    seen: 'The connection was lost and the reader waits.',
    expected: 'Expected it to throw.',
  })
  must(outcome === 'threw', {
    seen: 'The connection was lost, and the reader says that all is read.',
    expected: 'Expected the error to reach whoever reads.',
    often: 'a catch around the loop, or around reader.read(), swallows it.',
  })
})

edgeCase('1.6k', 'the reader does not run ahead of whoever reads', async (t) => {
  // Of 4 kB each: streams count what they hold in bytes.
  const line = Buffer.from(`${JSON.stringify('~'.repeat(4093))}\n`)
  const lines = bodyOfChunks(Array.from({ length: 1000 }, () => line))
  t.transcript.step('body has 1000 chunks of one line each, 4 kB long')
  const records = readNdjson(lines.stream)[Symbol.asyncIterator]()
  for (let n = 0; n < 10; n += 1) {
    await t.withTimeout(records.next(), {
      seen: 'A line gave nothing.',
      expected: 'Expected its record.',
    })
  }
  t.transcript.step('10 records were read')
  // Time for a reader that runs ahead to show it: a turn of the event loop for every chunk.
  await turns(1000)
  t.transcript.step(`reader took ${lines.pulled} chunks`)
  // A few chunks ahead are fine: streams between the body and the reader hold some.
  must(lines.pulled <= 50, {
    seen: `10 records were read, and ${lines.pulled} chunks taken from the body.`,
    expected: 'Expected the reader to wait with the next chunk until somebody asks for it.',
    often: 'a loop in the background fills a queue, as fast as the server can send.',
  })
})

edgeCase('1.6l', 'an error of the reader cancels the request', async (t) => {
  const lines = { 'is not JSON': 'not json\n', 'is too long': 'x'.repeat(2000) }
  for (const [what, line] of Object.entries(lines)) {
    const source = controlledBody(t.transcript)
    source.push('{"n":1}\n')
    const records = readNdjson(source.stream, { maxLineBytes: 1000 })[Symbol.asyncIterator]()
    await t.withTimeout(records.next(), {
      seen: 'The line gave nothing.',
      expected: 'Expected its record.',
    })
    source.push(line)
    let isSettled = false
    const next = outcomeOf(records.next(), 'gave a record')
    void next.finally(() => (isSettled = true))
    const story = {
      seen: `A line ${what}, and the reader waits.`,
      expected: 'Expected an error with the chunk that makes it one.',
    }
    const outcome = await t.withTimeout(next, story).catch(async (failure: unknown) => {
      source.push('x')
      await turns(20)
      must(!isSettled, {
        ...story,
        often: 'the length is looked at before a chunk is added, so one more has to come.',
      })
      throw failure
    })
    t.transcript.step(`reader ${outcome}`)
    must(outcome === 'threw', {
      seen: `A line ${what}, and the reader ${outcome}.`,
      expected: 'Expected an error.',
    })
    await t.waitFor(() => source.cancelled, {
      seen: `A line ${what}, the reader threw, and the request goes on.`,
      expected: 'Expected the body to be cancelled: nobody will read the rest.',
      often:
        'the body is cancelled when the loop is left, and not when the reader itself throws. A finally runs both times.',
    })
  }
})

edgeCase('1.6m', 'a stream that goes on for long costs no more per line', async (t) => {
  // What is done with is never looked at again: then this takes a moment, and else half a minute.
  const line = Buffer.from(`${JSON.stringify('~'.repeat(765))}\n`)
  const chunks = Array.from({ length: 6000 }, () => line)
  t.transcript.step('body has 6000 chunks of one line each')
  let count = 0
  const read = async (body: ReadableStream<Uint8Array>): Promise<void> => {
    for await (const _ of readNdjson(body)) count += 1
  }
  await mustCostLinearly(t, chunks, read, {
    seen: 'Lines came in, 6000 of 768 bytes, each in a chunk of its own, and 1.5 seconds of computing were not enough to read them.',
    expected: 'Expected the work for a line to depend on that line, not on what came before it.',
    often: 'the text of lines that are done is kept, and each chunk is joined to all of it.',
  })
  t.transcript.step(`reader gave ${count} records`)
})

/** A case belongs to the last of these that it has a tag of: a cut character at a limit is about the limit. */
const themes = {
  chunks: ['basic', 'chunk', 'long', 'prompt'],
  utf8: ['utf8'],
  lines: ['eol', 'keepalive'],
  end: ['eof'],
  invalid: ['invalid'],
  limit: ['limit'],
}

/** Reads every case of a theme. @param often the likely cause, where a case does not say another one */
function mustRead(
  theme: keyof typeof themes,
  often: Parameters<typeof mustReadNdjson>[3],
): (t: Tools) => Promise<void> {
  const isOfTheme = ({ tags }: NdjsonVector): boolean => {
    const its = Object.entries(themes).findLast(([, of]) => of.some((tag) => tags.includes(tag)))
    return its?.[0] === theme
  }
  return (t) => mustReadNdjson(t, readNdjson, ndjsonVectors().filter(isOfTheme), often)
}
