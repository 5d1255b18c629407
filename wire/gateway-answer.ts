import { STATUS_CODES, type ServerResponse } from 'node:http'
import { authorityOf } from './server-address.ts'

/** Answers a request on behalf of the server, with a sentence that says what happened. */
export function answer(response: ServerResponse, status: number, sentence: string): void {
  if (response.destroyed) return
  const body = Buffer.from(`${sentence}\n`)
  response.writeHead(status, STATUS_CODES[status], {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': body.length,
  })
  response.end(body)
}

/** Says in a sentence why the server's response could not be read. */
export function whyNoResponse(
  { code = '', message, reason }: NodeJS.ErrnoException & { reason?: string },
  server: { host: string; port: number },
): string {
  const address = authorityOf(server)
  const unreachable = UNREACHABLE[code]
  if (unreachable) return `The proxy could not reach the server at ${address}: ${unreachable}.`
  if (message === 'socket hang up') {
    return `The server at ${address} closed the connection before the head of its response was complete.`
  }
  if (code === 'ECONNRESET' || code === 'EPIPE') {
    return `The server at ${address} reset the connection before the head of its response was complete.`
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    return `The head of the response from the server at ${address} is too long for the proxy.`
  }
  return `The proxy could not read the response from the server at ${address} as HTTP: ${reason ?? message}.`
}

const UNREACHABLE: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ENOTFOUND: 'the name of the host does not resolve',
  EAI_AGAIN: 'the name of the host does not resolve at the moment',
  ETIMEDOUT: 'the connection timed out',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
}
