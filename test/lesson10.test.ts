import { askingPage, sameText } from './harness/react/asking-page.ts'
import { stop } from '#work/10-answers-over-post/client.ts'
import { AnswerReader } from './harness/answers/answer-reader.ts'
import { startAsking, type Asking } from './harness/answers/asking.ts'
import { generatorError } from './harness/answers/controlled-answer.ts'
import { endEvent, tokenEvent } from './harness/answers/events.ts'
import { QUESTION } from './harness/answers/question.ts'
import {
  scriptedAnswers,
  type Exchange,
  type ScriptedAnswers,
} from './harness/answers/scripted-answers.ts'
import { ANSWERS, mustBeAborted, serveAnswer } from './harness/answers/served-answer.ts'
import {
  askTruncated,
  describeTruncation,
  mustResume,
  truncations,
} from './harness/answers/truncated-answers.ts'
import { check, edgeCase, must, type Tools } from './harness/check.ts'
import { deepEqual } from './harness/equality.ts'
import { turns } from './harness/event-loop.ts'
import { sendRequest } from './harness/filtered/account.ts'
import { gate } from './harness/gate.ts'
import { hasToken } from './harness/header-tokens.ts'
import { counted } from './harness/reconnection/wording.ts'
import { inWords } from './harness/react/answer-server.ts'
import { holdFrames } from './harness/react/frames.ts'
import { sampleSize } from './harness/sampling.ts'
import { excerpt, excerptJson, SILENT } from './harness/transcript.ts'

// 10.1 Stream an answer over POST

check('10.1a', 'each token reaches the client as soon as it has been generated', async (t) => {
  const { begin } = await serveAnswer(t)
  const { reader, generator } = await begin()
  must(generator.question === QUESTION, {
    seen: `The question was ${excerptJson(QUESTION)}, and your handler called answer() with ${excerptJson(generator.question)}.`,
    expected: 'Expected the question from the body of the request.',
  })
  const often = (): string => {
    if (generator.aborted) {
      return "your handler listens for 'close' on req, which fires as soon as the body has been read. Listen on res."
    }
    return 'your handler waits for the whole answer before it writes.'
  }
  for (const [n, token] of ['Hel', 'lo', ' world'].entries()) {
    generator.release(token)
    await reader.mustBeToken(n + 1, token, { late: often })
  }
})

check('10.1b', 'an event named done says that the answer is complete', async (t) => {
  const { begin } = await serveAnswer(t)
  const { reader, generator } = await begin()
  generator.release('Hel', 'lo')
  await reader.mustBeTokens(['Hel', 'lo'])
  generator.finish()
  await reader.mustEnd('done', { tokens: 2 })
})

check('10.1c', 'the head announces an event stream and the address of the answer', async (t) => {
  const { begin } = await serveAnswer(t)
  const { reader, generator } = await begin({ key: 'a1' })
  generator.release('Hel')
  const { headers } = await reader.head()
  const rules: [name: string, isRight: (value: string) => boolean, expected: string][] = [
    [
      'Content-Type',
      (value) => /^text\/event-stream\s*(;|$)/i.test(value),
      'Expected text/event-stream.',
    ],
    [
      'Cache-Control',
      (value) => hasToken(value, 'no-store') && hasToken(value, 'no-transform'),
      'Expected no-store and no-transform, because an answer is for one reader, and must not be compressed on the way.',
    ],
    [
      'X-Accel-Buffering',
      (value) => value.toLowerCase() === 'no',
      'Expected no, so that nginx does not buffer the tokens.',
    ],
    [
      'Location',
      (value) => value === `${ANSWERS}/a1`,
      `Expected ${ANSWERS}/a1, because a1 is the Idempotency-Key of the question.`,
    ],
  ]
  for (const [name, isRight, expected] of rules) {
    const value = headers.get(name.toLowerCase()) ?? ''
    must(isRight(value), {
      seen: `The response had the header ${name}: ${value || '(none)'}.`,
      expected,
    })
  }
})

check('10.1d', 'every token arrives unchanged', async (t) => {
  const { begin } = await serveAnswer(t)
  const { reader, generator } = await begin()
  const tokens = [
    ...[' world', '\n\n', 'a\nb', '\r', 'x\r\ndata: "y"', '  ', '"quoted" \\', '\u2028'],
    ...['🌋', '\ud83c', '\udf0b', 'null', ':', '\0'],
  ]
  for (const [n, token] of tokens.entries()) {
    generator.release(token)
    await reader.mustBeToken(n + 1, token, {
      wrong:
        'your handler writes the token itself into the "data" field. Write it as JSON, because JSON has no line ends.',
    })
  }
})

edgeCase(
  '10.1e',
  'a request without a valid question or key gets 400 and starts no answer',
  async (t) => {
    const { refuses, begin, generators } = await serveAnswer(t)
    const body = JSON.stringify({ question: QUESTION })
    const requests: [what: string, request: { body?: string; key?: string }][] = [
      ['with an empty question', { key: 'a', body: '{"question":""}' }],
      ['without a question', { key: 'a', body: '{}' }],
      ['with a number as its question', { key: 'a', body: '{"question":7}' }],
      ['with an array as its body', { key: 'a', body: '[]' }],
      ['with a body that is not JSON', { key: 'a', body: '{"question":' }],
      ['without a body', { key: 'a' }],
      ['without an Idempotency-Key', { body }],
      ['with an Idempotency-Key of 101 characters', { key: 'k'.repeat(101), body }],
      ['with the Idempotency-Key é', { key: 'é', body }],
    ]
    for (const [what, request] of requests) {
      await refuses(400, `POST ${ANSWERS} ${what}`, request)
      must(generators.length === 0, {
        seen: `POST ${ANSWERS} ${what} got 400, but your handler asked the generator.`,
        expected: 'Expected a refused request to ask nothing, because each answer costs money.',
      })
    }
    const { reader, generator } = await begin({ key: '~'.repeat(100) })
    generator.release('Hel')
    await reader.mustBeToken(1, 'Hel')
  },
)

edgeCase('10.1f', 'comments keep an idle answer alive after the head', async (t) => {
  const { begin } = await serveAnswer(t, { options: { heartbeatMs: 2 } })
  const { reader, generator } = await begin()
  generator.release('Hel')
  await reader.mustBeToken(1, 'Hel')
  const before = reader.comments
  await reader.untilComments(before + 2, {
    seen: `After the first token, the generator was silent, and ${counted(reader.comments, 'comment')} arrived.`,
    expected:
      'Expected a comment every heartbeatMs milliseconds, because a proxy cuts an idle connection.',
  })
  generator.release('lo')
  await reader.mustBeToken(2, 'lo')
  generator.finish()
  await reader.mustEnd('done', { tokens: 2 })
})

edgeCase('10.1g', 'two answers at the same time stay apart', async (t) => {
  const { begin } = await serveAnswer(t)
  const one = await begin({ key: 'a', question: 'Why?', name: 'client A' })
  const two = await begin({ key: 'b', question: 'When?', name: 'client B' })
  must(two.generator.question === 'When?', {
    seen: `The second question was "When?", and your handler called answer() with ${excerptJson(two.generator.question)}.`,
    expected: 'Expected each question to get its own answer.',
  })
  two.generator.release('Soon')
  await two.reader.mustBeToken(1, 'Soon')
  one.generator.release('Plates')
  await one.reader.mustBeToken(1, 'Plates')
  two.generator.finish()
  await two.reader.mustEnd('done', { tokens: 1 })
  one.generator.release(' move')
  await one.reader.mustBeToken(2, ' move')
  one.generator.finish()
  await one.reader.mustEnd('done', { tokens: 2 })
})

// 10.2 Only an event completes an answer

check('10.2a', 'ask() posts each question with a key of its own', async (t) => {
  const server = await scriptedAnswers(t)
  startAsking(t, server.url, { id: 'my-name' })
  const named = await posted(server.request(NO_REQUEST))
  must(named.headers['idempotency-key'] === 'my-name', {
    seen: `ask() was called with the id "my-name", and sent the Idempotency-Key ${excerptJson(named.headers['idempotency-key'])}.`,
    expected: 'Expected the id of the options.',
  })
  const names = new Set<string>()
  for (let n = 0; n < 2; n += 1) {
    startAsking(t, server.url)
    const { headers } = await posted(server.request(NO_REQUEST))
    const name = headers['idempotency-key']
    must(typeof name === 'string' && /^[\x20-\x7e]{1,100}$/.test(name) && !names.has(name), {
      seen: `ask() was called without an id, and sent the Idempotency-Key ${excerptJson(name)}${names.has(String(name)) ? ' a second time' : ''}.`,
      expected: 'Expected a new name for each answer, such as crypto.randomUUID().',
    })
    names.add(name)
  }
})

check('10.2b', 'tokens arrive one by one, and done makes the answer complete', async (t) => {
  const server = await scriptedAnswers(t)
  const asking = startAsking(t, server.url)
  const request = await server.request(NO_REQUEST)
  const tokens = ['Hel', 'lo', '\n wörld']
  for (const [n, token] of tokens.entries()) {
    request.send(tokenEvent(n + 1, token))
    await asking.mustHaveTokens(tokens.slice(0, n + 1))
  }
  must(!asking.hasReturned, {
    seen: 'Three tokens had arrived, and ask() returned, although the answer had not ended.',
    expected: 'Expected ask() to return after the last event of the answer.',
  })
  request.send(endEvent('done', { tokens: 3 }))
  await asking.mustBe({ name: 'complete' }, 'The event named done arrived', {
    late: 'your client waits for the end of the response, although the last event has arrived.',
  })
})

check('10.2c', 'an answer that ends without done is incomplete', async (t) => {
  for (const how of ['end', 'cut'] as const) {
    await askTruncated(t, truncations(how), {}, async (run) => {
      const { asking, requests, truncation, tokens, isDone } = run
      const where = describeTruncation(truncation)
      await asking.mustBe({ name: isDone ? 'complete' : 'incomplete' }, where, {
        late: 'your client waits for the end of the response, although the last event has arrived.',
        wrong: () =>
          !isDone && how === 'end' && requests.length === 1
            ? 'your client takes the end of the response for the end of the answer.'
            : undefined,
      })
      must(deepEqual(asking.tokens, tokens), {
        seen: `${where}, and onToken() had been called with ${excerptJson(asking.tokens)}.`,
        expected: `Expected ${excerptJson(tokens)}, because only these events had arrived as a whole.`,
      })
    })
  }
})

check('10.2d', 'your own abort disconnects and keeps the text so far', async (t) => {
  const server = await scriptedAnswers(t)
  for (const tokens of [[], ['Hel', 'lo']]) {
    const controller = new AbortController()
    const { signal } = controller
    const asking = startAsking(t, server.url, {
      signal,
      whenRejected: 'your client does not catch the error with which fetch() or the body rejects.',
    })
    const request = await server.request(NO_REQUEST)
    if (tokens.length > 0) {
      request.send(...tokens.map((token, n) => tokenEvent(n + 1, token)))
      await asking.mustHaveTokens(tokens)
    }
    t.transcript.step('the signal of ask() aborts')
    controller.abort()
    const when = tokens.length === 0 ? 'before the head arrived' : 'between two tokens'
    await asking.mustBe({ name: 'aborted' }, `The signal aborted ${when}`, {
      late: 'your client does not pass the signal to fetch().',
      wrong: 'your client treats its own abort like a lost connection.',
    })
    await t.waitFor(() => request.isClosed, {
      seen: `The signal aborted ${when}, and ask() returned, but the connection stayed open.`,
      expected:
        'Expected the abort to close the connection, because the server learns of it only in this way.',
      often: 'your client does not pass the signal to fetch().',
    })
  }
})

edgeCase('10.2e', 'everything after done is ignored', async (t) => {
  const server = await scriptedAnswers(t)
  const asking = startAsking(t, server.url)
  const request = await server.request(NO_REQUEST)
  request.send(
    tokenEvent(1, 'Hel'),
    endEvent('done', { tokens: 1 }),
    tokenEvent(2, 'late'),
    endEvent('error', { message: 'too late' }),
  )
  await asking.mustBe(
    { name: 'complete' },
    'The event named done arrived, and more events after it',
  )
  request.end()
  await turns(20)
  must(asking.tokens.length === 1, {
    seen: `A token arrived after the event named done, and onToken() was called with ${excerptJson(asking.tokens)}.`,
    expected: 'Expected your client to ignore everything after the event named done.',
  })
})

edgeCase('10.2f', 'comments and unknown events are ignored', async (t) => {
  const server = await scriptedAnswers(t)
  const asking = startAsking(t, server.url)
  const request = await server.request(NO_REQUEST)
  request.send(
    ':\n\n',
    'event: ping\ndata: {"type":"ping"}\n\n',
    tokenEvent(1, 'Hel'),
    'event: usage\ndata: 12\n\n',
    ': still here\n',
    tokenEvent(2, 'lo'),
    'event: end\ndata: ""\n\n',
  )
  await asking.mustHaveTokens(['Hel', 'lo'])
  request.send(endEvent('done', { tokens: 2 }))
  await asking.mustBe({ name: 'complete' }, 'Comments, unknown events and two tokens arrived')
})

edgeCase('10.2g', 'no token is passed on after your own abort', async (t) => {
  const server = await scriptedAnswers(t)
  const controller = new AbortController()
  const asking = startAsking(t, server.url, {
    signal: controller.signal,
    onToken: () => controller.abort(),
  })
  const request = await server.request(NO_REQUEST)
  request.send(tokenEvent(1, 'Hel'), tokenEvent(2, 'lo'), endEvent('done', { tokens: 2 }))
  const { name } = await asking.outcome('onToken() aborted the signal')
  must(name === 'aborted' && asking.tokens.length === 1, {
    seen: `onToken() aborted the signal during token 1. Then onToken() was called with ${excerptJson(asking.tokens)}, and ask() returned "${name}".`,
    expected: 'Expected no further token, and "aborted", even for events that had already arrived.',
  })
})

edgeCase(
  '10.2h',
  'an abort before the question, or with any reason, also returns aborted',
  async (t) => {
    const server = await scriptedAnswers(t)
    const early = startAsking(t, server.url, { signal: AbortSignal.abort() })
    await early.mustBe({ name: 'aborted' }, 'The signal had aborted before ask() was called')
    const controller = new AbortController()
    const asking = startAsking(t, server.url, { signal: controller.signal })
    const request = await server.request(NO_REQUEST)
    must(server.exchanges.length === 1, {
      seen: 'The signal had aborted before ask() was called, but ask() sent the question.',
      expected: 'Expected no request.',
    })
    request.send(tokenEvent(1, 'Hel'))
    await asking.mustHaveTokens(['Hel'])
    t.transcript.step('the signal aborts with the reason "tab closed"')
    controller.abort('tab closed')
    await asking.mustBe({ name: 'aborted' }, 'The signal aborted with the reason "tab closed"', {
      wrong:
        'your client looks for an AbortError, but fetch() rejects with the reason. Look at signal.aborted instead.',
    })
  },
)

edgeCase('10.2i', 'ask() returns failed for a token that is not a JSON string', async (t) => {
  const server = await scriptedAnswers(t)
  for (const data of ['lo', '{"text":"lo"}', 'null']) {
    const asking = startAsking(t, server.url, {
      whenRejected: 'your client does not catch the error of JSON.parse().',
    })
    const request = await server.request(NO_REQUEST)
    const bad = `id: 2\ndata: ${data}\n\n`
    request.send(tokenEvent(1, 'Hel'), bad, endEvent('done', { tokens: 2 }))
    const { text, ...outcome } = await asking.outcome('Token 2 was not a JSON string')
    const why = outcome.name === 'failed' ? outcome.why : ''
    must(typeof why === 'string' && why !== '' && text === 'Hel', {
      seen: `Token 2 arrived with the data ${excerpt(data)}, and ask() returned ${excerptJson({ ...outcome, text }, 90)}`,
      expected:
        'Expected "failed" with a reason in "why", and the text "Hel", because a token is missing.',
    })
  }
})

// 10.3 Errors before and after the head

check('10.3a', 'a generator that fails ends the answer with an event named error', async (t) => {
  const { begin } = await serveAnswer(t)
  const { reader, generator } = await begin()
  generator.release('Hel', 'lo')
  await reader.mustBeTokens(['Hel', 'lo'])
  generator.fail(generatorError('the model is overloaded'))
  const { data } = await reader.mustEnd('error', undefined, {
    late: 'your handler leaves the error to Express, which can only cut the connection after the head.',
    wrong:
      'your handler sends the end after the loop or in a finally block, even if the generator has failed.',
  })
  mustHaveMessage(data)
})

check(
  '10.3b',
  'a failure before the first token gets 500, and the key can be used again',
  async (t) => {
    const { begin } = await serveAnswer(t)
    const first = await begin()
    const { client } = first.reader
    await turns(20)
    const isHeadFirst = client.hasHead
    first.generator.fail(generatorError('the model is overloaded'))
    const { status, headers } = await client.head({
      seen: 'The generator failed before its first token, and the question got no answer.',
      expected: 'Expected status 500.',
    })
    must(status === 500, {
      seen: `The generator failed before its first token, and the question was answered with status ${status}.`,
      expected: 'Expected status 500, because nothing has been sent yet.',
      ...(status === 200 && {
        often: isHeadFirst
          ? 'your handler sends the head before the first token. Send them together.'
          : 'your handler sends an event named error although it has not sent the head.',
      }),
    })
    await client.ended({
      seen: 'The question got status 500, but the response stayed open.',
      expected: 'Expected the response to end.',
    })
    const type = headers.get('content-type') ?? ''
    must(/^application\/problem\+json\s*(;|$)/i.test(type), {
      seen: `The question got status 500 with the Content-Type ${type || '(none)'}.`,
      expected: 'Expected application/problem+json, as sendProblem() sends it.',
    })
    const again = await begin(
      {},
      'your server keeps the failed answer. The client may ask again with the same Idempotency-Key.',
    )
    again.generator.release('Hel')
    await again.reader.mustBeToken(1, 'Hel')
  },
)

check('10.3c', 'ask() returns failed for an event named error, with its message', async (t) => {
  const server = await scriptedAnswers(t)
  const asking = startAsking(t, server.url)
  const request = await server.request(NO_REQUEST)
  request.send(tokenEvent(1, 'Hel'), endEvent('error', { message: 'the model is overloaded' }))
  request.end()
  await asking.mustBe(
    { name: 'failed', why: 'the model is overloaded' },
    'The event named error arrived',
  )
})

check(
  '10.3d',
  'ask() returns failed for a refused question, with the detail of the problem',
  async (t) => {
    const server = await scriptedAnswers(t)
    for (const status of [400, 422, 500]) {
      const asking = startAsking(t, server.url)
      const request = await server.request(NO_REQUEST)
      const detail = `detail ${status}`
      request.refuse(status, JSON.stringify({ type: 'about:blank', title: 'no', status, detail }))
      await asking.mustBe(
        { name: 'failed', why: detail },
        `The question was answered with status ${status}`,
        {
          wrong:
            'your client does not look at the status, and fetch() does not reject because of one.',
        },
      )
    }
  },
)

edgeCase(
  '10.3e',
  'ask() returns failed for a refusal without a detail, with the status',
  async (t) => {
    const server = await scriptedAnswers(t)
    for (const [body, type] of [
      ['<h1>Bad gateway</h1>', 'text/html'],
      ['', 'application/problem+json'],
      ['{"title":"no"}', 'application/problem+json'],
      ['null', 'application/json'],
    ] as const) {
      const asking = startAsking(t, server.url, {
        whenRejected: 'your client does not expect a body that is not JSON.',
      })
      const request = await server.request(NO_REQUEST)
      request.refuse(502, body, type)
      const outcome = await asking.outcome('The question was answered with status 502')
      const why = outcome.name === 'failed' ? outcome.why : undefined
      must(typeof why === 'string' && why.includes('502'), {
        seen: `The question was answered with status 502 and the body ${excerptJson(body)}, and ask() returned ${excerptJson(outcome, 90)}`,
        expected: 'Expected "failed", and the status in "why".',
      })
    }
  },
)

edgeCase('10.3f', 'whatever a generator throws, the answer ends with an error', async (t) => {
  const { begin } = await serveAnswer(t)
  for (const [n, thrown] of ['overloaded', undefined, { code: 529 }].entries()) {
    const { reader, generator } = await begin({ key: `a${n}` })
    generator.release('Hel')
    await reader.mustBeToken(1, 'Hel')
    generator.fail(thrown)
    const { data } = await reader.mustEnd('error', undefined)
    mustHaveMessage(data)
  }
})

edgeCase('10.3g', 'a heartbeat does not send the head', async (t) => {
  const timers = t.controlTimers()
  const { begin } = await serveAnswer(t)
  const { reader, generator } = await begin()
  t.transcript.step('heartbeatMs pass before the first token')
  timers.runPending()
  generator.fail(generatorError('the model is overloaded'))
  const { status } = await reader.client.head({
    seen: 'The generator failed before its first token, and the question got no answer.',
    expected: 'Expected status 500.',
  })
  must(status === 500, {
    seen: `The first token took longer than heartbeatMs, then the generator failed, and the status was ${status}.`,
    expected:
      'Expected status 500, because a heartbeat before the first token would send the head.',
  })
})

// 10.4 A disconnect reaches the generator

check('10.4a', 'a disconnect before the first token stops the generator', async (t) => {
  const { begin, leave } = await serveAnswer(t)
  const { reader, generator } = await begin()
  await turns(20)
  must(!generator.aborted, {
    seen: 'The client was waiting for the first token, and the signal of the generator aborted.',
    expected: 'Expected the signal to abort only after the client has disconnected.',
  })
  await leave(reader)
  await mustBeAborted(t, generator, 'The client disconnected before the first token')
})

check('10.4b', 'a disconnect between two tokens stops the generator', async (t) => {
  const { begin, leave } = await serveAnswer(t)
  const { reader, generator } = await begin()
  generator.release('Hel')
  await reader.mustBeToken(1, 'Hel')
  await leave(reader)
  await mustBeAborted(
    t,
    generator,
    'The client disconnected after the first token, while the generator was waiting for the second',
    'your handler notices a disconnect only when the next token arrives, or calls return(), which waits for the next token.',
  )
  const { pulls } = generator
  const next = await begin({ key: 'b' })
  next.generator.release('Hi')
  await next.reader.mustBeToken(1, 'Hi')
  next.generator.finish()
  await next.reader.mustEnd('done', { tokens: 1 })
  must(generator.pulls === pulls, {
    seen: `After the client had disconnected, your handler asked the generator for ${counted(generator.pulls - pulls, 'more token')}.`,
    expected: 'Expected no further token, because each one costs money.',
  })
})

edgeCase('10.4c', 'a disconnect while the response is full stops the generator', async (t) => {
  const { begin, leave, server } = await serveAnswer(t)
  const { reader, generator } = await begin()
  generator.release('Hel')
  await reader.mustBeToken(1, 'Hel')
  server.blockNetwork()
  generator.release(...Array.from({ length: 40 }, () => 'x'.repeat(80_000)))
  await t.waitFor(() => generator.pulls >= 3, {
    seen: 'The client stopped reading, and your handler asked for no further token.',
    expected:
      'Expected your handler to ask for a few tokens, because the response has room for them.',
  })
  await turns(20)
  await leave(reader)
  await mustBeAborted(
    t,
    generator,
    'The client disconnected while the response was full',
    "your handler waits for 'drain', which never fires after a disconnect.",
  )
})

edgeCase('10.4d', 'clients that disconnect leave no timer', async (t) => {
  const keepMs = 54_321
  const timers = t.trackTimers()
  const { begin, leave, server } = await serveAnswer(t, { options: { keepMs } })
  const kept = (): number => timers.delays().filter((ms) => ms !== keepMs).length
  let mayStay: number | undefined
  const places = ['before the head', 'after a token', 'while the response is full', 'after the end']
  for (let round = 0; round < sampleSize(4) + 1; round += 1) {
    for (const [n, place] of places.entries()) {
      const { reader, generator } = await begin({ key: `${round}.${n}` })
      if (n > 0) {
        generator.release('Hel')
        await reader.mustBeToken(1, 'Hel')
      }
      if (n === 2) {
        server.blockNetwork(SILENT)
        generator.release(...Array.from({ length: 8 }, () => 'x'.repeat(80_000)))
        await t.waitFor(() => generator.pulls >= 3, {
          seen: `The client left ${place}, and your handler asked for no further token.`,
          expected: 'Expected your handler to ask for a few tokens.',
        })
      }
      if (n === 3) {
        generator.finish()
        await reader.mustEnd('done', { tokens: 1 })
      }
      await leave(reader)
      server.unblockNetwork(SILENT)
    }
    await turns(20)
    mayStay ??= kept()
  }
  await t.waitFor(() => kept() <= mayStay!, {
    seen: () =>
      `Clients disconnected before the head, after a token, while the response was full, and after the end. Then ${counted(kept() - mayStay!, 'timer')} were left.`,
    expected:
      'Expected no timer to be left, except for the one that forgets an answer after keepMs.',
    often: 'your handler does not call clearInterval() on every path.',
  })
})

edgeCase('10.4e', 'a generator may return or not notice when its signal aborts', async (t) => {
  for (const onAbort of ['returns', 'ignores'] as const) {
    const { begin, leave } = await serveAnswer(t, { onAbort })
    const { reader, generator } = await begin()
    generator.release('Hel')
    await reader.mustBeToken(1, 'Hel')
    await leave(reader)
    await t.waitFor(() => generator.aborted, {
      seen: 'The client disconnected, but the signal did not abort.',
      expected: 'Expected the signal to abort.',
    })
    if (onAbort === 'ignores') generator.release('lo', ' world')
    await t.waitFor(() => generator.isClosed, {
      seen: 'The generator did not notice that its signal had aborted, and generated two more tokens. Your handler asked for more.',
      expected:
        'Expected your handler to leave its loop at the next token, which ends the generator.',
    })
    const next = await begin({ key: 'b' })
    next.generator.release('Hi')
    await next.reader.mustBeToken(1, 'Hi')
  }
})

// 10.5 A stop is not a disconnect

check('10.5a', 'the same question with the same key gets the same answer', async (t) => {
  const { begin, ask, generators } = await serveAnswer(t)
  const { reader: first, generator } = await begin({ name: 'first client' })
  generator.release('Hel', 'lo')
  await first.mustBeTokens(['Hel', 'lo'])
  const second = ask({ name: 'second client' })
  await second.mustBeTokens(['Hel', 'lo'], { late: askedTwice })
  generator.release(' world')
  await first.mustBeToken(3, ' world')
  await second.mustBeToken(3, ' world')
  generator.finish()
  await first.mustEnd('done', { tokens: 3 })
  await second.mustEnd('done', { tokens: 3 })
  const third = ask({ name: 'third client' })
  await third.mustBeTokens(['Hel', 'lo', ' world'], { late: askedTwice })
  await third.mustEnd('done', { tokens: 3 })
  must(generators.length === 1, {
    seen: `Three requests had the same Idempotency-Key and question, and your handler asked ${counted(generators.length, 'generator')}.`,
    expected: 'Expected one generator, because each one costs money.',
  })

  function askedTwice(): string | undefined {
    return generators.length > 1
      ? 'your handler asks the generator for each request, not for each Idempotency-Key.'
      : undefined
  }
})

check(
  '10.5b',
  'GET returns the tokens after a cursor, even after the end of the answer',
  async (t) => {
    const { begin, fetch } = await serveAnswer(t)
    const { reader, generator } = await begin()
    generator.release('Hel', 'lo')
    await reader.mustBeTokens(['Hel', 'lo'])
    const whole = fetch('a', { name: 'client without a cursor' })
    await whole.mustBeTokens(['Hel', 'lo'])
    const rest = fetch('a', { lastEventId: '1', name: 'client with a cursor' })
    await rest.mustBeToken(2, 'lo')
    generator.release(' world')
    await rest.mustBeToken(3, ' world')
    await whole.mustBeToken(3, ' world')
    generator.finish()
    await rest.mustEnd('done', { tokens: 3 })
    await whole.mustEnd('done', { tokens: 3 })
    const late = fetch('a', { lastEventId: '2', name: 'late client' })
    await late.mustBeToken(3, ' world')
    await late.mustEnd('done', { tokens: 3 })
    const last = fetch('a', { lastEventId: '3', name: 'client that has every token' })
    await last.mustEnd('done', { tokens: 3 })
  },
)

check('10.5c', 'a stop ends the generator and keeps the text so far', async (t) => {
  const { begin, fetch, stop: stopAnswer } = await serveAnswer(t)
  const { reader, generator } = await begin()
  generator.release('Hel', 'lo')
  await reader.mustBeTokens(['Hel', 'lo'])
  await stopAnswer('a')
  await mustBeAborted(
    t,
    generator,
    'The answer was stopped',
    'your handler ends the responses, but does not abort the signal.',
  )
  await reader.mustEnd('stopped', { tokens: 2 })
  const later = fetch('a', { name: 'later client' })
  await later.mustBeTokens(['Hel', 'lo'])
  await later.mustEnd('stopped', { tokens: 2 })
})

check('10.5d', 'a late stop does not end the next answer', async (t) => {
  const { begin, stop: stopAnswer } = await serveAnswer(t)
  const old = await begin({ key: 'old', name: 'client A' })
  old.generator.release('Hel')
  await old.reader.mustBeToken(1, 'Hel')
  old.generator.finish()
  await old.reader.mustEnd('done', { tokens: 1 })
  const next = await begin({ key: 'new', name: 'client B' })
  next.generator.release('Hi')
  await next.reader.mustBeToken(1, 'Hi')
  await stopAnswer('old')
  next.generator.release(' there')
  await next.reader.mustBeToken(2, ' there', {
    wrong:
      'your server stops the answer that is running, instead of the one that the request names.',
  })
  next.generator.finish()
  await next.reader.mustEnd('done', { tokens: 2 })
})

check('10.5e', 'with resumeMs, an answer goes on without a reader', async (t) => {
  const { begin, leave, fetch } = await serveAnswer(t, { options: { resumeMs: 60_000 } })
  const { reader, generator } = await begin()
  generator.release('Hel')
  await reader.mustBeToken(1, 'Hel')
  await leave(reader)
  await turns(20)
  must(!generator.aborted, {
    seen: 'resumeMs was 60000, the client disconnected, and the signal of the generator aborted at once.',
    expected: 'Expected the answer to go on, because the client may come back.',
  })
  generator.release('lo')
  const again = fetch('a', { lastEventId: '1', name: 'returning client' })
  await again.mustBeToken(2, 'lo')
  generator.finish()
  await again.mustEnd('done', { tokens: 2 })
})

check(
  '10.5f',
  'stop() posts to the address of the answer, and waits for the confirmation',
  async (t) => {
    const server = await scriptedAnswers(t)
    let isConfirmed = false
    t.transcript.step('client stops the answer a b/c')
    const stopping = stop(server.url, 'a b/c').then(
      () => void (isConfirmed = true),
      (error: unknown) => t.abort(error),
    )
    const request = await server.request({
      seen: 'stop() was called, but no request reached the server.',
      expected: `Expected POST ${ANSWERS}/a%20b%2Fc/stop.`,
    })
    must(request.method === 'POST' && request.path === `${ANSWERS}/a%20b%2Fc/stop`, {
      seen: `stop() sent ${request.method} ${request.path}.`,
      expected: `Expected POST ${ANSWERS}/a%20b%2Fc/stop.`,
      ...(request.method === 'POST' && {
        often: 'your client does not encode the name with encodeURIComponent().',
      }),
    })
    await turns(20)
    must(!isConfirmed, {
      seen: 'The server had not answered yet, and stop() resolved.',
      expected: 'Expected stop() to resolve after the server has confirmed it.',
    })
    request.refuse(204, '')
    await t.withTimeout(stopping, {
      seen: 'The server answered 204, but stop() did not resolve.',
      expected: 'Expected stop() to resolve.',
    })
  },
)

edgeCase('10.5g', 'a key that belongs to another question gets 422', async (t) => {
  const { begin, refuses, generators } = await serveAnswer(t)
  const { reader, generator } = await begin()
  generator.release('Hel')
  await reader.mustBeToken(1, 'Hel')
  await refuses(422, `POST ${ANSWERS} with another question and the same Idempotency-Key`, {
    key: 'a',
    body: JSON.stringify({ question: 'When?' }),
  })
  must(generators.length === 1, {
    seen: 'The second question got 422, but your handler asked the generator.',
    expected: 'Expected a refused request to ask nothing.',
  })
  generator.release('lo')
  await reader.mustBeToken(2, 'lo')
})

edgeCase('10.5h', 'an answer stops when it has had no reader for resumeMs', async (t) => {
  const { begin, leave, fetch } = await serveAnswer(t, { options: { resumeMs: 5 } })
  const { reader, generator } = await begin()
  generator.release('Hel')
  await reader.mustBeToken(1, 'Hel')
  await leave(reader)
  await mustBeAborted(
    t,
    generator,
    'resumeMs was 5, and the client disconnected and did not come back',
    'your server never stops an answer that has no reader.',
  )
  const late = fetch('a', { name: 'late client' })
  await late.mustBeToken(1, 'Hel')
  await late.mustEnd('stopped', { tokens: 1 })
})

edgeCase('10.5i', 'a reader that comes back in time keeps the answer going', async (t) => {
  const resumeMs = 43_210
  const timers = t.controlTimers()
  const { begin, leave, fetch } = await serveAnswer(t, { options: { resumeMs } })
  const { reader, generator } = await begin()
  generator.release('Hel')
  await reader.mustBeToken(1, 'Hel')
  await leave(reader)
  const again = fetch('a', { lastEventId: '1', name: 'returning client' })
  generator.release('lo')
  await again.mustBeToken(2, 'lo')
  timers.runPending(resumeMs)
  t.transcript.step('resumeMs have passed since the disconnect')
  generator.release(' world')
  await again.mustBeToken(3, ' world', {
    wrong: 'your server does not clear the timer when a reader comes back.',
  })
})

edgeCase('10.5j', 'only the last reader that disconnects stops the answer', async (t) => {
  const { begin, ask, leave } = await serveAnswer(t)
  const { reader: first, generator } = await begin({ name: 'first client' })
  generator.release('Hel')
  await first.mustBeToken(1, 'Hel')
  const second = ask({ name: 'second client' })
  await second.mustBeToken(1, 'Hel')
  await leave(first)
  generator.release('lo')
  await second.mustBeToken(2, 'lo', {
    wrong: 'your server stops the answer although it has another reader.',
  })
  await leave(second)
  await mustBeAborted(t, generator, 'Both clients disconnected')
})

edgeCase('10.5k', 'a second stop, or a stop after the end, changes nothing', async (t) => {
  const { begin, fetch, leave, stop: stopAnswer } = await serveAnswer(t)
  const done = await begin({ key: 'done' })
  done.generator.release('Hel')
  await done.reader.mustBeToken(1, 'Hel')
  done.generator.finish()
  await done.reader.mustEnd('done', { tokens: 1 })
  await leave(done.reader)
  await stopAnswer('done')
  const later = fetch('done')
  await later.mustBeToken(1, 'Hel')
  await later.mustEnd(
    'done',
    { tokens: 1 },
    { wrong: 'a disconnect or a stop after the end changes how the answer ended.' },
  )
  const stopped = await begin({ key: 'stopped' })
  stopped.generator.release('Hi')
  await stopped.reader.mustBeToken(1, 'Hi')
  await stopAnswer('stopped')
  await stopAnswer('stopped')
  await stopped.reader.mustEnd('stopped', { tokens: 1 })
})

edgeCase('10.5l', 'a stop before the first token ends the answer with stopped', async (t) => {
  const { begin, stop: stopAnswer } = await serveAnswer(t)
  const { reader, generator } = await begin()
  await stopAnswer('a')
  await reader.mustEnd('stopped', { tokens: 0 })
  await mustBeAborted(t, generator, 'The answer was stopped before its first token')
})

edgeCase('10.5m', 'unknown keys get 404, and unknown cursors get 400', async (t) => {
  const { begin, refuses } = await serveAnswer(t)
  const { reader, generator } = await begin()
  generator.release('Hel', 'lo')
  await reader.mustBeTokens(['Hel', 'lo'])
  for (const [method, path] of [
    ['GET', `${ANSWERS}/b`],
    ['POST', `${ANSWERS}/b/stop`],
    ['GET', `${ANSWERS}/constructor`],
  ] as const) {
    await refuses(404, `${method} ${path}`, { method, path })
  }
  for (const lastEventId of ['3', '0', '-1', '1.5', '1e0', '01', 'abc']) {
    await refuses(
      400,
      `GET ${ANSWERS}/a with Last-Event-ID: ${lastEventId}, after tokens 1 and 2,`,
      { method: 'GET', path: `${ANSWERS}/a`, lastEventId },
    )
  }
  generator.release(' world')
  await reader.mustBeToken(3, ' world')
})

edgeCase('10.5n', 'an answer is forgotten keepMs after its end', async (t) => {
  const { begin, server } = await serveAnswer(t, { options: { keepMs: 5 } })
  const { reader, generator } = await begin()
  generator.release('Hel')
  await reader.mustBeToken(1, 'Hel')
  generator.finish()
  await reader.mustEnd('done', { tokens: 1 })
  const path = `${ANSWERS}/a`
  const quiet = { method: 'GET', path, transcript: SILENT }
  const untilForgotten = async (): Promise<void> => {
    while ((await sendRequest(t, server, quiet)).status !== 404) await turns(20)
  }
  await t.withTimeout(untilForgotten(), {
    seen: `keepMs was 5, and the answer ended, but two seconds later GET ${path} still returned it.`,
    expected: 'Expected 404, because a server that forgets nothing runs out of memory.',
  })
  t.transcript.step(`GET ${path} was answered with status 404`)
  const again = await begin()
  again.generator.release('Hi')
  await again.reader.mustBeToken(1, 'Hi')
})

edgeCase('10.5o', 'the Location of every valid key leads to its answer', async (t) => {
  const { begin, server } = await serveAnswer(t)
  for (const key of ['a b/c', '"8e03978e"', '100%', '?q=1#x']) {
    const { reader, generator } = await begin({ key })
    generator.release('Hel')
    const { headers } = await reader.head()
    const path = headers.get('location') ?? ''
    const client = t.connect(server, 'client at the Location')
    client.request(path)
    const { status } = await client.head({
      seen: `The Location of the answer named ${key} was ${path}, and a GET got no answer.`,
      expected: 'Expected the answer.',
    })
    must(status === 200, {
      seen: `The Location of the answer named ${key} was ${path}, and a GET was answered with status ${status}.`,
      expected: 'Expected the answer, with status 200.',
      often: 'your handler does not encode the name. Use encodeURIComponent().',
    })
    await new AnswerReader(t, client).mustBeToken(1, 'Hel')
  }
})

edgeCase('10.5p', 'after a stop, no token of a generator that goes on is sent', async (t) => {
  const { begin, fetch, stop: stopAnswer } = await serveAnswer(t, { onAbort: 'ignores' })
  const { reader, generator } = await begin()
  generator.release('Hel')
  await reader.mustBeToken(1, 'Hel')
  await stopAnswer('a')
  await reader.mustEnd(
    'stopped',
    { tokens: 1 },
    { late: 'your server waits for the generator, which has not noticed the abort.' },
  )
  generator.release('late')
  await t.waitFor(() => generator.isClosed, {
    seen: 'The answer was stopped. Its generator had not noticed, and generated another token, and your handler did not leave its loop.',
    expected: 'Expected your handler to leave its loop.',
  })
  const later = fetch('a', { name: 'later client' })
  await later.mustBeToken(1, 'Hel')
  await later.mustEnd('stopped', { tokens: 1 })
})

edgeCase(
  '10.5q',
  'a reader that disconnects before your handler runs does not count',
  async (t) => {
    const login = gate()
    const { begin, fetch, leave } = await serveAnswer(t, { before: login.handler })
    const { reader, generator } = await begin({ name: 'first client' })
    generator.release('Hel')
    await reader.mustBeToken(1, 'Hel')
    login.shut()
    const gone = fetch('a', { name: 'impatient client' })
    await t.waitFor(() => login.waiting > 0, {
      seen: 'The request did not reach the login.',
      expected: 'Expected the request to arrive.',
    })
    await leave(gone)
    login.open()
    t.transcript.step('only now, the request of the impatient client reaches your handler')
    await turns(20)
    await leave(reader)
    await mustBeAborted(
      t,
      generator,
      'A second client disconnected before your handler was called, and then the first client disconnected',
      "'close' fired before your handler listened, and it does not fire again. Look at res.destroyed.",
    )
  },
)

// 10.6 Resume without asking twice

check('10.6a', 'a truncated answer continues with a GET after the last token', async (t) => {
  for (const how of ['cut', 'end'] as const) {
    await askTruncated(t, truncations(how), { id: 'a', resumes: 1 }, mustResume)
  }
})

check('10.6b', 'ask() sends each question only once', async (t) => {
  const server = await scriptedAnswers(t)
  const endings: [what: string, name: string, resumes: number, end: (request: Exchange) => void][] =
    [
      ['The connection was cut', 'incomplete', 0, (request) => request.cut()],
      [
        'The event named error arrived',
        'failed',
        2,
        (request) => {
          request.send(endEvent('error', { message: 'overloaded' }))
          request.end()
        },
      ],
      [
        'The event named stopped arrived',
        'stopped',
        2,
        (request) => {
          request.send(endEvent('stopped', { tokens: 1 }))
          request.end()
        },
      ],
    ]
  for (const [what, name, resumes, end] of endings) {
    const before = server.exchanges.length
    const asking = startAsking(t, server.url, { id: name, resumes })
    const request = await posted(server.request(NO_REQUEST))
    request.send(tokenEvent(1, 'Hel'))
    await asking.mustHaveTokens(['Hel'])
    end(request)
    await mustSendNoMore(
      t,
      server,
      asking,
      before + 1,
      `${what}, with the option resumes: ${resumes}`,
    )
    const outcome = await asking.outcome(what)
    must(outcome.name === name, {
      seen: `${what}, and ask() returned ${excerptJson(outcome, 90)}`,
      expected: `Expected the outcome "${name}".`,
    })
  }
  const before = server.exchanges.length
  const refused = startAsking(t, server.url, { id: 'refused', resumes: 2 })
  const request = await posted(server.request(NO_REQUEST))
  request.refuse(503, '{"detail":"busy"}')
  await mustSendNoMore(t, server, refused, before + 1, 'The question was refused with status 503')
  await refused.mustBe({ name: 'failed', why: 'busy' }, 'The question was refused with status 503')
})

edgeCase(
  '10.6c',
  'ask() gives up after `resumes` responses in a row without a new token',
  async (t) => {
    const server = await scriptedAnswers(t)
    const asking = startAsking(t, server.url, { id: 'a', resumes: 2 })
    const request = await server.request(NO_REQUEST)
    request.send(tokenEvent(1, 'Hel'))
    await asking.mustHaveTokens(['Hel'])
    request.cut()
    const first = await resumed(server.request(notResumed(1)), '1')
    first.end()
    const second = await resumed(server.request(notResumed(2)), '1')
    second.send(tokenEvent(2, 'lo'))
    await asking.mustHaveTokens(['Hel', 'lo'])
    second.cut()
    for (const n of [3, 4]) {
      const again = await resumed(server.request(notResumed(n)), '2')
      again.end()
    }
    const when = 'resumes was 2, and two responses in a row ended without a new token'
    await mustSendNoMore(t, server, asking, 5, when, 'your client never gives up.')
    await asking.mustBe({ name: 'incomplete' }, when)
  },
)

edgeCase(
  '10.6d',
  'ask() returns incomplete for an answer that the server no longer has',
  async (t) => {
    const server = await scriptedAnswers(t)
    const asking = startAsking(t, server.url, { id: 'a', resumes: 3 })
    const request = await server.request(NO_REQUEST)
    request.send(tokenEvent(1, 'Hel'))
    await asking.mustHaveTokens(['Hel'])
    request.cut()
    const again = await resumed(server.request(notResumed(1)), '1')
    again.refuse(404, '{"detail":"unknown"}')
    const when = 'The answer was cut, and GET was answered with status 404'
    await mustSendNoMore(t, server, asking, 2, when)
    await asking.mustBe({ name: 'incomplete' }, when)
  },
)

edgeCase('10.6e', 'the name of the answer is encoded in its address', async (t) => {
  const server = await scriptedAnswers(t)
  startAsking(t, server.url, { id: 'a b/c', resumes: 1 })
  const request = await server.request(NO_REQUEST)
  request.cut()
  const { path } = await server.request(notResumed(1))
  must(path === `${ANSWERS}/a%20b%2Fc`, {
    seen: `The name of the answer was "a b/c", and ask() sent GET ${path}.`,
    expected: `Expected GET ${ANSWERS}/a%20b%2Fc.`,
  })
})

edgeCase('10.6f', 'ask() returns aborted for an abort while it is resuming', async (t) => {
  const server = await scriptedAnswers(t)
  const controller = new AbortController()
  const asking = startAsking(t, server.url, { id: 'a', signal: controller.signal, resumes: 3 })
  const request = await server.request(NO_REQUEST)
  request.send(tokenEvent(1, 'Hel'))
  await asking.mustHaveTokens(['Hel'])
  request.cut()
  const again = await server.request(notResumed(1))
  t.transcript.step('the signal of ask() aborts')
  controller.abort()
  await asking.mustBe(
    { name: 'aborted' },
    'The signal aborted while ask() was waiting for the rest',
    { late: 'your client passes the signal only to the first request.' },
  )
  await t.waitFor(() => again.isClosed, {
    seen: 'ask() returned "aborted", but the connection stayed open.',
    expected: 'Expected the abort to close the connection.',
  })
  await mustSendNoMore(t, server, asking, 2, 'The signal aborted')
})

// 10.7 Tokens in React

check('10.7a', 'a question is asked once, and each token is shown as it arrives', async (t) => {
  const { server, ask, asker, shows, is } = await askingPage(t, {
    strict: true,
    whenStopped: 'goes on',
  })
  const answer = await ask('Why?')
  await roundTrips(server.url)
  must(server.answers.length === 1, {
    seen: `A component under StrictMode called ask() once, and the server got ${server.answers.length} questions.`,
    expected: 'Expected one question, because every question costs money.',
    often:
      'your hook sends the request in an effect, or in a function that it passes to setState(). StrictMode runs both of them twice.',
  })
  await is('answering')
  let text = ''
  // One token ends with a space, one begins with a space, and one is a line feed.
  for (const token of ['The ', 'plates', ' move', '\n', 'slowly.']) {
    text += token
    answer.send(token)
    await shows(text, () => ({
      often:
        asker.text !== ''
          ? 'your store waits for a frame only once. When a frame has been drawn, the next token must request another one.'
          : asker.now.text.getSnapshot() === text
            ? 'your store does not call its listeners, or <AnswerText> does not subscribe to the store.'
            : 'your hook passes no onToken to ask(), or it shows the text only after ask() has resolved.',
    }))
  }
  answer.done()
  await is('complete', {
    seen: () =>
      `The answer has ended with the event named "done", but the state is "${asker.now.state.name}".`,
    expected: 'Expected the name of the state to be the name of the outcome, "complete".',
  })
  const { state, text: store } = asker.now
  must('question' in state && state.question === 'Why?', {
    seen: 'The answer is complete, but its state has another question, or no question.',
    expected: 'Expected the state to have the question that was passed to ask().',
  })
  must(store.getSnapshot() === text && sameText(asker.text, text), {
    seen: `The answer ${JSON.stringify(text)} is complete, but now the text is ${JSON.stringify(store.getSnapshot())}.`,
    expected: 'Expected the text to stay the same when the answer ends.',
  })
})

check('10.7b', 'tokens render only <AnswerText>, and at most once per frame', async (t) => {
  // Too many tokens are sent to list each of them in the transcript.
  const silent = { ...t, transcript: SILENT }
  const { page, ask, asker, is } = await askingPage(silent, { exclusive: true })
  const frames = holdFrames(t)
  const answer = await ask('Why?')
  await is('answering')
  const before = { renders: asker.renders, commits: asker.commits }
  const mustNotRender = (): void => {
    const renders = asker.renders - before.renders
    must(renders === 0, {
      seen: `${TOKENS} tokens arrived, and the component that calls useAnswer() rendered ${times(renders)}.`,
      expected: 'Expected only <AnswerText> to render, because the state has not changed.',
      often:
        'your hook keeps the text in a state, or it subscribes to the text. Keep the text in a store, to which only <AnswerText> subscribes.',
    })
  }
  const delays = t.recordTimerDelays()
  const start = performance.now()
  const text = Array.from({ length: TOKENS }, (_, n) => ` ${n}`)
  t.transcript.step(`the answer sends ${TOKENS} tokens one after another, before the next frame`)
  for (const token of text) {
    answer.send(token)
    await turns(TURNS_OF_A_TOKEN)
  }
  mustNotRender()
  // A timer of about a frame is as good, so the code may render once in that time. It may also show the first token at once.
  const isTimed = delays.ms.some((ms) => ms >= 10 && ms <= 100)
  const most = 1 + (isTimed ? (performance.now() - start) / 10 : 0)
  const commits = asker.commits - before.commits
  must(commits <= most, {
    seen: `${TOKENS} tokens arrived within one frame, and <AnswerText> rendered ${times(commits)}.`,
    expected: 'Expected one render, because the screen shows only one state per frame.',
    often:
      'your store calls its listeners for each token. Call them in requestAnimationFrame(), once for all tokens since the last frame.',
  })
  const isShown = (): boolean => {
    frames.draw()
    return sameText(asker.text, text.join(''))
  }
  await page.waitFor(isShown, {
    seen: `${TOKENS} tokens arrived and frames were drawn, but the page does not show all of the tokens.`,
    expected: 'Expected the first frame to show all tokens that had arrived.',
  })
  mustNotRender()
})

/** More tokens than a page could show in one frame. */
const TOKENS = 50

/** Enough turns of the event loop for a token to reach the page, and for React to render it. */
const TURNS_OF_A_TOKEN = 5

check('10.7c', 'when an answer ends, the page shows all of its tokens', async (t) => {
  const { ask, asker, is, shows } = await askingPage(t)
  const tokens = Array.from({ length: BURST }, (_, n) => ` ${n}`)
  const text = tokens.join('')
  const answer = await ask('Why?')
  answer.done(...tokens)
  await is('complete')
  const kept = asker.now.text.getSnapshot()
  must(kept === text, {
    seen: `${BURST} tokens and the event named "done" arrived at once. The state is "complete", but the text of useAnswer() lacks some of the tokens.`,
    expected: 'Expected the text to have every token when the state is "complete".',
    often: 'your hook discards the tokens that wait for the next frame.',
  })
  await shows(text, () => ({
    seen: `${BURST} tokens and the event named "done" arrived at once. The text of useAnswer() has every token, but <AnswerText> does not show all of them.`,
    expected: 'Expected <AnswerText> to show every token.',
    often:
      'your store cancels the frame at the end of the answer, and does not call its listeners.',
  }))
})

const BURST = 1000

check('10.7d', 'stop() stops the running answer by its name and keeps its text', async (t) => {
  const { server, ask, asker, shows, is, isToldToStop } = await askingPage(t)
  const answer = await ask('Why?')
  answer.send('The', ' plates')
  await shows('The plates')
  t.transcript.step('stop()')
  asker.now.stop()
  await isToldToStop({
    seen: () =>
      `A component called stop()${answer.isOpen ? '' : ' and disconnected'}, but the server got no request to stop the answer.`,
    expected: 'Expected a POST to /answers/KEY/stop with the key of the running answer.',
    ...(!answer.isOpen && {
      often:
        'your stop() only aborts the request. The server cannot tell that from a lost connection.',
    }),
  })
  must(server.stops[0] === answer.key, {
    seen: 'A component called stop(), and the server got a request to stop an answer that does not exist.',
    expected: 'Expected the Idempotency-Key of the running question as the name.',
    often: 'your hook does not pass the same id to ask() and to stop().',
  })
  await is('stopped', () => ({
    seen: `The answer was stopped, but the state is ${JSON.stringify(asker.now.state)}.`,
    expected: 'Expected the name of the state to be "stopped".',
    often:
      asker.now.state.name === 'complete'
        ? 'your hook shows every end as "complete". Show the name of the outcome.'
        : asker.now.state.name === 'answering'
          ? 'your hook does not show the outcome of ask().'
          : 'your hook aborts its own request, and shows the outcome of that.',
  }))
  const wrong = asker.states.filter((name) => !['idle', 'answering', 'stopped'].includes(name))
  must(wrong.length === 0, {
    seen: `The answer was stopped, and the state was "${wrong[0]}" before it was "stopped".`,
    expected: 'Expected the state to change from "answering" to "stopped".',
  })
  await shows('The plates', () => ({
    seen: `The answer "The plates" was stopped, and now <AnswerText> shows ${JSON.stringify(asker.text)}.`,
    expected: 'Expected <AnswerText> to keep the text that has arrived.',
  }))
})

check(
  '10.7e',
  'a new question stops the running answer, whose late tokens do not appear',
  async (t) => {
    const { server, ask, asker, shows, is, isToldToStop } = await askingPage(t, {
      whenStopped: 'goes on',
    })
    const first = await ask('Why?')
    first.send('Because')
    await shows('Because')
    const second = await ask('When?')
    await isToldToStop({
      seen: 'A new question was asked while an answer was running, but the server got no request to stop that answer.',
      expected: 'Expected a POST to /answers/KEY/stop with the key of the previous question.',
      often: first.isOpen
        ? 'your ask() does not stop the running answer.'
        : 'your ask() only aborts the previous request. The server cannot tell that from a lost connection.',
    })
    must(
      server.stops.every((key) => key === first.key),
      {
        seen: `A second question was asked, and the server got a request to stop ${inWords(
          server.answers,
          server.stops.find((key) => key !== first.key)!,
        )}.`,
        expected: 'Expected a request to stop only answer 1.',
        often:
          'your hook stops the answer with the new id. Stop the old one before you replace its id.',
      },
    )
    await shows('', () => ({
      seen: `A second question was asked, but <AnswerText> still shows ${JSON.stringify(asker.text)}.`,
      expected: 'Expected the text to be empty until the first token of answer 2 arrives.',
    }))
    // The server may send more tokens before it stops.
    if (first.isOpen) first.send(' the')
    await turns(TURNS_OF_A_TOKEN)
    second.send('Nobody')
    await shows('Nobody', () => ({
      seen: `Answer 1 sent one more token after question 2 was asked. Answer 2 begins with "Nobody", but <AnswerText> shows ${JSON.stringify(asker.text)}.`,
      expected: 'Expected <AnswerText> to show only the tokens of answer 2.',
      often: 'your onToken does not check whether its answer is still the current one.',
    }))
    if (first.isOpen) first.stopped()
    await turns(TURNS_OF_A_TOKEN)
    second.send(' knows')
    await shows('Nobody knows', () => ({
      seen: `Answer 1 ended while answer 2 was running. The text of answer 2 is "Nobody knows", but <AnswerText> shows ${JSON.stringify(asker.text)}.`,
      expected: 'Expected the end of answer 1 to change nothing.',
    }))
    const { state } = asker.now
    must(state.name === 'answering' && state.question === 'When?', {
      seen: `Answer 1 ended while answer 2 was running, and the state is now ${JSON.stringify(state)}.`,
      expected: 'Expected the state to be "answering" with question 2.',
      often: 'your hook sets the state when ask() resolves, even if a newer question is running.',
    })
    second.done()
    await is('complete')
    const wrong = asker.states.filter((name) => !['idle', 'answering', 'complete'].includes(name))
    must(wrong.length === 0, {
      seen: `A second question was asked while answer 1 was running, and for a moment the state was "${wrong[0]}".`,
      expected: 'Expected the state to stay "answering".',
    })
  },
)

check('10.7f', 'unmounting disconnects, but does not stop the answer', async (t) => {
  const { server, ask, shows, page, unmount } = await askingPage(t)
  const answer = await ask('Why?')
  answer.send('The')
  await shows('The')
  unmount()
  await page.waitFor(() => !answer.isOpen, {
    seen: 'The component unmounted, but its request is still open.',
    expected: 'Expected the component to disconnect, because nobody sees the answer any more.',
    often: 'your hook has no effect whose cleanup aborts the request.',
  })
  t.transcript.step('the page has disconnected')
  await roundTrips(server.url)
  must(server.stops.length === 0, {
    seen: 'The component unmounted, and the server got a request to stop the answer.',
    expected:
      'Expected no request. The component also unmounts when the user opens another page, and the answer may be fetched later.',
    often: 'the cleanup of your effect calls stop().',
  })
})

edgeCase('10.7g', 'if the request to stop fails, the page disconnects', async (t) => {
  const { ask, asker, shows, page, isToldToStop } = await askingPage(t, { whenStopped: 'cut' })
  const answer = await ask('Why?')
  answer.send('The')
  await shows('The')
  t.transcript.step('stop()')
  asker.now.stop()
  await isToldToStop({
    seen: 'A component called stop(), but the server got no request to stop the answer.',
    expected: 'Expected a POST to /answers/KEY/stop with the key of the running answer.',
  })
  await page.waitFor(() => !answer.isOpen, {
    seen: 'The request to stop the answer failed, and the page still reads the answer.',
    expected: 'Expected the page to disconnect. Without a reader, the server may stop by itself.',
    often: 'your hook ignores the rejection of the stop() from client.ts.',
  })
  await shows('The', () => ({
    seen: `The answer "The" was stopped, and now <AnswerText> shows ${JSON.stringify(asker.text)}.`,
    expected: 'Expected <AnswerText> to keep the text that has arrived.',
  }))
})

edgeCase('10.7h', 'the state of a failed answer has the reason of the server', async (t) => {
  const { ask, asker, is, shows } = await askingPage(t)
  const answer = await ask('Why?')
  answer.send('The')
  await shows('The')
  answer.fail('the model is overloaded')
  await is('failed')
  const { state } = asker.now
  must('why' in state && state.why === 'the model is overloaded', {
    seen: `The answer failed with "the model is overloaded", and the state is ${JSON.stringify(state)}.`,
    expected: 'Expected the property "why" to be the message of the server.',
  })
  await shows('The', () => ({
    seen: `The answer "The" failed, and now <AnswerText> shows ${JSON.stringify(asker.text)}.`,
    expected: 'Expected <AnswerText> to keep the text that has arrived.',
  }))
})

edgeCase('10.7i', 'two components read two answers at the same time', async (t) => {
  const { server, ask, askers, shows, is } = await askingPage(t, { count: 2 })
  const [one, other] = askers
  const first = await ask('Why?', one)
  first.send('Because')
  await shows('Because')
  const second = await ask('When?', other)
  second.send('Nobody')
  await shows('Nobody', undefined, other)
  first.send(' the')
  await shows('Because the', () => ({
    seen: `The text of the first component is "Because the". Its <AnswerText> shows ${JSON.stringify(one!.text)} since another component has asked a question.`,
    expected: 'Expected each component to show its own answer.',
    often: 'your hook keeps the running answer or its text in a variable outside of the hook.',
  }))
  must(server.stops.length === 0, {
    seen: 'A component asked a question, and the server got a request to stop the answer of another component.',
    expected: 'Expected ask() to stop only the previous answer of the same component.',
    often: 'your hook keeps the running answer in a variable outside of the hook.',
  })
  first.done()
  second.done()
  await is('complete')
})

const NO_REQUEST = {
  seen: 'ask() was called, but no request reached the server.',
  expected: `Expected POST ${ANSWERS}.`,
}

/** Waits for the request of `ask()`, and requires that it posts the question as JSON. */
async function posted(coming: Promise<Exchange>): Promise<Exchange> {
  const request = await coming
  must(request.method === 'POST' && request.path === ANSWERS, {
    seen: `ask() sent ${request.method} ${request.path}.`,
    expected: `Expected POST ${ANSWERS}.`,
  })
  const type = request.headers['content-type'] ?? ''
  must(/^application\/json\s*(;|$)/i.test(type), {
    seen: `ask() sent the Content-Type ${type || '(none)'}.`,
    expected: 'Expected application/json.',
  })
  must(request.body === JSON.stringify({ question: QUESTION }), {
    seen: `ask() sent the body ${excerpt(request.body)}`,
    expected: `Expected ${JSON.stringify({ question: QUESTION })}`,
  })
  return request
}

/** Waits for a request that resumes an answer, and requires that it has this cursor. */
async function resumed(coming: Promise<Exchange>, cursor: string): Promise<Exchange> {
  const request = await coming
  must(request.method === 'GET' && request.path === `${ANSWERS}/a`, {
    seen: `After a truncated response, ask() sent ${request.method} ${request.path}.`,
    expected: `Expected GET ${ANSWERS}/a, because the question has been asked already.`,
  })
  const sent = request.headers['last-event-id']
  must(sent === cursor, {
    seen: `The last token that had arrived was token ${cursor}, and ask() sent the Last-Event-ID ${excerptJson(sent)}.`,
    expected: `Expected ${cursor}.`,
  })
  return request
}

function notResumed(n: number): { seen: string; expected: string } {
  return {
    seen: `A response ended without an event that ends the answer, and ask() did not send GET number ${n}.`,
    expected: 'Expected ask() to fetch the rest with GET, as often as the option resumes allows.',
  }
}

/**
 * Waits until ask() has returned, and requires that no more than `count` requests were sent. As a fence, asks another
 * question, whose request must be the next.
 */
async function mustSendNoMore(
  t: Tools,
  server: ScriptedAnswers,
  asking: Asking,
  count: number,
  when: string,
  often?: string,
): Promise<void> {
  await t.waitFor(() => asking.hasReturned || server.exchanges.length > count, {
    seen: `${when}, but ask() did not return.`,
    expected: 'Expected ask() to return.',
  })
  if (server.exchanges.length === count) startAsking(t, server.url, { question: FENCE })
  await server.request(NO_REQUEST)
  const next = server.exchanges[count]!
  must(next.body.includes(FENCE), {
    seen: `${when}, and your client sent ${next.method} ${next.path}.`,
    expected: 'Expected no further request.',
    often:
      next.method === 'POST'
        ? 'your client asks again, so the answer is generated, and paid for, twice.'
        : often,
  })
  next.send(endEvent('done', { tokens: 0 }))
}

const FENCE = 'Is anybody there?'

function mustHaveMessage(data: string): void {
  const { message } = JSON.parse(data) ?? {}
  must(typeof message === 'string' && message !== '', {
    seen: `The event named error had the data ${excerpt(data)}`,
    expected: 'Expected a "message", which is a string that is not empty.',
  })
}

/** Completes two requests of its own. By then, a request that the page has sent before has arrived. */
async function roundTrips(url: string): Promise<void> {
  for (let n = 0; n < 2; n += 1) {
    const response = await fetch(`${url}/round-trip`, { headers: { Connection: 'close' } })
    await response.text()
    await turns()
  }
}

/** Returns `once`, `twice` or `3 times`. */
function times(count: number): string {
  return ['0 times', 'once', 'twice'][count] ?? `${count} times`
}
