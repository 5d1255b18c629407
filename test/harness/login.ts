import type { RequestHandler } from 'express'
import type { Tools } from './check.ts'
import type { RawClient } from './raw-client.ts'
import type { TestServer } from './serve.ts'

/** Middleware that delays the first request, as a database query would. */
export type SlowLogin = {
  handler: RequestHandler
  /** Resolves when the first request has arrived and is waiting. */
  begun: Promise<void>
  /** Passes the first request on to the app. */
  finish(): void
}

export function slowLogin(): SlowLogin {
  let begin = (): void => {}
  let pass: (() => void) | undefined
  const begun = new Promise<void>((resolve) => {
    begin = resolve
  })
  return {
    begun,
    finish: () => pass?.(),
    handler(_request, _response, next) {
      if (pass) return next()
      pass = next
      begin()
    },
  }
}

/** Sends a request, and waits until it has reached the slow login. */
export async function requestLogin(
  t: Tools,
  server: TestServer,
  login: SlowLogin,
  path: string,
  name: string,
): Promise<RawClient> {
  const client = t.connect(server, name)
  client.request(path)
  await t.withTimeout(login.begun, {
    seen: 'The request did not reach the login.',
    expected: 'Expected the request to arrive.',
  })
  return client
}

/** Disconnects a client, and waits until the server has only `left` open connections. */
export async function disconnect(
  t: Tools,
  server: TestServer,
  client: RawClient,
  left = 0,
  name = 'The client',
): Promise<void> {
  client.disconnect()
  await t.waitFor(() => server.connections === left, {
    seen: `${name} disconnected, but the server kept its side of the connection open.`,
    expected: 'Expected the server to close its side as well.',
  })
}

/** Reads the whole request before passing it on, as a body parser does. */
export const consumeRequest: RequestHandler = (request, _response, next) => {
  request.resume().once('end', next)
}
