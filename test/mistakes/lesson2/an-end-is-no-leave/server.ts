// fails: 2.4n
// says: where only clients that leave, or errors, come by
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
    res.set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store, no-transform' })
    if (req.method === 'HEAD') {
      res.end()
      return
    }
    res.write(encodeEvent({ retry: 2000 }))

    const visit = new AbortController()
    const heartbeat = setInterval(() => {
      if (!res.writableNeedDrain && !res.writableEnded) res.write(':\n\n')
    }, heartbeatMs)
    visit.signal.addEventListener('abort', () => clearInterval(heartbeat))
    res.on('close', () => {
      // Who got it all has not left.
      if (!res.writableFinished) visit.abort()
    })
    if (res.destroyed) visit.abort()

    try {
      for await (const quake of feed.open(visit.signal)) {
        const hasRoom = res.write(encodeEvent({ id: quake.id, data: JSON.stringify(quake) }))
        if (!hasRoom) await once(res, 'drain', { signal: visit.signal })
      }
      if (!visit.signal.aborted) isOver = true
      res.end()
    } catch {
      res.destroy()
    }
  })

  return app
}
