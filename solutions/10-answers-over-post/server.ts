import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type Response,
} from 'express'
import type { Answer } from './answer.ts'

export type ServerOptions = {
  /** How long an answer goes on without a reader. With 0, it is stopped as soon as its last reader has disconnected. */
  resumeMs?: number
  /** How long an answer can be fetched after its end. */
  keepMs?: number
  /** The interval between heartbeats. */
  heartbeatMs?: number
}

/**
 * Serves `POST /answers`, which answers a question as an event stream. The client names the answer with an
 * `Idempotency-Key`, so that it can ask again without starting a second answer, fetch the rest with `GET /answers/KEY`,
 * and stop the answer with `POST /answers/KEY/stop`.
 *
 * Each token is an event with its number as the ID. The last event is named `done`, `error` or `stopped`.
 */
export function createApp(
  answer: Answer,
  { resumeMs = 0, keepMs = 60_000, heartbeatMs = 15_000 }: ServerOptions = {},
): Express {
  // #region 10.1 createApp()
  const app = express()
  const runs = new Map<string, Run>()

  app.post('/answers', express.json(), (req, res) => {
    const key = req.get('Idempotency-Key') ?? ''
    const question: unknown = req.body?.question
    if (typeof question !== 'string' || question === '') {
      sendProblem(res, 400, 'invalid-question', 'Send { "question": "…" } as JSON.')
      return
    }
    if (!KEY.test(key)) {
      sendProblem(res, 400, 'invalid-key', 'Send an Idempotency-Key of 1 to 100 ASCII characters.')
      return
    }
    const known = runs.get(key)
    if (known && known.question !== question) {
      sendProblem(res, 422, 'key-in-use', 'This Idempotency-Key belongs to another question.')
      return
    }
    const run = known ?? newRun(key, question)
    if (!attach(run, req, res) || known) return
    runs.set(key, run)
    void generate(run)
  })

  app.get('/answers/:key', (req, res) => {
    const run = runs.get(req.params.key)
    if (run) attach(run, req, res)
    else sendProblem(res, 404, 'unknown-answer', 'There is no answer with this key.')
  })

  app.post('/answers/:key/stop', (req, res) => {
    const run = runs.get(req.params.key)
    if (!run) {
      sendProblem(res, 404, 'unknown-answer', 'There is no answer with this key.')
      return
    }
    stop(run)
    res.status(204).end()
  })

  app.use(((error: { status?: number; message: string }, _req, res, next) => {
    // express.json() throws an error with a status if the body is not JSON.
    if (error.status) sendProblem(res, error.status, 'invalid-request', error.message)
    else next(error)
  }) satisfies ErrorRequestHandler)

  /** Generates the answer for all of its readers. Only `stop()` ends it early. */
  async function generate(run: Run): Promise<void> {
    try {
      for await (const token of answer(run.question, run.abort.signal)) {
        if (run.isOver) return
        run.tokens += 1
        emit(run, `id: ${run.tokens}\ndata: ${JSON.stringify(token)}\n\n`)
      }
      finish(run, 'done', { tokens: run.tokens })
    } catch (error) {
      if (run.isOver) return
      console.error('the answer failed:', error)
      fail(run, error instanceof Error ? error.message : String(error))
    }
  }

  /** Sends a reader the events after its cursor, and from now on each new one. Returns whether there is a new reader. */
  function attach(run: Run, req: Request, res: Response): boolean {
    const cursor = req.get('Last-Event-ID') ?? ''
    if (cursor !== '' && !(/^[1-9]\d*$/.test(cursor) && Number(cursor) <= run.tokens)) {
      sendProblem(res, 400, 'invalid-cursor', 'Last-Event-ID is not the ID of a token.')
      return false
    }
    // Already disconnected: 'close' will not fire again.
    if (res.destroyed) return false

    clearTimeout(run.leaving)
    // Before the head, a failure can still be a status, so the heartbeats begin after the head.
    const heartbeat = setInterval(() => {
      if (res.headersSent && !res.writableEnded && !res.writableNeedDrain) res.write(':\n\n')
    }, heartbeatMs)
    run.readers.add(res)
    // res, not req: req has its 'close' as soon as its body has been read.
    res.on('close', () => {
      clearInterval(heartbeat)
      run.readers.delete(res)
      if (run.readers.size > 0 || run.isOver) return
      if (resumeMs === 0) stop(run)
      else run.leaving = setTimeout(() => stop(run), resumeMs)
    })
    for (const event of run.events.slice(Number(cursor))) send(run, res, event)
    if (run.isOver) res.end()
    return true
  }

  /** Ends the answer for its readers at once, and tells the generator, which may take a while to stop. */
  function stop(run: Run): void {
    if (run.isOver) return
    finish(run, 'stopped', { tokens: run.tokens })
    run.abort.abort()
  }

  function fail(run: Run, message: string): void {
    if (run.tokens > 0) {
      finish(run, 'error', { message })
      return
    }
    // Nothing has been sent, so the client may ask again with the same key.
    runs.delete(run.key)
    run.isOver = true
    clearTimeout(run.leaving)
    for (const res of run.readers) sendProblem(res, 500, 'answer-failed', message)
  }

  function finish(run: Run, name: string, data: object): void {
    if (run.isOver) return
    run.isOver = true
    clearTimeout(run.leaving)
    emit(run, `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`)
    for (const res of run.readers) res.end()
    setTimeout(() => runs.delete(run.key), keepMs).unref()
  }

  return app
  // #endregion
}

// #region 10.1
/** An answer, from the question until it is forgotten. */
type Run = {
  key: string
  question: string
  /** The events so far, as text. The event at index n has the ID n + 1, except for the one that ends the answer. */
  events: string[]
  tokens: number
  isOver: boolean
  readers: Set<Response>
  /** Stops the generator. */
  abort: AbortController
  /** Stops an answer that has had no reader for too long. */
  leaving?: NodeJS.Timeout
}

const KEY = /^[\x20-\x7e]{1,100}$/

function newRun(key: string, question: string): Run {
  return {
    key,
    question,
    events: [],
    tokens: 0,
    isOver: false,
    readers: new Set(),
    abort: new AbortController(),
  }
}

/** Adds an event to the answer, and sends it to each reader. */
function emit(run: Run, event: string): void {
  run.events.push(event)
  for (const res of run.readers) send(run, res, event)
}

/** Sends an event, after the head if it is the first one. */
function send(run: Run, res: Response, event: string): void {
  if (!res.headersSent) {
    res.set({
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-store, no-transform',
      'X-Accel-Buffering': 'no',
      Location: `/answers/${encodeURIComponent(run.key)}`,
    })
  }
  // Ignore backpressure, because a slow reader can owe at most one answer, which is kept in memory anyway.
  res.write(event)
}
// #endregion

/** Answers with an error in the format of RFC 9457. @param name the last part of the problem's `type` */
function sendProblem(res: Response, status: number, name: string, detail: string): void {
  const type = `https://tremor.example/problems/${name}`
  const title = name.replaceAll('-', ' ')
  res.status(status).type('application/problem+json').json({ type, title, status, detail })
}
