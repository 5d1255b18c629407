import type { Request, Response } from 'express'
import type { Tools } from './check.ts'
import { excerpt } from './transcript.ts'

/** An event stream that the check writes by hand, to see what a client makes of it. */
export type ScriptedServer = {
  readonly url: string
  readonly port: number
  /** In the order in which they came. */
  readonly requests: readonly Request[]
  /**
   * How many of those who requests are still there. Connections would be the wrong thing to count: `fetch` of
   * Node may open one more, on which it asks for nothing, when a response is given up.
   */
  readonly openResponses: number
  /** Sends this to everybody who is there. @param label how the transcript calls it */
  send(text: string, label?: string): void
  /** Ends the response to whoever requests last, as HTTP ends one. */
  end(): void
  /** Cuts the connection of whoever requests last. */
  cut(): void
  /**
   * Answers with this status from now on, and these headers; with anything but 200 without a body, or with one that
   * goes on.
   */
  answer(status: number, headers?: Record<string, string>, options?: { endsBody?: boolean }): void
  /** Answers nobody from now on, until `resumeAnswering()`. */
  stopAnswering(): void
  resumeAnswering(): void
  /** Ends it: nobody listens at its port any more. */
  close(): Promise<void>
}

export async function scriptedServer(
  t: Pick<Tools, 'serve' | 'transcript'>,
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
    response.set({ 'Content-Type': 'text/event-stream', ...headers }).flushHeaders()
  }
  const server = await t.serve((request, response) => {
    requests.push(request)
    responses.push(response)
    if (unanswered) unanswered.push(response)
    else begin(response)
  })
  const last = (): Response => responses.at(-1)!
  return {
    url: `http://127.0.0.1:${server.port}/events`,
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
      const fields = Object.entries(also).map(([name, value]) => `, ${name}: ${value}`)
      t.transcript.step(`server answers ${next}${fields.join('')} from now on`)
      status = next
      headers = also
      endsBody = options.endsBody ?? true
    },
    stopAnswering() {
      t.transcript.step('server answers nobody from now on')
      unanswered = []
    },
    async close() {
      await server.close()
      t.transcript.step('nobody listens at the port')
    },
    resumeAnswering() {
      t.transcript.step('server answers again')
      unanswered?.forEach(begin)
      unanswered = undefined
    },
  }
}
