import { once } from 'node:events'
import express, { type Express } from 'express'
import type { Feed } from '#feed'

/**
 * Serves `GET /quakes.ndjson`: every quake of the feed as one line of JSON, at the moment it happens.
 *
 * @param feed opened once for each client, and closed when that client leaves
 */
export function createApp(feed: Feed): Express {
  // #region 1.1 createApp()
  const app = express()

  app.get('/quakes.ndjson', async (req, res) => {
    res.set({
      'Content-Type': 'application/x-ndjson',
      // A stream is nothing to store, and a proxy that compresses it would hold it back.
      'Cache-Control': 'no-store, no-transform',
    })
    // Express sends HEAD requests here too. They want the head and nothing else.
    if (req.method === 'HEAD') {
      res.end()
      return
    }
    res.flushHeaders()

    const visit = new AbortController()
    // res, not req: 'close' of req fires as soon as the request has been read.
    res.on('close', () => visit.abort())
    // The client may be gone before this handler is called; then 'close' has been, too.
    if (res.destroyed) visit.abort()

    try {
      for await (const quake of feed.open(visit.signal)) {
        const hasRoom = res.write(`${JSON.stringify(quake)}\n`)
        // The socket is full: wait for drain, or a slow reader costs us memory. It never comes when the
        // client has left, so the wait ends with the visit.
        if (!hasRoom) await once(res, 'drain', { signal: visit.signal })
      }
      res.end()
    } catch (error) {
      // Too late for a status. Without the chunk of length 0 the client knows that something is missing.
      res.destroy()
      if (!visit.signal.aborted) console.error('the feed failed:', error)
    }
  })

  return app
  // #endregion
}
