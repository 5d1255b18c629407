import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** Where a connection is cut: behind so many bytes of its request, or of its response. */
export type Cut = { of: 'request' | 'response'; after: number }

/** A cut behind each byte from `first` to `last`. */
export function cutsOf(of: Cut['of'], first: number, last: number): Cut[] {
  return Array.from({ length: last - first + 1 }, (_, n) => ({ of, after: first + n }))
}

/** One request of somebody who is cut off and comes back, and what has become of it. */
export type Visit = {
  /** What it had as Last-Event-ID. */
  readonly cursor: string | undefined
  readonly request: Buffer
  /** What the client got. */
  readonly response: Buffer
  /** Where it has been cut, if it has. */
  readonly cut: Cut | undefined
}

/** A client behind the hop. */
export type Journey = {
  /** What it is to ask for: that tells the hop whose request it is. */
  readonly url: string
  readonly visits: readonly Visit[]
}

export type JourneyOptions = {
  /** Of the first visit, of the second, and so on; behind them nothing is cut. */
  cuts: Cut[]
  /** Waited for when the last bytes have been passed on, before the connection is cut. */
  beforeCut?(visit: Visit): Promise<void>
}

/** Stands before a server, and cuts connections at a byte. Many journeys share its port. */
export type CuttingHop = { journey(options: JourneyOptions): Journey }

/** What answers requests: a server, or a check that knows the answers by heart. */
export type Upstream = (
  request: Buffer,
  /** Called with the bytes of the response, and when there will be no more. */
  client: { pass(bytes: Buffer): void; over(): void },
) => { /** The request has been handed over. */ sent: Promise<void>; leave(): void }

/** A server at a port of this machine. */
export function serverAt(port: number): Upstream {
  return (request, { pass, over }) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    socket.on('error', () => {})
    socket.on('data', pass)
    socket.on('close', over)
    return {
      sent: new Promise((resolve) => socket.write(request, () => resolve())),
      leave: () => void socket.destroy(),
    }
  }
}

/** Puts a hop before a server while the script runs. */
export async function behindCuts(
  upstream: Upstream,
  path: string,
  script: (hop: CuttingHop) => Promise<void>,
): Promise<void> {
  const hop = await cuttingHop(upstream, path)
  try {
    await script(hop)
  } finally {
    await hop.close()
  }
}

/**
 * It closes in order, without a reset: with a reset some systems throw away what the client has not read yet, and
 * it would be another byte that came last. A chunked response that stops is cut for a client, however it stops.
 *
 * @param path where the server has its stream
 */
async function cuttingHop(
  upstream: Upstream,
  path: string,
): Promise<CuttingHop & { close(): Promise<void> }> {
  const journeys: (JourneyOptions & { visits: Visit[] })[] = []
  const clients = new Set<Socket>()

  const listener = createServer({ noDelay: true }, (client) => {
    clients.add(client)
    // 'close' follows.
    client.on('error', () => {})
    client.on('close', () => clients.delete(client))
    let request: Buffer = Buffer.alloc(0)
    client.on('data', (bytes) => {
      request = Buffer.concat([request, bytes])
      if (request.includes('\r\n\r\n')) visit(client, request)
    })
  })

  function visit(client: Socket, request: Buffer): void {
    const head = request.toString('latin1')
    const { cuts, visits, beforeCut } = journeys[Number(/\?journey=(\d+)/.exec(head)![1])]!
    const planned = cuts[visits.length]
    const made = {
      cursor: /^last-event-id: *(.*)\r$/im.exec(head)?.[1],
      request,
      response: Buffer.alloc(0) as Buffer,
      cut: undefined as Cut | undefined,
    }
    visits.push(made)

    const cut = async (): Promise<void> => {
      await beforeCut?.(made)
      // Before anybody can see it.
      made.cut = planned
      leave()
      client.destroy()
    }
    let left = planned?.of === 'response' ? planned.after : Infinity
    let isOver = false
    const { sent, leave } = upstream(
      planned?.of === 'request' ? request.subarray(0, planned.after) : request,
      {
        pass(bytes) {
          if (isOver) return
          const passed = bytes.subarray(0, left)
          left -= passed.length
          isOver = left === 0
          made.response = Buffer.concat([made.response, passed])
          client.write(passed, () => isOver && void cut())
        },
        over: () => client.destroySoon(),
      },
    )
    client.on('close', leave)
    if (planned?.of === 'request') void sent.then(cut)
  }

  await new Promise<void>((listening) => listener.listen(0, '127.0.0.1', listening))
  const { port } = listener.address() as AddressInfo
  return {
    journey(options) {
      const visits: Visit[] = []
      journeys.push({ ...options, visits })
      return { url: `http://127.0.0.1:${port}${path}?journey=${journeys.length - 1}`, visits }
    },
    close() {
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()))
      for (const client of clients) client.destroy()
      return closed
    },
  }
}
