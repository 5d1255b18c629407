import type { RequestHandler } from 'express'
import { createApp, type ServerOptions } from '#work/10-answers-over-post/server.ts'
import type { Tools } from '../check.ts'
import { tryParseJson } from '../equality.ts'
import { sendRequest } from '../filtered/account.ts'
import { mustBeProblem } from '../filtered/problems.ts'
import { must } from '../failure.ts'
import { disconnect } from '../login.ts'
import { RawClient } from '../raw-client.ts'
import type { TestServer } from '../serve.ts'
import type { Transcript } from '../transcript.ts'
import { AnswerReader } from './answer-reader.ts'
import {
  controlledAnswer,
  type ControlledAnswer,
  type Generator,
  type OnAbort,
} from './controlled-answer.ts'
import { QUESTION } from './question.ts'

export const ANSWERS = '/answers'

/** The learner's app, served with answers that the check generates. */
export type ServedAnswer = ControlledAnswer & {
  readonly server: TestServer
  /** Sends a question. Does not wait for the answer. */
  ask(options?: AskOptions): AnswerReader
  /** Sends a question, and waits until the app asks the generator for the first token. */
  begin(
    options?: AskOptions,
    often?: string,
  ): Promise<{ reader: AnswerReader; generator: Generator }>
  /** Fetches an answer by its name. */
  fetch(key: string, options?: { lastEventId?: string; name?: string }): AnswerReader
  /** Stops an answer, and requires that the server confirms it. */
  stop(key: string, name?: string): Promise<void>
  /** Sends a request, and requires that it is refused with this status and a problem. */
  refuses(status: number, what: string, request: Refusable): Promise<void>
  /** Disconnects a client, and waits until the server has noticed. */
  leave(reader: AnswerReader): Promise<void>
}

type AskOptions = { key?: string; question?: string; lastEventId?: string; name?: string }

type Refusable = {
  method?: string
  path?: string
  body?: string | undefined
  key?: string
  lastEventId?: string
}

export async function serveAnswer(
  t: Tools,
  {
    options = {},
    onAbort = 'throws',
    before,
  }: { options?: ServerOptions; onAbort?: OnAbort; before?: RequestHandler } = {},
): Promise<ServedAnswer> {
  const controlled = controlledAnswer(t, onAbort)
  const server = await t.serve(createApp(controlled.answer, options), before)

  function ask({
    key = 'a',
    question = QUESTION,
    lastEventId,
    name = 'client',
  }: AskOptions = {}): AnswerReader {
    const client = t.connect(server, name)
    const body = JSON.stringify({ question })
    client.request(ANSWERS, { method: 'POST', body, idempotencyKey: key, lastEventId })
    return new AnswerReader(t, client)
  }

  return {
    ...controlled,
    server,
    ask,
    async begin(asked, often) {
      const { length } = controlled.generators
      return { reader: ask(asked), generator: await controlled.asked(length, often) }
    },
    fetch(key, { lastEventId, name = 'client' } = {}) {
      const client = t.connect(server, name)
      client.request(`${ANSWERS}/${encodeURIComponent(key)}`, { lastEventId })
      return new AnswerReader(t, client)
    },
    async stop(key, name = 'client') {
      const path = `${ANSWERS}/${encodeURIComponent(key)}/stop`
      const { status } = await sendRequest(t, server, { method: 'POST', path, name })
      must(status === 204, {
        seen: `POST ${path} was answered with status ${status}.`,
        expected: 'Expected status 204.',
      })
    },
    async refuses(wanted, what, { method = 'POST', path = ANSWERS, key, ...request }) {
      // A check sends many such requests, so the transcript shows only the head of each answer.
      let isHeadRead = false
      const step: Transcript['step'] = (...args) => isHeadRead || t.transcript.step(...args)
      const transcript = { ...t.transcript, step }
      const client = new RawClient(server.port, { name: 'client', transcript, waiting: t })
      t.atEnd(() => client.close())
      const { length } = controlled.generators
      client.request(path, { method, ...request, idempotencyKey: key })
      const { status, headers } = await client.head({
        seen: `${what} got no answer.`,
        expected: `Expected status ${wanted} at once.`,
        often: () => whyNoAnswer(controlled.generators.length > length, request),
      })
      isHeadRead = true
      must(status === wanted, {
        seen: `${what} was answered with status ${status}.`,
        expected: `Expected status ${wanted}.`,
      })
      await client.ended({
        seen: `${what} got status ${status}, but the response stayed open.`,
        expected: 'Expected the response to end.',
      })
      const text = client.unread()
      const type = headers.get('content-type') ?? ''
      mustBeProblem({ status, type, text, json: tryParseJson(text) }, wanted, what)
      client.close()
    },
    leave: ({ client }) => disconnect(t, server, client, server.connections - 1, client.name),
  }
}

/** Returns the likely cause if a request that should be refused gets no response head. */
function whyNoAnswer(isAsked: boolean, { lastEventId }: Refusable): string | undefined {
  if (isAsked) {
    return 'your handler accepts the request and asks the generator, so the head waits for a first token.'
  }
  if (lastEventId === undefined) return undefined
  return 'your handler accepts this Last-Event-ID, so the head waits for the next token.'
}

/** Waits until a generator has been told to stop, and has ended. */
export async function mustBeAborted(
  t: Tools,
  generator: Generator,
  what: string,
  often = generator.hasSignal
    ? 'nothing aborts this signal when the response has its "close" event.'
    : 'your handler calls answer() without a signal.',
): Promise<void> {
  await t.waitFor(() => generator.aborted, {
    seen: () =>
      `${what}, but ${generator.hasSignal ? 'the signal of the generator did not abort' : 'answer() got no signal'}.`,
    expected:
      'Expected the signal to abort, because only the signal ends a generator that is waiting for its next token.',
    often,
  })
  await t.waitFor(() => generator.isClosed, {
    seen: `${what}, and the signal aborted, but the generator never ended.`,
    expected: 'Expected the generator to end.',
  })
}
