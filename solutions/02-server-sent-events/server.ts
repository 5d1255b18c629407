import { once } from 'node:events'
import express, { type Express } from 'express'
import type { Feed } from '#feed'
import { encodeEvent } from './encode.ts'

/**
 * Returns an app that serves `GET /events`, and sends each quake of the feed as one server-sent event with the quake's ID.
 *
 * After the feed has ended, every request gets 204, which tells an EventSource to stop.
 *
 * @param feed opened once for each client, and closed when that client disconnects
 * @param options.heartbeatMs the interval of the comments that keep proxies from cutting an idle connection
 */
export function createApp(feed: Feed, { heartbeatMs = 15_000 } = {}): Express {
  // #region 2.2 createApp()
  const app = express()
  let isOver = false

  app.get('/events', async (req, res) => {
    if (isOver) {
      res.status(204).end()
      return
    }
    res.set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store, no-transform' })
    if (req.method === 'HEAD') {
      res.end()
      return
    }
    // Send the first bytes with the head, because some proxies and browsers delay the head until the body begins.
    res.write(encodeEvent({ retry: 2000 }))

    const visit = new AbortController()
    res.on('close', () => visit.abort())
    // Already disconnected: 'close' will not fire again.
    if (res.destroyed) visit.abort()

    // A stalled client needs no heartbeats, and heartbeats for it would fill our memory.
    const heartbeat = setInterval(() => res.writableNeedDrain || res.write(':\n\n'), heartbeatMs)
    try {
      for await (const quake of feed.open(visit.signal)) {
        // Write the whole event at once, because a heartbeat between two writes would split it.
        const hasRoom = res.write(encodeEvent({ id: quake.id, data: JSON.stringify(quake) }))
        if (!hasRoom) await once(res, 'drain', { signal: visit.signal })
      }
      // The loop also ends after a disconnect, but then the feed continues for other clients.
      if (!visit.signal.aborted) isOver = true
      res.end()
    } catch (error) {
      // Cut the connection, so that the client reconnects.
      res.destroy()
      if (!visit.signal.aborted) console.error('the feed failed:', error)
    } finally {
      clearInterval(heartbeat)
    }
  })

  return app
  // #endregion
}
