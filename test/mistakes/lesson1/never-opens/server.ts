// fails: 1.2a
// says: your handler has not opened the feed
import express, { type Express } from 'express'
import type { Feed } from '#feed'

export function createApp(_feed: Feed): Express {
  const app = express()
  app.get('/quakes.ndjson', async (req, res) => {
    res.set({ 'Content-Type': 'application/x-ndjson', 'Cache-Control': 'no-store, no-transform' })
    if (req.method === 'HEAD') {
      res.end()
      return
    }
    res.flushHeaders()

    // To do: the quakes.
  })
  return app
}
