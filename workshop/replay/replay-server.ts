import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Clock } from './clock.ts'
import { replayResponse } from './replay-response.ts'
import type { SavedResponse } from './saved-response.ts'

/**
 * Creates a server that answers each request with a saved response. If there are several responses for the same request,
 * they are sent in turn, and the last one is repeated.
 *
 * @param log called with a line about each request
 */
export function replayServer(
  responses: readonly SavedResponse[],
  clock: Clock,
  log: (line: string) => void = () => {},
): Server {
  const asked = new Map<SavedResponse, number>()
  return createServer((req, res) => {
    req.resume()
    const own = responsesFor(req, responses)
    const request = `${req.method} ${req.url}`
    const [first] = own
    if (!first) {
      log(`${request}: 404, because the file does not contain it`)
      refuse(res, responses)
      return
    }
    const count = asked.get(first) ?? 0
    asked.set(first, count + 1)
    const index = Math.min(count, own.length - 1)
    log(own.length === 1 ? request : `${request}: response ${index + 1} of ${own.length}`)
    replayResponse(own[index]!, res, clock).catch((error: Error) => {
      // The file may contain a header that Node refuses to send.
      log(`${request}: ${error.message}`)
      res.destroy()
    })
  })
}

/** Returns the responses to requests with the same method and path. The query may differ if no request had this one. */
function responsesFor(
  { method, url = '' }: IncomingMessage,
  responses: readonly SavedResponse[],
): SavedResponse[] {
  const own = responses.filter((saved) => saved.method === method)
  const exact = own.filter(({ target }) => target === url)
  if (exact.length > 0) return exact
  return own.filter(({ target }) => withoutQuery(target) === withoutQuery(url))
}

function withoutQuery(target: string): string {
  return target.split('?')[0]!
}

function refuse(res: ServerResponse, responses: readonly SavedResponse[]): void {
  const known = new Set(responses.map(({ method, target }) => `${method} ${target}`))
  res.writeHead(404, { 'Content-Type': 'text/plain; charset=utf-8' })
  res.end(`The file contains no response to this request. It contains:\n${[...known].join('\n')}\n`)
}
