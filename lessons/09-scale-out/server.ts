import { once, setMaxListeners } from 'node:events'
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
 * Serves `GET /events` as in lesson 5: replays the entries after `Last-Event-ID`, then sends new entries, each once and in
 * order. An event named `gap` says that quakes may be missing before the next event.
 */
export function createApp(
  history: History,
  { heartbeatMs = 15_000, retryMs = 2000, shutdown }: ServerOptions = {},
): Express {
  const app = express()
  // Each client adds a listener. Node would warn of a leak at the eleventh.
  if (shutdown) setMaxListeners(0, shutdown)

  app.get('/events', async (req, res) => {
    let cursor = req.get('Last-Event-ID') || undefined
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
    const unsubscribe = history.subscribe(() => wake())
    const heartbeat = setInterval(() => res.writableNeedDrain || res.write(':\n\n'), heartbeatMs)
    try {
      while (!visit.signal.aborted) {
        // Create the promise before the read. Otherwise an entry that is appended during the read does not wake the loop.
        const news = new Promise<void>((resolve) => (wake = resolve))
        // A history in another process may be away for an hour. Its client may leave before that.
        const answer = await unlessAborted(history.after(cursor), visit.signal)
        if (!answer) break
        if (answer.isGap) {
          res.write('event: gap\ndata: quakes may be missing here\n\n')
          // The next read must not report the same gap again.
          cursor = undefined
        }
        for (const { id, quake } of answer.entries) {
          if (visit.signal.aborted) break
          const hasRoom = res.write(`id: ${id}\ndata: ${JSON.stringify(quake)}\n\n`)
          cursor = id
          // If the wait is aborted, the loop ends the response after this event.
          if (!hasRoom) await once(res, 'drain', { signal: visit.signal }).catch(() => {})
        }
        if (answer.entries.length === 0) await news
      }
      // Close the connection as well, so that the client's next request can reach another server.
      res.end(() => req.socket.destroySoon())
    } catch (error) {
      // After a cut, the client reconnects with its cursor.
      res.destroy()
      console.error('the history failed:', error)
    } finally {
      clearInterval(heartbeat)
      unsubscribe()
      shutdown?.removeEventListener('abort', leave)
    }
  })

  return app
}

/** Resolves like the promise, or to undefined as soon as the signal aborts. */
function unlessAborted<T>(coming: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const stop = (): void => resolve(undefined)
    signal.addEventListener('abort', stop)
    const settle = (): void => signal.removeEventListener('abort', stop)
    coming.then(resolve, reject).finally(settle)
  })
}
