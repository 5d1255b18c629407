import type { Request } from 'express'
import type { Tools } from '../check.ts'
import { must } from '../failure.ts'
import { isNotWritten } from '../../../protocol/not-written.ts'
import type { ScriptedServer } from '../scripted-server.ts'
import { excerpt } from '../transcript.ts'

/**
 * Waits for the request with the given number.
 *
 * @param reading the loop that makes the requests, if the script itself has to notice the end of the loop
 */
export async function waitForRequest(
  t: Tools,
  server: ScriptedServer,
  count: number,
  reading?: Promise<unknown>,
): Promise<void> {
  const story = {
    seen:
      count === 1
        ? 'The client made no request.'
        : 'The connection was lost, but the client did not reconnect.',
    expected:
      count === 1
        ? 'Expected the client to make a request.'
        : `Expected the client to make request ${count}.`,
  }
  let hasEnded = false
  let error: unknown
  reading?.catch((thrown: unknown) => (error = thrown)).finally(() => (hasEnded = true))
  await t.waitFor(() => server.requests.length >= count || hasEnded, story)
  if (isNotWritten(error)) throw error
  must(server.requests.length >= count, story)
  recordRequest(t, server.requests[count - 1]!)
}

const recorded = new WeakSet<Request>()

/** Records a request only when the script waits for it, because a client without pauses would fill the transcript. */
function recordRequest({ transcript }: Tools, request: Request): void {
  if (recorded.has(request)) return
  recorded.add(request)
  const cursor = request.get('Last-Event-ID')
  const tail = cursor === undefined ? '' : `, Last-Event-ID: ${excerpt(cursor)}`
  transcript.step(`client: ${request.method} ${request.path}${tail}`)
}

/** Checks the Last-Event-ID of the request with the given number. */
export function mustHaveCursor(
  server: ScriptedServer,
  count: number,
  wanted: string | undefined,
  why = 'The server continues after the ID that the client sends.',
  often?: string,
): void {
  const cursor = server.requests[count - 1]!.get('Last-Event-ID')
  must((cursor || undefined) === wanted, {
    seen: `Request ${count} had ${cursor === undefined ? 'no Last-Event-ID' : `Last-Event-ID: "${excerpt(cursor)}"`}.`,
    expected: `Expected the request to have ${wanted === undefined ? 'no Last-Event-ID' : `Last-Event-ID: "${wanted}"`}. ${why}`,
    ...(often && { often }),
  })
}
