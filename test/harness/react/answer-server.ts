import express, { type Request, type Response } from 'express'
import { endEvent, tokenEvent } from '../answers/events.ts'
import type { Tools } from '../check.ts'

/** A server of answers whose tokens and endings are sent by the check, to test a page. */
export type AnswerServer = {
  /** The address of `/answers`. */
  readonly url: string
  /** One answer for each POST of a question, in the order in which the requests arrived. */
  readonly answers: readonly ScriptedAnswer[]
  /** The name of each answer that a request was meant to stop, in order. */
  readonly stops: readonly string[]
}

export type WhenStopped = 'ends' | 'goes on' | 'cut'

export type ScriptedAnswer = {
  /** The Idempotency-Key of the request, which names the answer. */
  readonly key: string
  readonly question: string
  /** Whether the page still reads the answer. */
  readonly isOpen: boolean
  /** Sends tokens, all in one write. */
  send(...tokens: string[]): void
  /** Sends the last tokens and the event named "done", all in one write. */
  done(...tokens: string[]): void
  stopped(): void
  fail(message: string): void
}

/**
 * Starts a server of answers.
 *
 * @param whenStopped what a request to stop an answer does: it ends the answer, it is accepted although the answer
 *   goes on, or its connection is cut
 */
export async function answerServer(t: Tools, whenStopped: WhenStopped): Promise<AnswerServer> {
  const answers: ScriptedAnswer[] = []
  const stops: string[] = []
  const app = express()

  app.post('/answers', express.json({ strict: false }), (req, res) => {
    answers.push(scriptedAnswer(t, req, res, answers.length + 1))
  })
  // An answer that was cut off cannot be resumed.
  app.get('/answers/:key', (_req, res) => problem(res, 404, 'There is no answer with this name.'))
  app.post('/answers/:key/stop', (req, res) => {
    const { key } = req.params
    stops.push(key)
    const answer = answers.find((each) => each.key === key)
    if (whenStopped === 'cut') return void res.destroy()
    if (!answer) return problem(res, 404, 'There is no answer with this name.')
    if (whenStopped === 'ends' && answer.isOpen) answer.stopped()
    res.sendStatus(204)
  })

  const { port } = await t.serve(app)
  return { url: `http://127.0.0.1:${port}/answers`, answers, stops }
}

/** Returns `answer 1`, because the key itself is random. */
export function inWords(answers: readonly ScriptedAnswer[], key: string): string {
  const index = answers.findIndex((answer) => answer.key === key)
  return index < 0 ? 'an answer that does not exist' : `answer ${index + 1}`
}

/** @param number the number of the question, for the transcript */
function scriptedAnswer(t: Tools, req: Request, res: Response, number: number): ScriptedAnswer {
  let sent = 0
  const begin = (): void => {
    if (!res.headersSent) res.set({ 'Content-Type': 'text/event-stream' }).status(200)
  }
  const eventsOf = (tokens: string[]): string =>
    tokens.map((token) => tokenEvent((sent += 1), token)).join('')
  const describe = (tokens: string[]): string =>
    tokens.length <= 3
      ? tokens.map((token) => JSON.stringify(token)).join(' and ')
      : `${tokens.length} tokens`
  const end = (type: 'done' | 'error' | 'stopped', data: object, before = ''): void => {
    begin()
    t.transcript.step(`answer ${number} ends with "${type}"`)
    res.end(before + endEvent(type, data))
  }
  return {
    key: req.get('Idempotency-Key') ?? '(none)',
    question: String((req.body as { question?: unknown } | undefined)?.question),
    get isOpen() {
      return !res.closed && !res.writableEnded
    },
    send(...tokens) {
      begin()
      t.transcript.step(`answer ${number} sends ${describe(tokens)}`)
      res.write(eventsOf(tokens))
    },
    done(...tokens) {
      if (tokens.length > 0) t.transcript.step(`answer ${number} sends ${describe(tokens)}`)
      const before = eventsOf(tokens)
      end('done', { tokens: sent }, before)
    },
    stopped: () => end('stopped', { tokens: sent }),
    fail: (message) => end('error', { message }),
  }
}

function problem(res: Response, status: number, detail: string): void {
  res.status(status).type('application/problem+json').send(JSON.stringify({ status, detail }))
}
