import type { Socket } from 'node:net'
import { reset } from './reset.ts'

/**
 * Makes streams fail on purpose, in the ways in which networks make them fail. A fault applies to every present and
 * future connection of a tap.
 */
export type FaultInjection = {
  /** Resets every connection, and returns how many there were. */
  cut(): number
  /** Resets each connection after `bytes` more response bytes have reached its client. */
  cutAfter(bytes: number | undefined): void
  /** Buffers everything that the server sends while `isStalled` is true. A call with false ends this. */
  stall(isStalled: boolean): void
  /** Limits the number of bytes per second that each client reads. */
  slow(bytesPerSecond: number | undefined): void
}

/** Delivers responses, and injects the faults into them. */
export type FaultInjector = FaultInjection & {
  /** Delivers one server's bytes to its client, subject to the current faults. */
  deliver(options: DeliverOptions): void
  /** Stops the timer that slow reading needs. */
  close(): void
}

type DeliverOptions = {
  server: Socket
  client: Socket
  /** Resets the connection to the server. */
  resetServer(): void
  /** Returns the bytes to deliver in place of those that have arrived. Without bytes, the server has ended its side. */
  rewrite(bytes?: Uint8Array): Uint8Array
  /** Called when bytes have arrived from the server. */
  arrived(bytes: Uint8Array): void
  /** Called when bytes have been passed to the client's socket. */
  delivered(bytes: Uint8Array): void
  /** Called before the connection is cut. */
  cutting(): void
}

type Delivery = {
  pump(): void
  cut(): void
  /** The number of bytes that may still pass before the next tick, if the client reads slowly. */
  allowance: number
  /** The number of bytes that may still pass before the connection is cut. */
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

  function deliver({
    server,
    client,
    resetServer,
    rewrite,
    arrived,
    delivered,
    cutting,
  }: DeliverOptions): void {
    let queue: Uint8Array[] = []
    let isFull = false
    let hasEnded = false

    function keep(bytes: Uint8Array): void {
      if (bytes.length > 0) queue.push(bytes)
    }

    const mine: Delivery = {
      allowance: perTick ?? Infinity,
      untilCut: cutAt ?? Infinity,
      cut() {
        cutting()
        queue = []
        reset(client)
        resetServer()
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
            // Cut the connection only now, after the last bytes have been sent.
            if (isLast) mine.cut()
          })
          if (isLast) {
            server.pause()
            queue = []
            return
          }
        }
        // If the client has ended its side as well, drop the bytes that are queued for it.
        if (hasEnded && client.readableEnded) queue = []
        // If many bytes are queued, stop reading, so that the server feels the backpressure. Otherwise keep reading, to notice its end.
        if (bytesIn(queue) >= MOST_BYTES_HELD) server.pause()
        else server.resume()
        if (hasEnded && queue.length === 0) client.end()
      },
    }

    deliveries.add(mine)
    client.once('close', () => {
      deliveries.delete(mine)
      // Keep reading from the server, because Node reports the end of a socket only while the socket is read.
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
      keep(rewrite(bytes))
      mine.pump()
    })
    server.once('end', () => {
      hasEnded = true
      keep(rewrite())
      mine.pump()
    })
    server.once('error', () => {
      // Deliver the bytes that arrived before the reset, because without a tap, the client would receive them as well.
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

function bytesIn(queue: Uint8Array[]): number {
  return queue.reduce((sum, { length }) => sum + length, 0)
}

const TICK_MS = 100
const MOST_BYTES_HELD = 64 * 1024
