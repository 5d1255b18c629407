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
import { sampleSize } from './harness/sampling.ts'
import { mustServeAfterVisits } from './harness/served-after-visits.ts'
import type { VisitOptions } from './harness/visits.ts'
import { pausedStream, serveFeed, serveStream, slowStream } from './harness/open-stream.ts'
import { outcomeOf } from './harness/outcome.ts'
import {
  mustCloseWhenLeft,
  mustCloseWhenStalled,
  mustCutWithFeed,
  mustEndWithFeed,
  mustServeEach,
} from './harness/stream-rules.ts'
import { differingExcerpts, excerpt, excerptJson, SILENT } from './harness/transcript.ts'
import { turns } from './harness/event-loop.ts'
import { ndjsonVectors, type NdjsonVector } from './harness/vectors.ts'

const PATH = '/quakes.ndjson'

// 1.1 The head

check('1.1a', 'the response head is sent before the first quake happens', async (t) => {
  const client = t.connect((await serveFeed(t, PATH, createApp)).server)
  const head = await client.get(PATH, {
    seen: 'The client did not get the head of the response while the feed was silent.',
    expected:
      'Expected the status and the headers to arrive immediately, because the first quake may be an hour away.',
    often:
      'your handler sets the headers but does not send them. Node holds the head back until the first res.write().',
  })
  must(head.status === 200, {
    seen: `GET ${PATH} was answered with status ${head.status}.`,
    expected: 'Expected status 200.',
    often: 'your route has a different path, or your handler throws before it answers.',
  })
})

check('1.1b', 'the Content-Type announces newline-delimited JSON', async (t) => {
  const { head } = await serveStream(t, PATH, createApp)
  const type = head.headers.get('content-type')
  must(NDJSON.test(type ?? ''), {
    seen: type ? `The Content-Type was ${type}.` : 'The response had no Content-Type.',
    expected: 'Expected the Content-Type to be application/x-ndjson.',
    ...(type?.startsWith('application/json') && {
      often:
        'your handler sets the type of a single JSON document, but a stream of lines has its own type.',
    }),
  })
})

const NDJSON = /^application\/(x-ndjson|ndjson|x-jsonlines|jsonl)\b/i

// 1.2 The lines

check('1.2a', 'each quake reaches the client before the next quake happens', async (t) => {
  const timers = t.freezeTimers()
  const { feed, client } = await serveStream(t, PATH, createApp)
  for (const quake of ordinaryQuakes(3)) {
    feed.release(quake)
    await client.line({
      seen: () =>
        `The feed released ${describeQuake(quake)}, but no line reached the client${timers.frozen > 0 ? ' while your timers were stopped' : ''}.`,
      expected: 'Expected the client to get the line before the next quake happens.',
      often: () =>
        timers.frozen > 0
          ? 'your handler sends the line from a timer. Write the line as soon as the feed delivers the quake.'
          : 'your handler collects quakes and sends them later. Write each quake before the loop asks for the next one.',
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
      seen: `The feed released ${describeQuake(quake)}, but no line reached the client.`,
      expected: 'Expected the client to get a line for each quake.',
      ...(hasZero && {
        often:
          "your handler drops falsy values. The condition if (value) is false for 0 and for ''.",
      }),
      ...(sent.has(quake.id) && {
        often:
          'your handler skips a quake whose ID has been sent before. Send the new data, because it is a correction.',
      }),
    })
    sent.add(quake.id)
    const [its, expected] = differingExcerpts(line, JSON.stringify(quake))
    must(deepEqual(tryParseJson(line), quake), {
      seen: `The line for ${describeQuake(quake)} was ${its}`,
      expected: `Expected the line to be ${expected}`,
      often: line.includes('\ufffd')
        ? 'your handler passes an encoding to res.write(). Without an encoding, Node sends UTF-8.'
        : 'your handler sends something other than JSON.stringify(quake), for example JSON that spans several lines.',
    })
  }
})

edgeCase('1.2c', 'an HTTP/1.1 response is chunked and has no Content-Length', async (t) => {
  const { head } = await serveStream(t, PATH, createApp)
  const encoding = head.headers.get('transfer-encoding')
  must(encoding === 'chunked' && !head.headers.has('content-length'), {
    seen: `The response head had Transfer-Encoding: ${encoding ?? '(nothing)'} and Content-Length: ${head.headers.get('content-length') ?? '(nothing)'}.`,
    expected:
      'Expected the body to be chunked, because without chunks a client cannot tell the end of the body from a lost connection.',
    often: 'your handler sets Transfer-Encoding, Content-Length or Connection. Leave them to Node.',
  })
})

check('1.2d', 'when the feed ends, the response ends after the last line', async (t) => {
  const { feed, client } = await serveStream(t, PATH, createApp)
  const [quake] = quakes(1)
  feed.release(quake)
  await client.line({
    seen: `The feed released ${describeQuake(quake)}, but no line reached the client.`,
    expected: 'Expected the client to get the line for that quake.',
  })
  feed.end()
  await mustEndWithFeed(client, 'otherwise the client cannot know that nothing more will arrive.')
  must(client.unread() === '', {
    seen: `The client got more bytes after the last line: ${excerpt(client.unread())}`,
    expected: 'Expected the body to end with the last line feed.',
    often:
      'your handler writes something after the last line feed. Each line feed already ends its line, so nothing has to follow it.',
  })
})

edgeCase('1.2e', 'an HTTP/1.0 client gets the lines without chunks', async (t) => {
  const { feed, server } = await serveFeed(t, PATH, createApp)
  const client = t.connect(server)
  await client.get(
    PATH,
    {
      seen: 'The HTTP/1.0 client got no response head.',
      expected: 'Expected the response head to be sent immediately.',
    },
    { version: '1.0' },
  )
  const [quake] = quakes(1)
  feed.release(quake)
  const line = await client.line({
    seen: `The feed released ${describeQuake(quake)}, but no line reached the client.`,
    expected: 'Expected the client to get the line for that quake.',
  })
  must(deepEqual(tryParseJson(line), quake), {
    seen: `The body began with ${excerpt(line)}`,
    expected: 'Expected the body to contain only the line of JSON, because HTTP/1.0 has no chunks.',
    often: 'your handler sets Transfer-Encoding, so Node sends chunks to every client.',
  })
})

check('1.2f', 'every concurrent client gets every quake', async (t) => {
  await mustServeEach(await serveFeed(t, PATH, createApp), 'line', (client, story) =>
    client.line(story),
  )
})

// 1.3 The client disconnects

check('1.3a', 'the feed closes when the client disconnects between two quakes', async (t) => {
  const { feed, server, open } = await serveFeed(t, PATH, createApp)
  // Begin with the easier case, in which a handler can also notice the disconnect when it writes.
  const { client, reader } = await open()
  await disconnect(t, server, client)
  feed.release(...quakes(1))
  await t.waitFor(() => reader.closed, {
    seen: 'The client disconnected and a quake happened, but your handler still asked the feed for the next quake.',
    expected: 'Expected the feed to close, because the client is no longer reading.',
    often:
      "your handler does not listen for 'close' on the response. A write after a disconnect does not throw.",
  })
  await mustCloseWhenLeft(
    t,
    await (await serveFeed(t, PATH, createApp)).open(),
    'your handler notices the disconnect only when a quake happens. Abort the signal of feed.open(signal) when the response emits "close".',
  )
})

edgeCase(
  '1.3b',
  'a client that disconnects before the handler runs leaves no feed open',
  async (t) => {
    await mustNotServeTheGone(t, 'first client')
  },
)

check('1.3c', 'a client that disconnects does not affect the other clients', async (t) => {
  const { feed, open } = await serveFeed(t, PATH, createApp)
  const first = await open('client A')
  const leaves = await open('client B')
  const last = await open('client C')
  leaves.client.disconnect()
  const often = 'your app shares one AbortController between clients. Create one for each request.'
  await t.waitFor(() => leaves.reader.closed || first.reader.closed || last.reader.closed, {
    seen: 'Client B disconnected, but its feed stayed open.',
    expected: 'Expected the feed of client B to close.',
    often,
  })
  const [quake] = quakes(1)
  feed.release(quake)
  for (const { client } of [first, last]) {
    await client.line({
      seen: `Client B disconnected. Then ${describeQuake(quake)} happened, but ${client.name} got no line.`,
      expected: `Expected ${client.name} to keep getting every quake.`,
      often,
    })
  }
})

edgeCase('1.3d', 'reading the request does not count as a disconnect', async (t) => {
  const { feed, server } = await serveFeed(t, PATH, createApp, consumeRequest)
  const client = t.connect(server)
  client.request(PATH)
  t.transcript.step('middleware has read the request')
  const story = {
    expected: 'Expected your handler to respond, because the client is still connected.',
    often:
      "your handler listens for 'close' on the request, which fires as soon as the request has been read. Listen on the response.",
  }
  await client.head({
    ...story,
    seen: 'Middleware read the request before your handler ran, and then the client got no response head.',
  })
  const [quake] = quakes(1)
  feed.release(quake)
  await client.line({
    ...story,
    seen: `The feed released ${describeQuake(quake)}, but no line reached the client.`,
  })
  client.disconnect()
  await t.waitFor(() => feed.openReaders === 0, {
    seen: 'Middleware read the request before your handler ran. Then the client disconnected, but the feed stayed open.',
    expected: 'Expected the feed to close, even though the request has been read.',
    often:
      "your handler listens on the request. Once a request has been read, its 'close' event has already fired and its 'aborted' event never fires. Listen on the response.",
  })
  // A handler that misses every early disconnect fails 1.3b, and the message would be wrong here.
  if ((await outcomeOf(mustNotServeTheGone(t, 'first client'))) === 'ended') {
    await mustNotServeTheGone(t, 'client whose request was read', consumeRequest)
  }
})

/**
 * Requires that a client that disconnects during a slow login leaves no feed open, while a second client is served.
 *
 * @param before middleware that runs before the login
 */
async function mustNotServeTheGone(t: Tools, name: string, before?: RequestHandler): Promise<void> {
  const login = slowLogin()
  const { feed, server } = await serveFeed(t, PATH, createApp, (request, response, next) => {
    const pass = (): unknown => login.handler(request, response, next)
    if (before) before(request, response, pass)
    else pass()
  })
  await disconnect(t, server, await requestLogin(t, server, login, PATH, name))
  t.transcript.step('the login passes the request on')
  login.finish()
  // When this client is served, the handler of the first client has begun.
  const second = t.connect(server, 'second client')
  await second.get(PATH, {
    seen: `The ${name} disconnected before your handler ran, and then the second client got no response head.`,
    expected: 'Expected the response head to be sent immediately.',
  })
  await t.waitFor(() => feed.openReaders > 0, {
    seen: `The ${name} disconnected before your handler ran, and then the feed was not open for the second client.`,
    expected: 'Expected the feed to stay open for the second client until that client disconnects.',
    often: 'your app shares one AbortController between clients. Create one for each request.',
  })
  second.disconnect()
  await t.waitFor(() => feed.openReaders === 0, {
    seen: `The ${name} disconnected during a slow login, before your handler ran. Your handler opened the feed for that client, and the feed stayed open.`,
    expected: 'Expected the feed to stay closed, or to close at once.',
    often: before
      ? 'your handler checks the request, but a request that has been read does not show a disconnect. Check res.destroyed.'
      : "the response emitted 'close' before your handler listened for it. Check res.destroyed when your handler starts.",
  })
}

// 1.4 The client is slow

check('1.4a', 'the handler stops reading from the feed while the response is full', async (t) => {
  const { slow, happened } = await slowStream(t, PATH, createApp)
  const tookAll = slow.reader.delivered === happened.length
  t.transcript.step(`feed delivered ${tookAll ? 'all' : 'some'} of them for the slow client`)
  must(!tookAll, {
    seen: `The client stopped reading, but your handler read all ${happened.length} quakes (6 MB) from the feed.`,
    expected:
      'Expected your handler to stop writing when the response is full, because everything that the client does not read stays in memory.',
    often: 'your handler ignores the return value of res.write().',
  })

  const { feed, server, open } = await serveFeed(t, PATH, createApp)
  const { reader } = await open('client on a full line')
  server.blockNetwork()
  const small = largeQuakes(400, 4096)
  feed.release(...small)
  await t.waitFor(() => reader.delivered > 0, {
    seen: 'The network accepted no bytes, and your handler read no quakes from the feed.',
    expected:
      'Expected your handler to read a few quakes from the feed, because the response has room for them.',
  })
  // Give a handler that does not stop enough time to take more.
  await turns(20)
  must(reader.delivered <= MOST_HELD, {
    seen: `The network accepted no bytes, but your handler read ${reader.delivered} quakes of 4 kB from the feed.`,
    expected: 'Expected your handler to stop writing when res.write() returns false.',
    often:
      'your handler compares the buffered bytes with a limit of its own, but Node has a lower limit. Use the return value of res.write().',
  })
})

/** The most quakes of 4 kB that a handler may take. A response buffers 16 of them (64 kB), and streams before it a few dozen more. */
const MOST_HELD = 150

/** More quakes than any counter in a handler is likely to let through. */
const MANY = 1100

check('1.4b', 'a client that resumes reading gets every quake once, in order', async (t) => {
  const timers = t.trackTimers()
  const { feed, server, open } = await serveFeed(t, PATH, createApp)
  const { client, reader } = await open()
  const held = (): number => server.listeners + reader.signalListeners + timers.alive()
  t.transcript.step('client stops reading')
  server.blockNetwork(SILENT)
  // Each of these quakes fills the response.
  const happened = largeQuakes(sampleSize(32), 96 * 1024)
  feed.release(...happened)
  await t.waitFor(() => reader.delivered > 0, {
    seen: 'The client stopped reading, and your handler read no quakes from the feed.',
    expected:
      'Expected your handler to read a few quakes from the feed, because the buffers have room for them.',
  })
  await turns(20)
  const heldBefore = held()
  t.transcript.step('client reads again')
  server.unblockNetwork(SILENT)
  for (const [n, quake] of happened.entries()) {
    const line = await client.line({
      seen: `The client resumed reading, but got only ${n} of ${happened.length} quakes.`,
      expected: 'Expected the stream to continue where it had stopped.',
      often:
        'your handler stops for good when res.write() returns false. But false only means "wait".',
    })
    const { id } = (tryParseJson(line) ?? {}) as { id?: unknown }
    must(id === quake.id, {
      seen: `Line ${n + 1} contained the quake ${JSON.stringify(id)}.`,
      expected: `Expected that line to contain the quake ${JSON.stringify(quake.id)}, because each quake must be sent once and in order.`,
      ...(id === happened[n - 1]?.id && {
        often:
          'your handler writes a quake again after "drain", but a write that returned false has been accepted.',
      }),
    })
  }
  // Listeners that are left over after each wait add up.
  must(held() < heldBefore + 5, {
    seen: `The response was full ${happened.length} times, and the number of listeners and timers for this client kept growing.`,
    expected: 'Expected your handler to remove its listeners and timers after each wait.',
    often:
      'your handler adds a listener for each wait and never removes it. once() from node:events removes its own listeners.',
  })

  timers.stop()

  server.blockNetwork()
  const small = largeQuakes(MANY, 1024)
  feed.release(...small)
  await t.waitFor(() => reader.delivered > happened.length, {
    seen: `The response was full ${happened.length} times, and drained each time. After that, your handler read no more quakes from the feed.`,
    expected: 'Expected your handler to continue with the next quakes.',
  })
  await turns(20)
  const taken = reader.delivered - happened.length
  must(taken <= 4 * MOST_HELD, {
    seen: `The response had been full ${happened.length} times. Then the network accepted no bytes, but your handler read ${taken} quakes of 1 kB from the feed.`,
    expected: 'Expected your handler to stop writing whenever the response is full.',
    often: 'your handler waits for "drain" only the first time, or the first few times.',
  })
  server.unblockNetwork()
  // Read in steps, because a handler may yield to the event loop between two quakes.
  for (let n = 99; n < MANY; n += 100) {
    await client.skipUntil(small[n]!.id, {
      seen: `${MANY} more quakes happened and the network accepted bytes again, but the client did not get quake ${n + 1}.`,
      expected:
        'Expected the client to get every quake, because the stream continues until the feed ends.',
    })
  }
  await client.line({
    seen: 'The last line had no line feed.',
    expected: 'Expected every line to end with a line feed.',
  })

  server.blockNetwork()
  const [last] = quakes(1)
  feed.release(last)
  feed.end()
  // Give a handler that destroys the response enough time to do so. Other handlers may wait until the line has been sent.
  await turns(20)
  server.unblockNetwork()
  const story = {
    seen: 'The feed ended while the last line was waiting for the network, and that line was lost.',
    expected: 'Expected the client to get the last line and then the end of the response.',
    often:
      'your handler destroys the response after res.end(), which drops the bytes that are still waiting.',
  }
  await client.line(story)
  const how = await client.ended({
    ...story,
    seen: 'The feed ended, but the response did not.',
  })
  must(how === 'complete', { ...story, seen: 'The feed ended, and the server cut the connection.' })
})

check('1.4c', 'the feed closes when a stalled client disconnects', async (t) => {
  await mustCloseWhenStalled(t, await pausedStream(t, PATH, createApp))
})

// 1.5 The feed fails

check(
  '1.5a',
  'when the feed fails, the server cuts the connection instead of ending the response',
  async (t) => {
    for (const count of [1, 0]) {
      const { feed, open } = await serveFeed(t, PATH, createApp)
      const { client } = await open()
      for (const quake of quakes(count)) {
        feed.release(quake)
        await client.line({
          seen: 'A quake happened, but its line did not reach the client.',
          expected: 'Expected the client to get the line for that quake.',
        })
      }
      feed.fail('no word from the network')
      await mustCutWithFeed(
        client,
        `The feed failed${count === 0 ? ' before its first quake' : ''}`,
        'Expected the connection to be cut.',
        count === 0
          ? 'your handler ends the response if nothing has been sent yet. To the client, this looks like a feed without quakes.'
          : undefined,
      )
      must(client.unread() === '', {
        seen: `The feed failed, and then the client read ${excerpt(client.unread())}`,
        expected:
          'Expected no bytes after the last quake, because a reader treats every line as a quake.',
      })
    }
  },
)

edgeCase(
  '1.5b',
  'a HEAD request gets the response head and ends, without opening the feed',
  async (t) => {
    const { feed, server } = await serveFeed(t, PATH, createApp)
    const client = t.connect(server)
    const story = {
      seen: 'The HEAD request got no response head.',
      expected: 'Expected the same response head as for GET.',
    }
    const head = await client.get(PATH, story, { method: 'HEAD' })
    must(head.status === 200, {
      seen: `The HEAD request was answered with status ${head.status}.`,
      expected: 'Expected status 200, as for GET.',
    })
    const type = head.headers.get('content-type')
    must(NDJSON.test(type ?? ''), {
      seen: `The response to HEAD had ${type ? `the Content-Type ${type}` : 'no Content-Type'}.`,
      expected: 'Expected the same Content-Type as for GET.',
      often: 'your handler sets the headers only for GET.',
    })
    await mustEndHead(t, server, client, PATH)
    must(
      feed.readers.every(({ hasPulled }) => !hasPulled),
      {
        seen: 'Your handler opened the feed for a HEAD request.',
        expected: 'Expected the feed to stay closed, because a response to HEAD has no body.',
        often:
          'your handler opens the feed before it checks req.method, or does not return after res.end().',
      },
    )
  },
)

edgeCase('1.5c', 'a POST request is refused', async (t) => {
  const { server } = await serveFeed(t, PATH, createApp)
  await mustRefusePost(t.connect(server), PATH)
})

check('1.5d', 'after many clients have disconnected, the next client is served in full', (t) =>
  mustServeTheNext(t, 'ordinary'),
)

edgeCase('1.5e', 'after unusual requests, the next client is served in full', (t) =>
  mustServeTheNext(t, 'unusual'),
)

/**
 * Requires that the next client is served in full after many visits.
 *
 * @param only the kind of visits that come before the next client
 */
async function mustServeTheNext(t: Tools, only: VisitOptions['only']): Promise<void> {
  const { feed, next } = await mustServeAfterVisits(
    t,
    createApp,
    { path: PATH, only },
    'line',
    ({ client }, story) => client.line(story),
  )
  feed.end()
  const how = await next.client.ended({
    seen: 'Many clients had disconnected. Then the feed ended for the next client, but the response to that client did not end.',
    expected: 'Expected the response to end, as for the first client.',
  })
  must(how === 'complete' && next.reader.closed, {
    seen: 'Many clients had disconnected. When the feed ended for the next client, its connection was cut.',
    expected: 'Expected the response to end, as for the first client.',
  })
}

// 1.6 The lines of a body

check('1.6a', 'readNdjson() yields each record as soon as its line is complete', async (t) => {
  const source = controlledBody(t.transcript)
  const records = readNdjson(source.stream)[Symbol.asyncIterator]()
  for (const quake of quakes(3)) {
    source.push(`${JSON.stringify(quake)}\n`)
    const { value } = await t.withTimeout(records.next(), {
      seen: `The line for ${describeQuake(quake)} arrived, but readNdjson() yielded nothing.`,
      expected: 'Expected readNdjson() to yield the record before the next line arrives.',
      often: 'your reader reads the whole body first, as response.text() does.',
    })
    t.transcript.step(`reader yielded ${excerpt(JSON.stringify(value), 48)}`)
    must(deepEqual(value, quake), {
      seen: `readNdjson() yielded ${excerptJson(value)}`,
      expected: `Expected readNdjson() to yield ${excerptJson(quake)}`,
    })
  }
})

check(
  '1.6b',
  'records and characters that are split between chunks are read correctly',
  mustRead('chunks', 'your reader parses each chunk as one line, but a chunk may end anywhere.'),
)

check(
  '1.6c',
  'only LF and CRLF end a line, and blank lines are skipped',
  mustRead('lines', 'your reader passes a blank line to JSON.parse(). Skip blank lines.'),
)

// 1.7 When reading goes wrong

check(
  '1.7a',
  'if a line is not JSON, the reader throws an error with the line number',
  mustRead('invalid', whyWrongError),
)

edgeCase(
  '1.7b',
  'the reader throws if the last line has no line feed',
  mustRead(
    'end',
    'your reader drops the text after the last line feed, or parses that text as a record. But 12 may be the beginning of 123.',
  ),
)

edgeCase(
  '1.7c',
  'the reader throws if a line is longer than maxLineBytes',
  mustRead(
    'limit',
    'your reader counts characters instead of bytes, adds up the bytes of several lines, or does not count at all.',
  ),
)

edgeCase(
  '1.7d',
  'the reader throws at the limit if a line never ends, instead of filling the memory',
  async (t) => {
    const line = Buffer.from('{"n":1}\n')
    // Each character has three bytes, so a reader that counts characters takes three times as many bytes.
    const endless = Array.from({ length: 1000 }, () => Buffer.from('€'.repeat(100)))
    const source = bodyOfChunks([line, ...endless])
    const records = readNdjson(source.stream, { maxLineBytes: 30_000 })[Symbol.asyncIterator]()
    await t.withTimeout(records.next(), {
      seen: 'A complete line arrived, but readNdjson() yielded nothing.',
      expected: 'Expected readNdjson() to yield the record from that line.',
    })
    t.transcript.step('body continues with 1000 chunks of 300 bytes and no line feed')
    const outcome = await t.withTimeout(outcomeOf(records.next(), 'yielded a record'), {
      seen: 'maxLineBytes was 30000, but readNdjson() kept waiting for more.',
      expected: 'Expected readNdjson() to throw as soon as a line is longer than 30000 bytes.',
    })
    t.transcript.step(`reader ${outcome}`)
    const taken = source.pulled - 1
    t.transcript.step(`reader took ${taken} of the chunks`)
    must(taken <= 200, {
      seen: `maxLineBytes was 30000, but the reader took ${taken} chunks (${taken * 300} bytes) of one line.`,
      expected: 'Expected readNdjson() to throw soon after byte 30000.',
      often:
        taken < endless.length
          ? 'your reader counts the characters of an unfinished line, but each of these characters takes three bytes.'
          : 'your reader checks the length only when the line is complete, but this line never ends.',
    })

    // Without the option, there is still a limit, but ordinary lines are below it.
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
        {
          seen: 'A line of 60 kB arrived, but readNdjson() yielded nothing.',
          expected: 'Expected readNdjson() to yield the record from that line.',
        },
      )
      must(isRecord, {
        seen: `maxLineBytes was ${what}, but readNdjson() threw an error for a line of 60 kB.`,
        expected: 'Expected readNdjson() to yield the record, because the default limit is 1 MiB.',
      })
      t.transcript.step(`reader ${await outcomeOf(values.next(), 'yielded a record')}`)
      const kept = (unlimited.pulled - 1) * 16
      must(kept < 2048, {
        seen: `maxLineBytes was ${what}, but the reader took ${kept} kB of a line that never ended.`,
        expected:
          'Expected readNdjson() to throw soon after 1 MiB, because most callers do not set a limit.',
      })
    }
  },
)

check('1.7e', 'leaving the loop over readNdjson() cancels the body', async (t) => {
  const source = controlledBody(t.transcript)
  source.push('{"n":1}\n{"n":2}\n')
  const leaveAfterOne = async (): Promise<void> => {
    for await (const _ of readNdjson(source.stream)) break
  }
  await t.withTimeout(leaveAfterOne(), {
    seen: 'Two lines arrived, but the loop got no record.',
    expected: 'Expected the loop to get the first record immediately.',
  })
  t.transcript.step('loop breaks after the first record')
  await t.waitFor(() => source.cancelled, {
    seen: 'A caller left its loop over readNdjson(), but the body was not cancelled.',
    expected:
      'Expected the body to be cancelled, because otherwise the server keeps sending to a client that no longer reads.',
    often: 'your reader calls releaseLock(), which does not cancel the body.',
  })
})

check('1.7f', 'the reader throws when the connection is lost', async (t) => {
  const source = controlledBody(t.transcript)
  source.push('{"n":1}\n')
  const records = readNdjson(source.stream)[Symbol.asyncIterator]()
  await t.withTimeout(records.next(), {
    seen: 'A complete line arrived, but readNdjson() yielded nothing.',
    expected: 'Expected readNdjson() to yield the record from that line.',
  })
  source.fail(new TypeError('terminated'))
  const outcome = await t.withTimeout(outcomeOf(records.next()), {
    seen: 'The connection was lost, but readNdjson() kept waiting.',
    expected: 'Expected readNdjson() to throw.',
  })
  must(outcome === 'threw', {
    seen: 'The connection was lost, but readNdjson() returned as if the body were complete.',
    expected: 'Expected readNdjson() to throw, so that its caller learns of the loss.',
    often: 'your reader catches the error from the body and does not rethrow it.',
  })
})

edgeCase('1.7g', 'the reader pulls chunks only on demand', async (t) => {
  // Each line has 4 kB, because the limits of stream buffers are in bytes.
  const line = Buffer.from(`${JSON.stringify('~'.repeat(4093))}\n`)
  const lines = bodyOfChunks(Array.from({ length: 1000 }, () => line))
  t.transcript.step('body has 1000 chunks of one line each, 4 kB long')
  const records = readNdjson(lines.stream)[Symbol.asyncIterator]()
  for (let n = 0; n < 10; n += 1) {
    await t.withTimeout(records.next(), {
      seen: 'A complete line arrived, but readNdjson() yielded nothing.',
      expected: 'Expected readNdjson() to yield the record from that line.',
    })
  }
  t.transcript.step('10 records were read')
  // A reader that runs ahead needs one turn of the event loop for each chunk.
  await turns(1000)
  t.transcript.step(`reader took ${lines.pulled} chunks`)
  // The reader may be a few chunks ahead, because streams between the body and the reader buffer some.
  must(lines.pulled <= 50, {
    seen: `The caller asked for 10 records, but your reader took ${lines.pulled} chunks from the body.`,
    expected: 'Expected your reader to pull a chunk only when the caller asks for another record.',
    often:
      'your reader runs a loop in the background, which fills a queue as fast as the server can send.',
  })
})

edgeCase('1.7h', 'the reader cancels the body when it throws an error about a line', async (t) => {
  const lines = { 'was not JSON': 'not json\n', 'was too long': 'x'.repeat(2000) }
  for (const [what, line] of Object.entries(lines)) {
    const source = controlledBody(t.transcript)
    source.push('{"n":1}\n')
    const records = readNdjson(source.stream, { maxLineBytes: 1000 })[Symbol.asyncIterator]()
    await t.withTimeout(records.next(), {
      seen: 'A complete line arrived, but readNdjson() yielded nothing.',
      expected: 'Expected readNdjson() to yield the record from that line.',
    })
    source.push(line)
    let isSettled = false
    const next = outcomeOf(records.next(), 'yielded a record')
    void next.finally(() => (isSettled = true))
    const story = {
      seen: `A line ${what}, but readNdjson() kept waiting.`,
      expected: 'Expected readNdjson() to throw as soon as that line has arrived.',
    }
    const outcome = await t.withTimeout(next, story).catch(async (failure: unknown) => {
      source.push('x')
      await turns(20)
      must(!isSettled, {
        ...story,
        often:
          'your reader checks the length before it adds a chunk, so it throws only when another chunk arrives.',
      })
      throw failure
    })
    t.transcript.step(`reader ${outcome}`)
    must(outcome === 'threw', {
      seen: `A line ${what}, but readNdjson() ${outcome}.`,
      expected: 'Expected readNdjson() to throw an error about that line.',
    })
    await t.waitFor(() => source.cancelled, {
      seen: `readNdjson() threw because a line ${what}, but the body was not cancelled.`,
      expected: 'Expected the body to be cancelled, because the rest will never be read.',
      often:
        'your reader cancels the body only when the caller leaves its loop. A finally block also runs when your reader throws.',
    })
  }
})

check(
  '1.7i',
  'the cost of reading a line does not grow with the length of the stream',
  async (t) => {
    // Reading takes a moment if finished lines are never scanned again, but half a minute otherwise.
    const line = Buffer.from(`${JSON.stringify('~'.repeat(765))}\n`)
    const chunks = Array.from({ length: sampleSize(6000) }, () => line)
    t.transcript.step('body has 6000 chunks of one line each')
    let count = 0
    const read = async (body: ReadableStream<Uint8Array>): Promise<void> => {
      for await (const _ of readNdjson(body)) count += 1
    }
    await mustCostLinearly(t, chunks, read, {
      seen: '6000 lines of 768 bytes arrived, each in a chunk of its own, but your reader did not finish reading them within 1.5 seconds of CPU time.',
      expected: 'Expected the cost of reading a line not to depend on the lines before it.',
      often: 'your reader keeps the text of finished lines and appends each chunk to it.',
    })
    t.transcript.step(`reader yielded ${count} records`)
  },
)

/** The tags of each theme. A case with tags from several themes belongs to the last of these themes. */
const themes = {
  chunks: ['basic', 'chunk', 'long', 'prompt', 'utf8'],
  lines: ['eol', 'keepalive'],
  end: ['eof'],
  invalid: ['invalid'],
  limit: ['limit'],
}

/** Returns a script that reads every case of a theme. @param often the likely cause, unless a case names a different cause */
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
