import type { Response } from 'express'
import type { Tools } from './check.ts'
import { shown } from './transcript.ts'

/** An event stream that the check writes by hand, to see what a client makes of it. */
export type HandmadeStream = {
  readonly url: string
  /** How often somebody has asked for it. */
  readonly requests: number
  /** What was asked for last: `/events`. */
  readonly path: string | undefined
  /**
   * How many of those who asked are still there. Connections would be the wrong thing to count: `fetch` of
   * Node may open one more, on which it asks for nothing, when a response is given up.
   */
  readonly open: number
  /** Sends this to everybody who is there. @param told how the transcript calls it */
  send(text: string, told?: string): void
  /** Ends the response to whoever asked last, as HTTP ends one. */
  end(): void
  /** Cuts the connection of whoever asked last. */
  cut(): void
  /** Answers with this status from now on; with anything but 200 without a body. */
  answer(status: number): void
  /** Answers nobody from now on, until `letGo()`. */
  hold(): void
  letGo(): void
}

export async function handmadeStream(
  t: Pick<Tools, 'serve' | 'transcript'>,
): Promise<HandmadeStream> {
  const responses: Response[] = []
  let status = 200
  let held: Response[] | undefined
  const begin = (response: Response): void => {
    response.status(status)
    if (status !== 200) return void response.end()
    response.set('Content-Type', 'text/event-stream').flushHeaders()
  }
  const server = await t.serve((_request, response) => {
    responses.push(response)
    if (held) held.push(response)
    else begin(response)
  })
  const last = (): Response => responses.at(-1)!
  return {
    url: `http://127.0.0.1:${server.port}/events`,
    get requests() {
      return responses.length
    },
    get path() {
      return responses.at(-1)?.req.originalUrl
    },
    get open() {
      return responses.filter(({ closed }) => !closed).length
    },
    send(text, told = shown(text, 48)) {
      t.transcript.step(`server sent ${told}`)
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
    answer(next) {
      t.transcript.step(`server answers ${next} from now on`)
      status = next
    },
    hold() {
      t.transcript.step('server answers nobody from now on')
      held = []
    },
    letGo() {
      t.transcript.step('server answers again')
      held?.forEach(begin)
      held = undefined
    },
  }
}
