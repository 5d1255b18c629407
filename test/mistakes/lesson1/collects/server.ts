// fails: 1.2a
// says: no line reached the client
// seen in: honojs/vite-react-stack#24
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

    const lines: string[] = []
    try {
      for await (const quake of feed.open(visit.signal)) {
        lines.push(`${JSON.stringify(quake)}\n`)
      }
      res.end(lines.join(''))
    } catch {
      res.destroy()
    }
  })
  return app
}
