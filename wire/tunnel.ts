import { ServerResponse, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { headText } from './forwarded-head.ts'
import { answer, whyNoResponse } from './gateway-answer.ts'
import type { ProxiedServer } from './server-socket.ts'

/**
 * Passes a request and everything that follows it on the connection through in both directions, without a change.
 *
 * @param first the bytes that have already arrived after the head of the request
 */
export function tunnel(
  request: IncomingMessage,
  { client, server, first }: { client: Socket; server: Socket; first: Uint8Array },
  address: ProxiedServer,
): void {
  const { method, url, rawHeaders } = request
  server.write(headText(`${method} ${url} HTTP/1.1`, rawHeaders), 'latin1')
  server.write(first)
  client.pipe(server).pipe(client)
  client.on('error', () => server.resetAndDestroy())
  client.on('close', () => server.destroy())
  server.on('close', () => client.destroySoon())
  server.on('error', (error) => {
    if (server.bytesRead > 0) return void client.resetAndDestroy()
    const response = new ServerResponse(request)
    response.shouldKeepAlive = false
    response.assignSocket(client)
    answer(response, 502, whyNoResponse(error, address))
  })
}
