import { EventEmitter, once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Quake } from '#feed'

/** A server whose clients can change in four ways which networks they watch. */
export type StreamServer = {
  readonly url: string
  /** The number of connections that clients have opened. */
  readonly connections: number
  happen(quake: Quake): void
  /** Resolves when the server notices that another stream has closed. */
  streamClosed(): Promise<unknown>
  close(): void
}

/**
 * `GET /stream?networks=us,ci` is NDJSON. `GET /events?networks=us,ci` is an event stream that begins with the ID of its
 * session. `POST /rules` changes the networks of all NDJSON streams, and `POST /events/ID` those of one session. The
 * server sends the number of the change as the answer, and on each stream that has changed.
 */
export async function streamServer(): Promise<StreamServer> {
  const streams = new Set<Stream>()
  const events = new EventEmitter()
  let connections = 0
  let sessions = 0
  let changes = 0

  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url!, 'http://127.0.0.1')
    if (request.method === 'POST') {
      const networks = JSON.parse(await text(request)) as string[]
      changes += 1
      for (const stream of streams) {
        if (stream.changedAt !== pathname) continue
        stream.networks = networks
        stream.send({ changed: changes })
      }
      response.end(String(changes))
      return
    }
    const isSession = pathname === '/events'
    const stream: Stream = {
      networks: searchParams.get('networks')!.split(','),
      changedAt: isSession ? `/events/${(sessions += 1)}` : '/rules',
      send: isSession ? eventOn(response) : lineOn(response),
    }
    streams.add(stream)
    response.on('close', () => {
      streams.delete(stream)
      events.emit('closed')
    })
    const type = isSession ? 'text/event-stream' : 'application/x-ndjson'
    response.writeHead(200, { 'Content-Type': type }).flushHeaders()
    if (isSession) stream.send({ session: stream.changedAt })
  })
  server.on('connection', () => (connections += 1))
  // Otherwise, on a slow machine, the server might close the shared connection between two POSTs.
  server.keepAliveTimeout = 0
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get connections() {
      return connections
    },
    happen(quake) {
      for (const { networks, send } of streams)
        if (networks.includes(quake.network)) send({ quake })
    },
    streamClosed: () => once(events, 'closed'),
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

type Stream = {
  networks: string[]
  /** The path at which a POST changes the networks. */
  changedAt: string
  send(message: object): void
}

function lineOn(response: ServerResponse): Stream['send'] {
  return (message) => void response.write(`${JSON.stringify(message)}\n`)
}

function eventOn(response: ServerResponse): Stream['send'] {
  return (message) => void response.write(`data: ${JSON.stringify(message)}\n\n`)
}
