import { setImmediate as nextTurn } from 'node:timers/promises'
import express, { type Express } from 'express'
import { mergeSources, type Item, type Source } from './merge.ts'

export type ServerOptions = {
  /** The number of items that the server keeps, and that may be waiting for a client. */
  limit?: number
  /** The interval between heartbeats while a client's stream is idle. An edge case of task 8.3. */
  heartbeatMs?: number
  /** The reconnection time that is sent in the `retry` field. */
  retryMs?: number
  /** The longest wait for `drain`, after which the connection is cut. Task 8.6. */
  stallMs?: number
  /** Returns the lines of an item's event, without its `id` and the blank line. Called once per item. */
  encode?: (item: Item) => string
  /** Aborts when the server shuts down. Pass it to `mergeSources()`. Ending the streams is an edge case of task 8.3. */
  shutdown?: AbortSignal
}

/** Encodes an earthquake as the data of an event, and a failed source as an event named `source-failed`. */
export function encodeItem(item: Item): string {
  if ('quake' in item) return `data: ${JSON.stringify(item)}`
  return `event: source-failed\ndata: ${JSON.stringify({ source: item.source })}`
}

/**
 * Opens all sources, and serves what happens as server-sent events at `GET /events`. The items are numbered from 1 in the
 * order in which they happen, and a client that reconnects with `Last-Event-ID` resumes after that number.
 *
 * The query `when_slow` chooses what happens to a client that reads too slowly. `drop-oldest` drops its oldest waiting items and
 * sends their number (task 8.4). `latest` sends only the newest waiting item of each source (task 8.5). `disconnect` ends its
 * stream (task 8.6).
 */
export function createApp(
  sources: readonly Source[],
  {
    limit = 1000,
    heartbeatMs = 15_000,
    retryMs = 2000,
    stallMs = 30_000,
    encode = encodeItem,
    shutdown = new AbortController().signal,
  }: ServerOptions = {},
): Express {
  // #region 8.3 createApp()
  /** The last items, encoded once for all clients. Item n is at n % limit. */
  const ring: Frame[] = []
  /** The newest item of each source, in the order of their IDs, even if the ring has dropped it. */
  const newest = new Map<string, Frame>()
  let last = 0
  const bells = new Set<() => void>()
  let isOver = false
  void pump()

  async function pump(): Promise<void> {
    for await (const item of mergeSources(sources, shutdown)) {
      last += 1
      const frame = { id: last, bytes: Buffer.from(`id: ${last}\n${encode(item)}\n\n`), dropped: 0 }
      ring[last % limit] = frame
      // A key that is set again keeps its place, so delete it first.
      newest.delete(item.source)
      newest.set(item.source, frame)
      for (const wake of bells) wake()
      // Without this turn, a burst leaves no time for the sockets, and every client looks slow.
      await nextTurn()
    }
    isOver = true
    for (const wake of bells) wake()
  }

  function oldestAfter(cursor: number): Frame | undefined {
    const id = Math.max(cursor, last - limit) + 1
    return id > last ? undefined : { ...ring[id % limit]!, dropped: id - cursor - 1 }
  }

  function newestAfter(cursor: number): Frame | undefined {
    return [...newest.values()].find(({ id }) => id > cursor)
  }

  const app = express()

  app.get('/events', (req, res) => {
    const { when_slow: whenSlow = 'drop-oldest' } = req.query
    if (!['drop-oldest', 'latest', 'disconnect'].includes(whenSlow as string)) {
      res.status(400).send('when_slow is drop-oldest, latest or disconnect')
      return
    }
    res.set({
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-store, no-transform',
      'X-Accel-Buffering': 'no',
    })
    // If the client has disconnected already, 'close' will not fire again.
    if (req.method === 'HEAD' || res.destroyed) {
      res.end()
      return
    }
    res.write(`retry: ${retryMs}\n${event('policy', { when_slow: whenSlow, limit })}`)

    const lastEventId = req.get('Last-Event-ID') || String(last)
    const isOurs = /^\d+$/.test(lastEventId) && Number(lastEventId) <= last
    let cursor = isOurs ? Number(lastEventId) : 0
    // The ID is from before a restart, so the number of lost items is unknown.
    if (!isOurs) res.write(event('gap', { dropped: null }))

    let stalled: NodeJS.Timeout | undefined
    const heartbeat = setInterval(() => res.writableNeedDrain || res.write(':\n\n'), heartbeatMs)
    bells.add(advance)
    res.on('drain', () => {
      clearTimeout(stalled)
      stalled = undefined
      advance()
    })
    res.on('close', leave)
    advance()

    /** Sends the items after the cursor until the response is full. */
    function advance(): void {
      try {
        while (!res.writableNeedDrain) {
          const next = whenSlow === 'latest' ? newestAfter(cursor) : oldestAfter(cursor)
          if (!next) return isOver ? end() : undefined
          if (next.dropped > 0) res.write(event('gap', { dropped: next.dropped }))
          res.write(next.bytes)
          cursor = next.id
        }
        stalled ??= setTimeout(() => res.destroy(), stallMs)
        const behind = last - cursor
        if (whenSlow === 'disconnect' && behind > limit) end(event('too-slow', { behind }))
        else if (shutdown.aborted) res.destroy()
      } catch (error) {
        // An error of this client must not end the loop that serves all clients.
        console.error('a client failed:', error)
        res.destroy()
      }
    }

    function end(lastEvent = ''): void {
      leave()
      stalled = setTimeout(() => res.destroy(), stallMs)
      res.end(lastEvent, () => req.socket.destroySoon())
    }

    function leave(): void {
      bells.delete(advance)
      clearInterval(heartbeat)
      clearTimeout(stalled)
    }
  })

  return app
  // #endregion
}

// #region 8.3
/** An encoded item, and the number of items before it that were dropped. */
type Frame = { id: number; bytes: Buffer; dropped: number }

function event(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}
// #endregion
