import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ENDINGS } from './endings.ts'
import { ANTHROPIC, OPENAI } from './events.ts'

/** A server whose answers say "Hello" and then end as the address asks. */
export type AnswerServer = { urlOf(ending: string): string; close(): void }

export async function answerServer(): Promise<AnswerServer> {
  const server = createServer((req, res) => {
    const [, ending = ''] = req.url!.split('/')
    const events = req.url!.endsWith('/messages') ? ANTHROPIC : OPENAI
    res.writeHead(200, { 'Content-Type': 'text/event-stream' })
    // Wait until the text is on its way, because a cut would also discard what has not been sent yet.
    res.write(events.head + events.token('Hel') + events.token('lo'), () =>
      ENDINGS[decodeURIComponent(ending)]!(res, events),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    urlOf: (ending) => `http://127.0.0.1:${port}/${encodeURIComponent(ending)}`,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}
