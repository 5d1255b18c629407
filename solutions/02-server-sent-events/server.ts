import { once } from 'node:events'
import express, { type Express } from 'express'
import type { Feed } from '#feed'
import { encodeEvent } from './encode.ts'

/**
 * Serves `GET /events`: every quake of the feed as one server-sent event, its id as the event's id.
 *
 * When the feed has come to its end, whoever asks again gets 204, which tells an EventSource to stop.
 *
 * @param feed opened once for each client, and closed when that client leaves
 * @param options.heartbeatMs how often a comment is sent, so that nobody takes the connection for dead
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
    // The first bytes go out with the head: some proxies and browsers hold a head that comes alone.
    res.write(encodeEvent({ retry: 2000 }))

    const visit = new AbortController()
    res.on('close', () => visit.abort())
    // The client may be gone before this handler is called; then 'close' has been, too.
    if (res.destroyed) visit.abort()

    // A client that does not read needs no sign of life, and would make us store them.
    const heartbeat = setInterval(() => res.writableNeedDrain || res.write(':\n\n'), heartbeatMs)
    try {
      for await (const quake of feed.open(visit.signal)) {
        // One write for the whole event: between two, a heartbeat could end it half-way.
        const hasRoom = res.write(encodeEvent({ id: quake.id, data: JSON.stringify(quake) }))
        if (!hasRoom) await once(res, 'drain', { signal: visit.signal })
      }
      // The signal ends the loop as well, but then only this client is gone.
      if (!visit.signal.aborted) isOver = true
      res.end()
    } catch (error) {
      // The client reconnects by itself, now or when the feed works again.
      res.destroy()
      if (!visit.signal.aborted) console.error('the feed failed:', error)
    } finally {
      clearInterval(heartbeat)
    }
  })

  return app
  // #endregion
}
