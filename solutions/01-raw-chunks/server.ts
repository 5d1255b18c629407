import { once } from 'node:events'
import express, { type Express } from 'express'
import type { Feed } from '#feed'

/**
 * Serves `GET /quakes.ndjson`, which sends each quake as one line of JSON at the moment it happens.
 *
 * @param feed opened once for each client, and closed when that client disconnects
 */
export function createApp(feed: Feed): Express {
  // #region 1.1 createApp()
  const app = express()

  app.get('/quakes.ndjson', async (req, res) => {
    res.set({
      'Content-Type': 'application/x-ndjson',
      // A cache cannot store an endless stream, and a proxy that compresses the stream would buffer it.
      'Cache-Control': 'no-store, no-transform',
    })
    // Express calls this handler for HEAD as well. HEAD gets only the head.
    if (req.method === 'HEAD') {
      res.end()
      return
    }
    res.flushHeaders()

    const visit = new AbortController()
    // Listen on res, because the 'close' event of req fires as soon as the request has been read.
    res.on('close', () => visit.abort())
    // If the client has already disconnected, 'close' will not fire again.
    if (res.destroyed) visit.abort()

    try {
      for await (const quake of feed.open(visit.signal)) {
        const hasRoom = res.write(`${JSON.stringify(quake)}\n`)
        // Without this wait, a slow client would cost us memory. A closed response never emits 'drain', so the
        // signal must end the wait as well.
        if (!hasRoom) await once(res, 'drain', { signal: visit.signal })
      }
      res.end()
    } catch (error) {
      // It is too late to send a status. But without the chunk of length 0, the client knows that something is missing.
      res.destroy()
      if (!visit.signal.aborted) console.error('the feed failed:', error)
    }
  })

  return app
  // #endregion
}
