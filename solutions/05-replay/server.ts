import { once } from 'node:events'
import express, { type Express } from 'express'
import type { History } from './history.ts'

export type ServerOptions = {
  /** The interval between heartbeats while the stream is idle. */
  heartbeatMs?: number
  /** The reconnection time that is sent in the `retry` field. */
  retryMs?: number
  /** Aborts when the server shuts down, so that its clients reconnect to another server. */
  shutdown?: AbortSignal
}

/**
 * Serves `GET /events`. Replays the entries after `Last-Event-ID` as server-sent events, then sends new entries, each once
 * and in order. A client without that header gets all entries that are kept.
 *
 * An event named `gap` says that quakes may be missing before the next event. After the history has ended, a client that has
 * everything gets 204.
 */
export function createApp(
  history: History,
  { heartbeatMs = 15_000, retryMs = 2000, shutdown }: ServerOptions = {},
): Express {
  // #region 5.2 createApp()
  const app = express()

  app.get('/events', async (req, res) => {
    let cursor = req.get('Last-Event-ID') || undefined
    // If this fails, the loop reads again, and cuts the connection on an error. An EventSource never reconnects after a 500.
    const rest = history.isOver ? await history.after(cursor).catch(() => undefined) : undefined
    if (rest?.entries.length === 0) {
      res.status(204).end()
      return
    }
    res.set({
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-store, no-transform',
      'X-Accel-Buffering': 'no',
    })
    if (req.method === 'HEAD') {
      res.end()
      return
    }
    res.write(`retry: ${retryMs}\n\n`)

    const visit = new AbortController()
    const leave = (): void => visit.abort()
    res.on('close', leave)
    shutdown?.addEventListener('abort', leave)
    // Both events may have fired before this handler was called. They will not fire again.
    if (res.destroyed || shutdown?.aborted) leave()

    let wake = (): void => {}
    visit.signal.addEventListener('abort', () => wake())
    const unsubscribe = history.subscribe({ onEntry: () => wake(), onOver: () => wake() })
    const heartbeat = setInterval(() => res.writableNeedDrain || res.write(':\n\n'), heartbeatMs)
    try {
      while (!visit.signal.aborted) {
        // Create the promise before the read. Otherwise an entry that is appended during the read does not wake the loop.
        const news = new Promise<void>((resolve) => (wake = resolve))
        const { isOver } = history
        const { entries, isGap } = await history.after(cursor)
        if (isGap) {
          res.write('event: gap\ndata: quakes may be missing here\n\n')
          // The next read must not report the same gap again.
          cursor = undefined
        }
        for (const { id, quake } of entries) {
          if (visit.signal.aborted) break
          const hasRoom = res.write(`id: ${id}\ndata: ${JSON.stringify(quake)}\n\n`)
          cursor = id
          if (!hasRoom) await once(res, 'drain', { signal: visit.signal })
        }
        if (entries.length > 0) continue
        if (isOver) break
        await news
      }
      // A heartbeat after the end would be an uncaught error.
      clearInterval(heartbeat)
      // Close the connection as well, so that the client's next request can reach another server.
      res.end(() => req.socket.destroySoon())
      // A stalled client has until the shutdown to read the rest. Then it is cut off, and reconnects for what is missing.
      if (!res.writableFinished) await once(res, 'finish', { signal: visit.signal })
    } catch (error) {
      // After a cut, the client reconnects with its cursor.
      res.destroy()
      if (!visit.signal.aborted) console.error('the history failed:', error)
    } finally {
      clearInterval(heartbeat)
      unsubscribe()
      shutdown?.removeEventListener('abort', leave)
    }
  })

  return app
  // #endregion
}
