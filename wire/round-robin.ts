import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { listenOnFreePort } from './listen.ts'

/** A proxy before several processes. Each connection goes to the next process. */
export type RoundRobin = {
  readonly port: number
  /** Adds a process after the others. */
  add(backend: Backend): void
  /** Sends no more connections to a process. Its open connections stay open. */
  remove(name: string): void
  /** Sends each new connection to this process. Without a name, the processes take turns again. */
  prefer(name: string | undefined): void
  /** Closes all connections. */
  cut(): void
  /** Closes all connections, and stops. */
  stop(): Promise<void>
}

export type Backend = { name: string; port: number }

/**
 * Starts the proxy on a free port of 127.0.0.1. A process that refuses a connection is skipped. If no process accepts it,
 * the connection is closed.
 *
 * @param onRouted called with the name of the process whenever a connection has reached one
 */
export async function startRoundRobin(
  onRouted: (backend: string) => void = () => {},
): Promise<RoundRobin> {
  const backends: Backend[] = []
  const clients = new Set<Socket>()
  let next = 0
  let preferred: string | undefined

  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (client) => {
    clients.add(client)
    client.on('error', () => {})
    client.once('close', () => clients.delete(client))
    void route(client)
  })

  async function route(client: Socket): Promise<void> {
    const [first, ...others] = inTurn()
    for (const backend of first ? [first, ...others] : []) {
      const { name, port } = backend
      const upstream = await connected(port)
      if (!upstream) continue
      // The processes that were skipped have had their turn.
      if (backend !== first) next = backends.indexOf(backend) + 1
      onRouted(name)
      join(client, upstream)
      return
    }
    client.destroy()
  }

  /** Returns the processes in the order in which to try them, and moves on to the next process. */
  function inTurn(): Backend[] {
    const chosen = backends.findIndex(({ name }) => name === preferred)
    const first = chosen === -1 ? next % Math.max(1, backends.length) : chosen
    next = first + 1
    return [...backends.slice(first), ...backends.slice(0, first)]
  }

  function cut(): void {
    for (const client of clients) client.destroy()
  }

  const port = await listenOnFreePort(server)
  return {
    port,
    add: (backend) => void backends.push(backend),
    remove(name) {
      const index = backends.findIndex((backend) => backend.name === name)
      if (index === -1) return
      backends.splice(index, 1)
      // The process that was next stays next.
      if (index < next) next -= 1
    },
    prefer(name) {
      preferred = name
    },
    cut,
    stop() {
      const stopped = new Promise<void>((resolve) => server.close(() => resolve()))
      cut()
      return stopped
    },
  }
}

/** Opens a connection. Returns undefined if it is refused. */
async function connected(port: number): Promise<Socket | undefined> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
  try {
    await once(socket, 'connect')
    return socket.on('error', () => {})
  } catch {
    return undefined
  }
}

/** Passes everything on in both directions. If one connection is closed, the other one is closed as well. */
function join(client: Socket, upstream: Socket): void {
  client.setNoDelay()
  client.pipe(upstream).pipe(client)
  client.once('close', () => upstream.destroy())
  upstream.once('close', (hadError) => {
    if (hadError) client.resetAndDestroy()
    else client.destroySoon()
  })
  if (client.destroyed) upstream.destroy()
}
