import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { Arrival, Closing } from './arrival.ts'
import { startProxy, type Proxy, type ProxySetting } from './proxy.ts'
import { faultInjector, type FaultInjection } from './fault-injection.ts'

/**
 * The destination of a new connection. If it is `unavailable`, the tap answers 503 with that sentence. If it is `nobody`,
 * the tap resets the connection, as if no server were listening.
 */
export type Destination = ServerAddress | { unavailable: string } | 'nobody'

/** A connection that waits for its destination. `clientPort` is the client's own port, unless the client has disconnected. */
export type Connecting = { connection: number; clientPort: number | undefined }

type ServerAddress = { port: number; host?: string }

/** A receiver for everything that happens on each connection. Connections are numbered from 1. */
export type Observer = {
  opened(connection: number): void
  /**
   * Called when bytes have crossed a hop. `at` is the time since the connection was opened. All bytes are reported
   * twice: when they arrive, and after they have been passed on. The hop `server` is between the server and the tap,
   * and `client` is between the tap and the client. If there is a proxy, `server` is between the server and the
   * proxy, and `proxy` is between the proxy and the tap. The hop is `workshop` if the tap itself answered.
   */
  arrived(connection: number, arrival: Arrival): void
  closed(connection: number, closing: Closing): void
}

export type Tap = {
  readonly port: number
  readonly faults: FaultInjection
  /** Puts a proxy between server and tap for all future connections. Undefined removes the proxy. */
  proxy(setting: ProxySetting | undefined): void
  /** Cuts every connection and stops listening. */
  close(): Promise<void>
}

/**
 * Starts a tap, which listens between a server and its clients and reports every byte that crosses. Without faults, it
 * changes nothing. Each side sees the other's pauses, end and resets as if the two were connected directly.
 *
 * @param options.destination called for every connection; the client waits until the promise resolves
 * @throws any error of `listen()`, such as EADDRINUSE
 */
export async function tap({
  port,
  destination,
  observer,
}: {
  port: number
  destination(connecting: Connecting): Promise<Destination>
  observer: Observer
}): Promise<Tap> {
  const sockets = new Set<Socket>()
  const { deliver, close: stopClock, ...faults } = faultInjector()
  const proxies = new Set<Proxy>()
  let setting: ProxySetting | undefined
  let connections = 0

  // Allow half-open connections, because a client that has ended its side still waits for the answer.
  const listener = createServer({ allowHalfOpen: true, noDelay: true }, accept)

  async function accept(client: Socket): Promise<void> {
    connections += 1
    const connection = connections
    const reporter = connectionReporter(connection, observer)
    track(client)
    watch(client, 'client', reporter)
    const where = await destination({ connection, clientPort: client.remotePort })
    if (client.destroyed) {
      reporter.closed()
      return
    }
    if (where === 'nobody') {
      client.once('close', () => reporter.closed())
      reporter.closing('workshop', 'reset')
      client.resetAndDestroy()
      return
    }
    if ('unavailable' in where) {
      await refuse(client, where.unavailable, reporter)
      return
    }
    await connectToServer(client, where, reporter)
  }

  /** Connects a client to its server, through a proxy if there is one. */
  async function connectToServer(
    client: Socket,
    where: ServerAddress,
    reporter: ConnectionReporter,
  ): Promise<void> {
    const between = setting && (await proxyBefore(where, setting, reporter))
    if (client.destroyed) {
      void between?.stop()
      reporter.closed()
      return
    }
    const hop = between ? 'proxy' : 'server'
    const server = connect({
      port: between?.port ?? where.port,
      host: between ? '127.0.0.1' : (where.host ?? '127.0.0.1'),
      allowHalfOpen: true,
      noDelay: true,
    })
    track(server)
    server.once('close', () => void between?.stop())
    server.once('connect', () => {
      watch(server, hop, reporter)
      forward(client, server, {
        arrived: (bytes) => reporter.arrived('request', bytes, 'client'),
        delivered: (bytes) => reporter.arrived('request', bytes, hop),
      })
      deliver({
        server,
        client,
        arrived: (bytes) => reporter.arrived('response', bytes, hop),
        delivered: (bytes) => reporter.arrived('response', bytes, 'client'),
        cutting: () => reporter.closing('workshop', 'reset'),
      })
      client.once('close', () => server.destroyed && reporter.closed())
      server.once('close', () => client.destroyed && reporter.closed())
    })
    server.once('error', () => {
      // The server has just exited, but the workshop has not noticed that yet.
      if (server.connecting || server.remotePort === undefined) {
        const address = `${where.host ?? '127.0.0.1'}:${where.port}`
        void refuse(
          client,
          `The server is not running, because nothing listens at ${address}.`,
          reporter,
        )
      }
    })
  }

  function track(socket: Socket): void {
    sockets.add(socket)
    // Ignore the error, because a 'close' event follows, and forward() then resets the other side.
    socket.on('error', () => {})
    socket.once('close', () => sockets.delete(socket))
  }

  /** Starts a proxy for only this connection, so that its bytes are reported under the right number. */
  async function proxyBefore(
    { port: serverPort, host }: ServerAddress,
    how: ProxySetting,
    reporter: ConnectionReporter,
  ): Promise<Proxy> {
    const proxy = await startProxy(serverPort, {
      ...how,
      ...(host && { host }),
      onCrossed: (direction, bytes) => reporter.arrived(direction, bytes, 'server'),
    })
    const mine: Proxy = {
      port: proxy.port,
      stop() {
        proxies.delete(mine)
        return proxy.stop()
      },
    }
    proxies.add(mine)
    return mine
  }

  listener.listen(port, '127.0.0.1')
  await once(listener, 'listening')
  return {
    port: (listener.address() as AddressInfo).port,
    faults,
    proxy(next) {
      setting = next
    },
    async close() {
      stopClock()
      // Wait until each connection has been reported as closed.
      const closed = [...sockets].map((socket) => once(socket, 'close'))
      closed.push(once(listener, 'close'))
      listener.close()
      for (const socket of sockets) socket.destroy()
      await Promise.all(closed)
      await Promise.all([...proxies].map((proxy) => proxy.stop()))
    },
  }
}

type Hop = 'server' | 'proxy' | 'client' | 'workshop'

type ConnectionReporter = {
  arrived(direction: Arrival['direction'], bytes: Uint8Array, hop: Hop): void
  closing(by: Closing['by'], how: Closing['how']): void
  closed(): void
}

/** Returns a reporter that tells the observer about one connection, with the time since the connection was opened. */
function connectionReporter(connection: number, observer: Observer): ConnectionReporter {
  const openedAt = performance.now()
  const sinceOpened = (): number => performance.now() - openedAt
  let first: Closing | undefined
  let isClosed = false
  observer.opened(connection)
  return {
    arrived(direction, bytes, hop) {
      observer.arrived(connection, { at: sinceOpened(), hop, direction, bytes })
    },
    closing(by, how) {
      first ??= { at: sinceOpened(), by, how }
    },
    closed() {
      if (isClosed) return
      isClosed = true
      observer.closed(connection, first ?? { at: sinceOpened(), by: 'client', how: 'ended' })
    },
  }
}

function watch(socket: Socket, by: Closing['by'], reporter: ConnectionReporter): void {
  socket.once('end', () => reporter.closing(by, 'ended'))
  socket.once('error', () => reporter.closing(by, 'reset'))
}

/** Passes on the client's bytes, but no faster than the server accepts them. */
function forward(
  client: Socket,
  server: Socket,
  report: { arrived(bytes: Uint8Array): void; delivered(bytes: Uint8Array): void },
): void {
  client.on('data', (bytes) => {
    report.arrived(bytes)
    if (!server.write(bytes, (error) => error || report.delivered(bytes))) client.pause()
  })
  server.on('drain', () => client.resume())
  client.once('end', () => server.end())
  client.once('error', () => server.resetAndDestroy())
}

/** Answers a request with 503 on behalf of the server. */
async function refuse(client: Socket, why: string, reporter: ConnectionReporter): Promise<void> {
  client.once('close', () => reporter.closed())
  let request = ''
  client.on('data', (bytes) => {
    reporter.arrived('request', bytes, 'client')
    request += bytes.toString('latin1')
    if (!request.includes('\r\n\r\n') || client.writableEnded) return
    const body = Buffer.from(`${why}\n`)
    const head =
      'HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\n' +
      `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n`
    const answer = Buffer.concat([Buffer.from(head), body])
    reporter.arrived('response', answer, 'workshop')
    reporter.closing('workshop', 'ended')
    client.end(answer)
  })
  client.once('end', () => client.end())
}
