import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A server of event streams that a test writes by hand. */
export type Streams = {
  readonly url: string
  /** How often somebody has asked. */
  readonly requests: number
  /** How many of them are still there. */
  readonly open: number
  /** Sends this to everybody who is there. */
  send(text: string): void
  /** Answers with this status from now on, and with anything but 200 without a body. */
  answer(status: number): void
  /** Answers nobody from now on, until `letGo()`. */
  hold(): void
  letGo(): void
  /** Cuts every connection, and goes on. */
  cut(): void
  /** Ends, as a program does that is killed: whoever connects is refused. */
  kill(): Promise<void>
  /** Is back, at the same port. */
  revive(): Promise<void>
  /** Settles when `holds()`, which is asked at each request and each end of one. */
  until(holds: () => boolean): Promise<void>
}

/** @param files served as well, by path, so that a page and its streams have one origin */
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
    // The page may be of another origin.
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
