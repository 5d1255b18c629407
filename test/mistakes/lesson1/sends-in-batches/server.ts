// fails: 1.2a
// says: no line reached the client
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

    const batch: string[] = []
    try {
      for await (const quake of feed.open(visit.signal)) {
        batch.push(`${JSON.stringify(quake)}\n`)
        if (batch.length < 4) continue
        if (!res.write(batch.splice(0).join(''))) await once(res, 'drain', { signal: visit.signal })
      }
      res.end(batch.join(''))
    } catch {
      res.destroy()
    }
  })
  return app
}
