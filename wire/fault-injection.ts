import type { Socket } from 'node:net'

/** Makes streams fail on purpose, as networks do: for all connections of a tap, and for those to come. */
export type FaultInjection = {
  /**
   * Resets every connection.
   *
   * @returns how many there were
   */
  cut(): number
  /** Resets each connection when so many more bytes of responses have reached its client. */
  cutAfter(bytes: number | undefined): void
  /** Holds what the server sends, until told otherwise. */
  stall(isStalled: boolean): void
  /** Reads no faster than so many bytes a second. */
  slow(bytesPerSecond: number | undefined): void
}

/** The faults and the deliveries that they befall. */
export type FaultInjector = FaultInjection & {
  /** Delivers what one server sends to its client, with these faults. */
  deliver(options: DeliverOptions): void
  /** Stops the clock of a slow reader. */
  close(): void
}

type DeliverOptions = {
  server: Socket
  client: Socket
  /** Called when bytes have come from the server. */
  arrived(bytes: Uint8Array): void
  /** Called when bytes have been handed to the client's socket. */
  delivered(bytes: Uint8Array): void
  /** Called before the connection is cut. */
  cutting(): void
}

type Delivery = {
  pump(): void
  cut(): void
  /** How many bytes may pass in this tick of a slow reader. */
  allowance: number
  /** Bytes until the cut. */
  untilCut: number
}

export function faultInjector(): FaultInjector {
  const deliveries = new Set<Delivery>()
  let isStalled = false
  let perTick: number | undefined
  let cutAt: number | undefined
  let clock: NodeJS.Timeout | undefined

  function all(): void {
    for (const delivery of deliveries) delivery.pump()
  }

  function deliver({ server, client, arrived, delivered, cutting }: DeliverOptions): void {
    let queue: Uint8Array[] = []
    let isFull = false
    let hasEnded = false

    const mine: Delivery = {
      allowance: perTick ?? Infinity,
      untilCut: cutAt ?? Infinity,
      cut() {
        cutting()
        queue = []
        reset(client)
        reset(server)
      },
      pump() {
        while (queue.length > 0 && !isStalled && !isFull && mine.allowance >= 1) {
          const [next] = queue as [Uint8Array]
          const length = Math.min(next.length, Math.floor(mine.allowance), mine.untilCut)
          const bytes = next.subarray(0, length)
          if (length === next.length) queue.shift()
          else queue[0] = next.subarray(length)
          mine.allowance -= length
          mine.untilCut -= length
          const isLast = mine.untilCut === 0
          isFull = !client.write(bytes, (error) => {
            if (!error) delivered(bytes)
            // Its last bytes are on their way before the cut.
            if (isLast) mine.cut()
          })
          if (isLast) {
            server.pause()
            queue = []
            return
          }
        }
        // The client has ended, too: there is no reason to hold anything for it.
        if (hasEnded && client.readableEnded) queue = []
        // Stop reading when much is held, so that the server feels the backpressure; below that its end is still seen.
        if (bytesIn(queue) >= MOST_BYTES_HELD) server.pause()
        else server.resume()
        if (hasEnded && queue.length === 0) client.end()
      },
    }

    deliveries.add(mine)
    client.once('close', () => {
      deliveries.delete(mine)
      // The client is gone. Keep reading, because the end of a socket is only seen while it is read.
      queue = []
      server.resume()
    })
    client.on('drain', () => {
      isFull = false
      mine.pump()
    })
    server.on('data', (bytes) => {
      arrived(bytes)
      if (client.destroyed) return
      queue.push(bytes)
      mine.pump()
    })
    server.once('end', () => {
      hasEnded = true
      mine.pump()
    })
    server.once('error', () => {
      // What came before the reset is still read, as it is without a tap.
      if (client.writableLength === 0) client.resetAndDestroy()
      else client.write('', () => client.resetAndDestroy())
    })
  }

  return {
    deliver,
    cut() {
      const count = deliveries.size
      for (const delivery of deliveries) delivery.cut()
      return count
    },
    cutAfter(bytes) {
      cutAt = bytes
      for (const delivery of deliveries) delivery.untilCut = bytes ?? Infinity
    },
    stall(on) {
      isStalled = on
      all()
    },
    slow(bytesPerSecond) {
      clearInterval(clock)
      perTick = bytesPerSecond === undefined ? undefined : (bytesPerSecond * TICK_MS) / 1000
      for (const delivery of deliveries) delivery.allowance = perTick ?? Infinity
      if (perTick !== undefined) {
        const refill = perTick
        clock = setInterval(() => {
          for (const delivery of deliveries) {
            // Carry the fractional allowance over to the next tick.
            delivery.allowance = Math.min(delivery.allowance + refill, Math.max(refill, 1))
          }
          all()
        }, TICK_MS)
      }
      all()
    },
    close: () => clearInterval(clock),
  }
}

/** Resets a socket, or destroys it when it has something left to write: then it cannot be reset. */
function reset(socket: Socket): void {
  if (socket.writableLength === 0) socket.resetAndDestroy()
  else socket.destroy()
}

function bytesIn(queue: Uint8Array[]): number {
  return queue.reduce((sum, { length }) => sum + length, 0)
}

const TICK_MS = 100
const MOST_BYTES_HELD = 64 * 1024
