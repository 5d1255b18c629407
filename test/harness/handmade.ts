import type { Response } from 'express'
import type { Tools } from './check.ts'
import { shown } from './transcript.ts'

/** An event stream that the check writes by hand, to see what a client makes of it. */
export type HandmadeStream = {
  readonly url: string
  /** How often somebody has asked for it. */
  readonly requests: number
  /**
   * How many of those who asked are still there. Connections would be the wrong thing to count: `fetch` of
   * Node may open one more, on which it asks for nothing, when a response is given up.
   */
  readonly open: number
  /** Sends this to whoever asked last. */
  send(text: string): void
  /** Ends the response to whoever asked last, as HTTP ends one. */
  end(): void
  /** Cuts the connection of whoever asked last. */
  cut(): void
  /** Answers with this status and no body from now on. */
  answer(status: number): void
}

export async function handmadeStream(
  t: Pick<Tools, 'serve' | 'transcript'>,
): Promise<HandmadeStream> {
  const responses: Response[] = []
  let status = 200
  const server = await t.serve((_request, response) => {
    responses.push(response)
    response.status(status)
    if (status !== 200) return response.end()
    response.set('Content-Type', 'text/event-stream').flushHeaders()
  })
  const last = (): Response => responses.at(-1)!
  return {
    url: `http://127.0.0.1:${server.port}/events`,
    get requests() {
      return responses.length
    },
    get open() {
      return responses.filter(({ closed }) => !closed).length
    },
    send(text) {
      t.transcript.step(`server sent ${shown(text, 48)}`)
      last().write(text)
    },
    end() {
      t.transcript.step('server ended the response')
      last().end()
    },
    cut() {
      t.transcript.step('server cut the connection')
      last().destroy()
    },
    answer(next) {
      t.transcript.step(`server answers ${next} from now on`)
      status = next
    },
  }
}
