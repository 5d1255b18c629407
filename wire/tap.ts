import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import type { Arrival, Closing } from './arrival.ts'
import { faultInjector, type FaultInjection } from './fault-injection.ts'
import { loopGuard } from './loop-guard.ts'
import { startProxy, type Proxy, type ProxySetting } from './proxy.ts'
import { reset } from './reset.ts'
import { headRewriter, type HeadRewriter } from './rewrite-heads.ts'
import { NOTHING } from './segment.ts'
import {
  connectTo,
  whyUnreachable,
  type ServerAddress,
  type ServerConnection,
} from './server-address.ts'

/**
 * The destination of a new connection. If it is `unavailable`, the tap answers 503 with that sentence. If it is `nobody`,
 * the tap resets the connection, as if no server were listening.
 */
export type Destination = ServerAddress | { unavailable: string } | 'nobody'

/** A connection that waits for its destination. `clientPort` is the client's own port, unless the client has disconnected. */
export type Connecting = { connection: number; clientPort: number | undefined }

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
  /** Returns whether this server leads back to the tap. Sends it a request without a body, `OPTIONS *`. */
  leadsBack(server: ServerAddress): Promise<boolean>
  /** Cuts every connection and stops listening. */
  close(): Promise<void>
}

/**
 * Starts a tap, which listens between a server and its clients and reports every byte that crosses. Without faults, it
 * changes nothing. Each side sees the other's pauses, end and resets as if the two were connected directly. If the server
 * cannot be reached, the client's connection is reset, because a tap has to accept it first.
 *
 * @param options.destination called for every connection; the client waits until the promise resolves
 * @param options.mayLoop whether the server may lead back to the tap by way of others. If so, and if many clients wait for
 *   an answer, the tap asks the server.
 * @param options.renames the server whose name replaces that of the tap in requests, and the other way round in redirects
 * @throws any error of `listen()`, such as EADDRINUSE
 */
export async function tap({
  port,
  destination,
  observer,
  renames,
  mayLoop = false,
}: {
  port: number
  destination(connecting: Connecting): Promise<Destination>
  observer: Observer
  renames?: URL
  mayLoop?: boolean
}): Promise<Tap> {
  const sockets = new Set<Socket>()
  const { deliver, close: stopClock, ...faults } = faultInjector()
  const proxies = new Set<Proxy>()
  const loop = loopGuard()
  /** What to do with each client that has no answer yet if the server leads back to the tap. */
  const unanswered = new Map<Socket, (why: string) => void>()
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
      giveUp(client, reporter)
      return
    }
    if ('unavailable' in where) {
      await refuse(client, where.unavailable, reporter)
      return
    }
    await connectToServer(client, where, reporter)
  }

  /** Resets a client that cannot be connected to its server. */
  function giveUp(client: Socket, reporter: ConnectionReporter, why?: string): void {
    reporter.closing('workshop', 'reset', why)
    if (client.destroyed) reporter.closed()
    else client.once('close', () => reporter.closed())
    reset(client)
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
    const server = connectTo(between ? { port: between.port } : where)
    track(server.tcp)
    server.socket.on('error', () => {})
    server.socket.once('close', () => void between?.stop())
    const stopWaiting = waitForAnswer(client, where, (why) => {
      server.tcp.destroy()
      giveUp(client, reporter, why)
    })
    const leave = (): void => void server.tcp.destroy()
    client.once('close', leave)
    try {
      await server.isReady
    } catch (error) {
      stopWaiting()
      giveUp(client, reporter, whyUnreachable(error as Error, where))
      return
    }
    client.off('close', leave)
    const release = loop.connectedFrom(server.tcp.localPort!)
    server.tcp.once('close', release)
    if (loop.isOwnPort(client.remotePort)) {
      stopWaiting()
      server.tcp.destroy()
      giveUp(client, reporter, LOOP)
      return
    }
    join(client, server, { hop: between ? 'proxy' : 'server', reporter, stopWaiting })
  }

  /** Passes everything on between a client and its server. */
  function join(
    client: Socket,
    server: ServerConnection,
    { hop, reporter, stopWaiting }: { hop: Hop; reporter: ConnectionReporter; stopWaiting(): void },
  ): void {
    const rewriter = renames && headRewriter({ server: renames, wire: origin() })
    watch(server.socket, hop, reporter)
    forward(client, server, {
      rewriter,
      arrived(bytes) {
        reporter.arrived('request', bytes, 'client')
        if (unanswered.has(client) && loop.isOwnRequest(bytes)) client.destroy()
      },
      delivered: (bytes) => reporter.arrived('request', bytes, hop),
    })
    deliver({
      server: server.socket,
      client,
      resetServer: () => reset(server.tcp),
      rewrite(bytes) {
        if (!rewriter) return bytes ?? NOTHING
        return bytes ? rewriter.rewrite('response', bytes) : rewriter.rest('response')
      },
      arrived(bytes) {
        stopWaiting()
        reporter.arrived('response', bytes, hop)
      },
      delivered: (bytes) => reporter.arrived('response', bytes, 'client'),
      cutting: () => reporter.closing('workshop', 'reset'),
    })
    client.once('close', () => server.socket.destroyed && reporter.closed())
    server.socket.once('close', () => client.destroyed && reporter.closed())
  }

  /**
   * Notes that a client waits for its first byte. Many clients that wait may be one request that goes round in circles, so
   * asks, and ends all of them if it is. Returns a function to call when the wait is over.
   */
  function waitForAnswer(
    client: Socket,
    server: ServerAddress,
    end: (why: string) => void,
  ): () => void {
    unanswered.set(client, end)
    const stop = (): void => void unanswered.delete(client)
    client.once('close', stop)
    if (mayLoop && unanswered.size % SUSPICIOUS === 0) void endLoop(server)
    return stop
  }

  async function endLoop(server: ServerAddress): Promise<void> {
    if (!(await loop.leadsBack(server))) return
    for (const end of unanswered.values()) end(LOOP)
  }

  function origin(): string {
    return `http://127.0.0.1:${(listener.address() as AddressInfo).port}`
  }

  function track(socket: Socket): void {
    sockets.add(socket)
    // Ignore the error, because a 'close' event follows, and forward() then resets the other side.
    socket.on('error', () => {})
    socket.once('close', () => sockets.delete(socket))
  }

  /** Starts a proxy for only this connection, so that its bytes are reported under the right number. */
  async function proxyBefore(
    { port: serverPort, host, tls }: ServerAddress,
    how: ProxySetting,
    reporter: ConnectionReporter,
  ): Promise<Proxy> {
    const proxy = await startProxy(serverPort, {
      ...how,
      ...(host && { host }),
      ...(tls && { tls }),
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
    leadsBack: (server) => loop.leadsBack(server),
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

/** The number of clients without an answer at which the tap looks for a loop. */
const SUSPICIOUS = 100

const LOOP = 'its server leads back to the wire, so the request would go round in circles'

type Hop = 'server' | 'proxy' | 'client' | 'workshop'

type ConnectionReporter = {
  arrived(direction: Arrival['direction'], bytes: Uint8Array, hop: Hop): void
  closing(by: Closing['by'], how: Closing['how'], why?: string): void
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
    closing(by, how, why) {
      first ??= { at: sinceOpened(), by, how, ...(why !== undefined && { why }) }
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
  { socket: server, tcp }: ServerConnection,
  {
    rewriter,
    arrived,
    delivered,
  }: {
    rewriter: HeadRewriter | undefined
    arrived(bytes: Uint8Array): void
    delivered(bytes: Uint8Array): void
  },
): void {
  client.on('data', (sent) => {
    arrived(sent)
    const bytes = rewriter ? rewriter.rewrite('request', sent) : sent
    if (bytes.length === 0) return
    if (!server.write(bytes, (error) => error || delivered(bytes))) client.pause()
  })
  server.on('drain', () => client.resume())
  client.once('end', () => server.end(rewriter?.rest('request') ?? NOTHING))
  client.once('error', () => reset(tcp))
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
