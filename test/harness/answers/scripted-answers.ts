import type { IncomingHttpHeaders } from 'node:http'
import { text as textOf } from 'node:stream/consumers'
import type { Request, Response } from 'express'
import type { Tools } from '../check.ts'
import { excerpt } from '../transcript.ts'
import type { Story } from '../failure.ts'

/** A server whose answers the check writes by hand, to test a client. */
export type ScriptedAnswers = {
  /** The address of `/answers`. */
  readonly url: string
  /** The requests, in the order in which they arrived. */
  readonly exchanges: readonly Exchange[]
  /** Waits for the next request. Each call waits for another request. */
  request(story: Story): Promise<Exchange>
}

/** A request, and the means to answer it. */
export type Exchange = {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** Whether the response is closed. */
  readonly isClosed: boolean
  /** Sends events, after the head of an event stream. */
  send(...pieces: string[]): void
  end(): void
  cut(): void
  /** Answers with a status and a body. */
  refuse(status: number, body: string, type?: string): void
}

export async function scriptedAnswers(t: Tools): Promise<ScriptedAnswers> {
  const exchanges: Exchange[] = []
  let awaited = 0
  const server = await t.serve(async (req, res) => {
    const exchange = exchangeOf(t, req, res, await textOf(req))
    const { method, path, headers, body } = exchange
    const cursor = headers['last-event-id']
    const tail = cursor === undefined ? '' : `, Last-Event-ID: ${String(cursor)}`
    t.transcript.step(`server got ${method} ${path}${tail}${body && `  ${excerpt(body)}`}`)
    exchanges.push(exchange)
  })
  return {
    url: `http://127.0.0.1:${server.port}/answers`,
    exchanges,
    async request(story) {
      const n = awaited
      awaited += 1
      await t.waitFor(() => exchanges.length > n, story)
      return exchanges[n]!
    },
  }
}

function exchangeOf(t: Tools, req: Request, res: Response, body: string): Exchange {
  return {
    method: req.method,
    path: req.originalUrl,
    headers: req.headers,
    body,
    get isClosed() {
      return res.closed
    },
    send(...pieces) {
      if (!res.headersSent) res.set({ 'Content-Type': 'text/event-stream' })
      for (const piece of pieces) t.transcript.step(`server sent ${excerpt(piece)}`)
      // In one piece, so that the events arrive together.
      res.write(pieces.join(''))
    },
    end() {
      t.transcript.step('server ended the response')
      res.end()
    },
    cut() {
      t.transcript.step('server cut the connection')
      res.destroy()
    },
    refuse(status, text, type = 'application/problem+json') {
      t.transcript.step(`server answered ${status} ${type}  ${excerpt(text)}`)
      res.status(status).type(type).send(text)
    },
  }
}
