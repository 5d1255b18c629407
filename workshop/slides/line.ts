import { startProxy, type Proxy } from '../../wire/proxy.ts'
import { tap, type Destination, type Observer } from '../../wire/tap.ts'
import type { Trouble } from '../../wire/trouble.ts'

/** The way from clients to a server, in which a proxy can be put and taken out again. */
export type Line = {
  /** Where clients connect. */
  readonly port: number
  readonly trouble: Trouble
  /** Whether connections to come go through the proxy. */
  hasProxy: boolean
  close(): Promise<void>
}

/**
 * Opens one. With the proxy a connection is seen at three hops: `server`, `proxy` and `client`; the times are of one
 * clock, and its number is the one that the client's has.
 *
 * The proxy does what nginx does that asks over HTTP/1.0: it fills a buffer of 4 KiB.
 */
export async function openLine({
  destination,
  observer,
}: {
  destination(): Promise<Destination>
  observer: Observer
}): Promise<Line> {
  const { before, behind } = joined(observer)
  const inner = await tap({ port: 0, destination, observer: behind })
  const proxy: Proxy = await startProxy(inner.port, { http: '1.0', holds: 4096 })
  const outer = await tap({
    port: 0,
    destination: async () => (line.hasProxy ? { port: proxy.port } : destination()),
    observer: before(() => line.hasProxy),
  })
  const line: Line = {
    port: outer.port,
    trouble: outer.trouble,
    hasProxy: false,
    async close() {
      await Promise.all([outer.close(), proxy.stop(), inner.close()])
    },
  }
  return line
}

/** Makes one story of two taps, one before the proxy and one behind it. */
function joined(observer: Observer): {
  before(hasProxy: () => boolean): Observer
  behind: Observer
} {
  /** Connections of clients that go through the proxy, and when they were opened. */
  const through = new Map<number, number>()
  /** Those among them that the proxy has not asked the server for yet, in order. */
  const waiting: number[] = []
  /** The connection of a client, for each connection of the proxy. */
  const clientOf = new Map<number, { connection: number; offset: number }>()

  return {
    before: (hasProxy) => ({
      opened(connection) {
        if (hasProxy()) {
          through.set(connection, performance.now())
          waiting.push(connection)
        }
        observer.opened(connection)
      },
      arrived(connection, arrival) {
        const isProxy = through.has(connection) && arrival.hop === 'server'
        observer.arrived(connection, isProxy ? { ...arrival, hop: 'proxy' } : arrival)
      },
      closed(connection, closing) {
        through.delete(connection)
        observer.closed(connection, closing)
      },
    }),
    behind: {
      // The proxy asks as soon as it is asked: who came first is next.
      opened(connection) {
        const client = waiting.shift()!
        const offset = performance.now() - (through.get(client) ?? 0)
        clientOf.set(connection, { connection: client, offset })
      },
      arrived(connection, arrival) {
        const client = clientOf.get(connection)!
        // What the proxy sends and gets here is seen on its other side.
        if (arrival.hop !== 'server' || !through.has(client.connection)) return
        observer.arrived(client.connection, { ...arrival, at: arrival.at + client.offset })
      },
      closed: (connection) => void clientOf.delete(connection),
    },
  }
}
