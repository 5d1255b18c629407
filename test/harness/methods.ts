import type { ResponseHead } from '../../wire/message-head.ts'
import type { Tools } from './check.ts'
import { must } from './failure.ts'
import type { RawClient } from './raw-client.ts'
import type { TestServer } from './serve.ts'

/** The likely cause if a HEAD request fails a check. */
export const GET_FOR_HEAD =
  'Express also runs your GET handler for HEAD, and the stream keeps the connection open.'

/** Waits until the response to a HEAD request has ended. */
export async function mustEndHead(
  t: Tools,
  server: TestServer,
  client: RawClient,
  path: string,
): Promise<void> {
  // A response to HEAD always looks complete to the client. The response has really ended if the connection closes, or if
  // the server answers the next request on the connection, because HTTP/1.1 answers requests in order.
  client.request(path, { method: 'HEAD' })
  await t.waitFor(() => client.hasHead || server.connections === 0, {
    seen: 'A HEAD request got its response head, but the next request on that connection got no answer.',
    expected: 'Expected the response to HEAD to end.',
    often: GET_FOR_HEAD,
  })
}

/** Returns whether a head announces an event stream. */
export function isEventStream({ headers }: ResponseHead): boolean {
  return /^text\/event-stream\s*(;|$)/i.test(headers.get('content-type') ?? '')
}

/** Sends a POST request, and requires that the server refuses it. */
export async function mustRefusePost(client: RawClient, path: string): Promise<void> {
  const expected = 'Expected the request to be refused.'
  const { status } = await client.get(
    path,
    { seen: 'A POST request got no answer.', expected },
    { method: 'POST' },
  )
  must(status === 404 || status === 405, {
    seen: `A POST request was answered with status ${status}.`,
    expected: 'Expected status 404 or 405.',
    often: 'app.use() and app.all() accept every method. app.get() accepts only GET and HEAD.',
  })
}
