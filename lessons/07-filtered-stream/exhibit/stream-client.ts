import { once } from 'node:events'
import { Agent, get, request, type IncomingMessage } from 'node:http'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'

/** An open stream of NDJSON, or of events. */
export type OpenStream = {
  /** The IDs of the quakes that have arrived. */
  readonly ids: string[]
  /** Resolves with the first message for which `isWanted` returns true, even if it has already arrived. */
  seen(isWanted: (message: Message) => boolean): Promise<Message>
  close(): void
}

/** A message of the server: a quake, the path at which the session can be changed, or the number of a change. */
type Message = { quake?: { id: string }; session?: string; changed?: number }

/** Opens a stream on a connection of its own. Resolves when the head of the response has arrived. */
export async function openStream(url: string): Promise<OpenStream> {
  const [response] = (await once(get(url, { agent: false }), 'response')) as [IncomingMessage]
  const messages: Message[] = []
  const lines = createInterface({ input: response })
  lines.on('line', (line) => {
    if (line !== '') messages.push(JSON.parse(line.replace(/^data: /, '')) as Message)
  })
  // A stream that is closed before its end ends with an error.
  lines.on('error', () => {})
  return {
    get ids() {
      return messages.flatMap(({ quake }) => quake?.id ?? [])
    },
    async seen(isWanted) {
      for (;;) {
        const message = messages.find(isWanted)
        if (message) return message
        await once(lines, 'line')
      }
    },
    close: () => response.destroy(),
  }
}

/** Posts JSON, and returns the answer as a number. All posts to a server share one connection. */
export async function post(url: string, body: unknown): Promise<number> {
  const posted = request(url, { method: 'POST', agent: posts })
  posted.end(JSON.stringify(body))
  const [response] = (await once(posted, 'response')) as [IncomingMessage]
  return Number(await text(response))
}

const posts = new Agent({ keepAlive: true, maxSockets: 1 })
