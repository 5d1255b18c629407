import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A server whose event streams a test writes itself. */
export type Streams = {
  readonly url: string
  /** The number of requests so far. */
  readonly requests: number
  /** The number of responses that are still open. */
  readonly open: number
  /** Sends a text to every open response. */
  send(text: string): void
  /** Answers with the status from now on. Responses with a status other than 200 have no body. */
  answer(status: number): void
  /** Leaves all requests without an answer until `letGo()` is called. */
  hold(): void
  letGo(): void
  /** Cuts every connection, but keeps listening. */
  cut(): void
  /** Stops listening and cuts every connection, as if the program had been killed. */
  kill(): Promise<void>
  /** Listens again, at the same port. */
  revive(): Promise<void>
  /** Resolves when `holds()` returns true. Calls it whenever a request starts or ends. */
  until(holds: () => boolean): Promise<void>
}

/** Starts a server. @param files the files to serve as well, by path, so that the page has the same origin as its streams */
export async function streams(files: ReadonlyMap<string, string> = new Map()): Promise<Streams> {
  const responses: ServerResponse[] = []
  let held: ServerResponse[] | undefined
  let status = 200
  let waiting: (() => void)[] = []

  const server = createServer(handle)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo

  function handle({ url = '' }: IncomingMessage, response: ServerResponse): void {
    const file = files.get(url.split('?')[0]!)
    if (file !== undefined) return serve(file, url, response)
    responses.push(response)
    response.once('close', changed)
    if (held) held.push(response)
    else begin(response)
    changed()
  }

  function begin(response: ServerResponse): void {
    // The page may have another origin.
    response.setHeader('Access-Control-Allow-Origin', '*')
    response.statusCode = status
    if (status !== 200) return void response.end()
    response.setHeader('Content-Type', 'text/event-stream')
    response.flushHeaders()
  }

  function changed(): void {
    const woken = waiting
    waiting = []
    for (const wake of woken) wake()
  }

  return {
    url: `http://127.0.0.1:${port}/events`,
    get requests() {
      return responses.length
    },
    get open() {
      return responses.filter(({ closed }) => !closed).length
    },
    send(text) {
      for (const response of responses) {
        if (response.headersSent && !response.writableEnded) response.write(text)
      }
    },
    answer: (next) => void (status = next),
    hold: () => void (held = []),
    letGo() {
      held?.forEach(begin)
      held = undefined
    },
    cut() {
      for (const response of responses) response.destroy()
    },
    async kill() {
      if (!server.listening) return
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
    async revive() {
      await once(server.listen(port, '127.0.0.1'), 'listening')
    },
    async until(holds) {
      while (!holds()) await new Promise<void>((resolve) => waiting.push(resolve))
    },
  }
}

function serve(file: string, url: string, response: ServerResponse): void {
  response.setHeader('Content-Type', url.includes('.js') ? 'text/javascript' : 'text/html')
  response.end(file)
}
