import type { IncomingHttpHeaders } from 'node:http'
import { text } from 'node:stream/consumers'
import type { Response } from 'express'
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
  /** Sends text or bytes as a part of the answer, after the head of an event stream. */
  send(...pieces: string[]): void
  /** Sends text without a step in the transcript. */
  sendQuietly(text: string): void
  end(): void
  cut(): void
  /** Answers with a status and a body. */
  refuse(status: number, body: string, type?: string): void
}

export async function scriptedAnswers(t: Tools): Promise<ScriptedAnswers> {
  const exchanges: Exchange[] = []
  let awaited = 0
  const server = await t.serve(async (req, res) => {
    const exchange = {
      method: req.method,
      path: req.originalUrl,
      headers: req.headers,
      body: await text(req),
      ...answering(t, res),
    }
    const cursor = req.get('Last-Event-ID')
    const tail = cursor === undefined ? '' : `, Last-Event-ID: ${cursor}`
    t.transcript.step(
      `server got ${exchange.method} ${exchange.path}${tail}${exchange.body && `  ${excerpt(exchange.body)}`}`,
    )
    exchanges.push(Object.defineProperty(exchange, 'isClosed', { get: () => res.closed }) as never)
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

function answering(
  t: Tools,
  res: Response,
): Pick<Exchange, 'send' | 'sendQuietly' | 'end' | 'cut' | 'refuse'> {
  const sendQuietly = (piece: string): void => {
    if (!res.headersSent) res.set({ 'Content-Type': 'text/event-stream' })
    res.write(piece)
  }
  return {
    sendQuietly,
    send(...pieces) {
      for (const piece of pieces) t.transcript.step(`server sent ${excerpt(piece)}`)
      sendQuietly(pieces.join(''))
    },
    end() {
      t.transcript.step('server ended the response')
      res.end()
    },
    cut() {
      t.transcript.step('server cut the connection')
      res.destroy()
    },
    refuse(status, body, type = 'application/problem+json') {
      t.transcript.step(`server answered ${status} ${type}  ${excerpt(body)}`)
      res.status(status).type(type).send(body)
    },
  }
}
