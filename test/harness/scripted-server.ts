import type { Request, Response } from 'express'
import type { Tools } from './check.ts'
import { excerpt } from './transcript.ts'

/** A server whose stream is written by the check, to test a client. */
export type ScriptedServer = {
  readonly url: string
  readonly port: number
  /** The requests in the order in which they arrived. */
  readonly requests: readonly Request[]
  /**
   * The number of responses that are still open. This does not count connections, because when a response is cancelled,
   * Node's `fetch` may open another connection without a request.
   */
  readonly openResponses: number
  /** Sends text or bytes to every open response. @param label the name of the text in the transcript */
  send(text: string | Uint8Array, label?: string): void
  /** Ends the response to the last request cleanly. */
  end(): void
  /** Cuts the connection of the last request. */
  cut(): void
  /**
   * Answers all further requests with the status and the headers. A response with a status other than 200 has no body, or
   * a body that does not end.
   */
  answer(status: number, headers?: Record<string, string>, options?: { endsBody?: boolean }): void
  /** Leaves new requests unanswered until `resumeAnswering()` is called. */
  stopAnswering(): void
  /** Answers the waiting requests, and every new request. */
  resumeAnswering(): void
  /** Closes the server and frees its port. */
  close(): Promise<void>
}

/** Starts a server whose stream is written by the check. It is an event stream, unless the check states another type. */
export async function scriptedServer(
  t: Pick<Tools, 'serve' | 'transcript'>,
  { path = '/events', type = 'text/event-stream' } = {},
): Promise<ScriptedServer> {
  const requests: Request[] = []
  const responses: Response[] = []
  let status = 200
  let headers: Record<string, string> = {}
  let endsBody = true
  let unanswered: Response[] | undefined
  const begin = (response: Response): void => {
    response.status(status)
    if (status !== 200) {
      response.set(headers)
      return void (endsBody ? response.end() : response.write('The reason is long.\n'))
    }
    response.set({ 'Content-Type': type, ...headers }).flushHeaders()
  }
  const server = await t.serve((request, response) => {
    requests.push(request)
    responses.push(response)
    if (unanswered) unanswered.push(response)
    else begin(response)
  })
  const last = (): Response => responses.at(-1)!
  return {
    url: `http://127.0.0.1:${server.port}${path}`,
    port: server.port,
    requests,
    get openResponses() {
      return responses.filter(({ closed }) => !closed).length
    },
    send(text, label = excerpt(text, 48)) {
      t.transcript.step(`server sent ${label}`)
      for (const response of responses) {
        if (response.headersSent && !response.writableEnded) response.write(text)
      }
    },
    end() {
      t.transcript.step('server ended the response')
      last().end()
    },
    cut() {
      t.transcript.step('server cut the connection')
      last().destroy()
    },
    answer(next, also = {}, options = {}) {
      const fields = Object.entries(also).map(([name, value]) => `${name}: ${value}`)
      const tail = fields.length === 0 ? '' : ` with ${fields.join(', ')}`
      t.transcript.step(`server answers ${next}${tail} from now on`)
      status = next
      headers = also
      endsBody = options.endsBody ?? true
    },
    stopAnswering() {
      t.transcript.step('server answers no requests from now on')
      unanswered = []
    },
    async close() {
      await server.close()
      t.transcript.step('the server is closed, and its port is free')
    },
    resumeAnswering() {
      t.transcript.step('server answers again')
      unanswered?.forEach(begin)
      unanswered = undefined
    },
  }
}
