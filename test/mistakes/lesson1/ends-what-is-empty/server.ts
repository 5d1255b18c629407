// fails: 1.5a
// says: The feed failed before its first quake
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

    let sent = 0
    try {
      for await (const quake of feed.open(visit.signal)) {
        sent += 1
        const hasRoom = res.write(`${JSON.stringify(quake)}\n`)
        if (!hasRoom) await once(res, 'drain', { signal: visit.signal })
      }
      res.end()
    } catch {
      if (sent > 0) res.destroy()
      else res.end()
    }
  })
  return app
}
