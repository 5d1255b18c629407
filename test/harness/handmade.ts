import type { Request, Response } from 'express'
import type { Tools } from './check.ts'
import { shown } from './transcript.ts'

/** An event stream that the check writes by hand, to see what a client makes of it. */
export type HandmadeStream = {
  readonly url: string
  /** How often somebody has asked for it. */
  readonly requests: number
  /** What was asked, in order. */
  readonly asked: readonly Request[]
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
  /** Answers with this status from now on, and these headers; with anything but 200 without a body. */
  answer(status: number, headers?: Record<string, string>): void
  /** Answers nobody from now on, until `letGo()`. */
  hold(): void
  letGo(): void
}

export async function handmadeStream(
  t: Pick<Tools, 'serve' | 'transcript'>,
): Promise<HandmadeStream> {
  const asked: Request[] = []
  const responses: Response[] = []
  let status = 200
  let headers: Record<string, string> = {}
  let held: Response[] | undefined
  const begin = (response: Response): void => {
    response.status(status)
    if (status !== 200) return void response.set(headers).end()
    response.set({ 'Content-Type': 'text/event-stream', ...headers }).flushHeaders()
  }
  const server = await t.serve((request, response) => {
    asked.push(request)
    responses.push(response)
    if (held) held.push(response)
    else begin(response)
  })
  const last = (): Response => responses.at(-1)!
  return {
    url: `http://127.0.0.1:${server.port}/events`,
    asked,
    get requests() {
      return responses.length
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
    answer(next, also = {}) {
      const told = Object.entries(also).map(([name, value]) => `, ${name}: ${value}`)
      t.transcript.step(`server answers ${next}${told.join('')} from now on`)
      status = next
      headers = also
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
