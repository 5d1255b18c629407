// fails: 1.2a
// says: no line reached the client
// seen in: dpskvn/express-sse#26, where a compressing middleware holds the last event
import { once } from 'node:events'
import express, { type Express } from 'express'
import type { Feed } from '#feed'

export function createApp(feed: Feed): Express {
  const app = express()
  app.get('/quakes.ndjson', async (req, res) => {
    res.set({ 'Content-Type': 'application/x-ndjson', 'Cache-Control': 'no-store, no-transform' })
    if (req.method === 'HEAD') {
      res.end()
      return
    }
    res.flushHeaders()

    const visit = new AbortController()
    res.on('close', () => visit.abort())
    if (res.destroyed) visit.abort()

    let held = ''
    try {
      for await (const quake of feed.open(visit.signal)) {
        if (held && !res.write(held)) await once(res, 'drain', { signal: visit.signal })
        held = `${JSON.stringify(quake)}\n`
      }
      res.end(held)
    } catch {
      res.destroy()
    }
  })
  return app
}
