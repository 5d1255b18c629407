// fails: 2.4h
// says: HEAD is answered before the head is set
import { once } from 'node:events'
import express, { type Express } from 'express'
import type { Feed } from '#feed'
import { encodeEvent } from './encode.ts'

export function createApp(feed: Feed, { heartbeatMs = 15_000 } = {}): Express {
  const app = express()
  let isOver = false

  app.get('/events', async (req, res) => {
    if (isOver) {
      res.status(204).end()
      return
    }
    if (req.method === 'HEAD') {
      res.sendStatus(200)
      return
    }
    res.set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store, no-transform' })
    res.write(encodeEvent({ retry: 2000 }))

    const visit = new AbortController()
    res.on('close', () => visit.abort())
    if (res.destroyed) visit.abort()

    const heartbeat = setInterval(() => res.writableNeedDrain || res.write(':\n\n'), heartbeatMs)
    try {
      for await (const quake of feed.open(visit.signal)) {
        const hasRoom = res.write(encodeEvent({ id: quake.id, data: JSON.stringify(quake) }))
        if (!hasRoom) await once(res, 'drain', { signal: visit.signal })
      }
      if (!visit.signal.aborted) isOver = true
      res.end()
    } catch {
      res.destroy()
    } finally {
      clearInterval(heartbeat)
    }
  })

  return app
}
