import { once } from 'node:events'
import express, { type Express } from 'express'
import type { Feed } from '#feed'

// Has timers, but no line waits long for a timer. Lets other requests go first, and checks for a disconnect at intervals.
export function createApp(feed: Feed): Express {
  const app = express()
  app.get('/quakes.ndjson', async (req, res) => {
    res.set('Content-Type', 'application/x-ndjson')
    if (req.method === 'HEAD') return void res.end()
    res.flushHeaders()
    // The client gets the head before the feed is opened.
    await new Promise((others) => setImmediate(others))
    const visit = new AbortController()
    const leave = (): void => {
      clearInterval(watch)
      visit.abort()
    }
    const watch = setInterval(() => res.destroyed && leave(), 1000)
    res.once('close', leave)
    if (res.destroyed) leave()
    try {
      for await (const quake of feed.open(visit.signal)) {
        const hasRoom = res.write(`${JSON.stringify(quake)}\n`)
        if (!hasRoom) await once(res, 'drain', { signal: visit.signal })
        await new Promise((others) => setTimeout(others))
      }
      res.end()
    } catch {
      res.destroy()
    }
  })
  return app
}
