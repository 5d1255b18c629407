// fails: 1.2a
// says: the line waits for a timer
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

    let pending = ''
    const flush = (): void => {
      if (pending !== '' && !res.writableNeedDrain) res.write(pending)
      pending = ''
    }
    const timer = setInterval(flush, 500)
    try {
      for await (const quake of feed.open(visit.signal)) {
        pending += `${JSON.stringify(quake)}\n`
        if (pending.length < 4000) continue
        const hasRoom = res.write(pending)
        pending = ''
        if (!hasRoom) await once(res, 'drain', { signal: visit.signal })
      }
      res.end(pending)
    } catch {
      res.destroy()
    } finally {
      clearInterval(timer)
    }
  })
  return app
}
