import express, { type Express } from 'express'
import type { Feed } from '#feed'
import { encodeEvent } from './encode.ts'

/** Sends heartbeats only while the feed is idle, because every quake restarts the timer. */
export function createApp(feed: Feed, { heartbeatMs = 15_000 } = {}): Express {
  const app = express()
  let over = false

  app.get('/events', async (req, res) => {
    if (over) {
      res.writeHead(204)
      res.end()
      return
    }
    res.set('Content-Type', 'text/event-stream')
    res.set('Cache-Control', 'no-store')
    if (req.method === 'HEAD') {
      res.end()
      return
    }
    const visit = new AbortController()
    let heartbeat: NodeJS.Timeout | undefined
    let resume = () => {}
    const idle = () => {
      clearTimeout(heartbeat)
      if (visit.signal.aborted) return
      heartbeat = setTimeout(() => {
        res.write(':\n\n')
        idle()
      }, heartbeatMs)
    }
    const left = () => {
      visit.abort()
      clearTimeout(heartbeat)
      resume()
    }
    res.on('close', left)
    res.on('drain', () => resume())
    if (res.socket === null || res.destroyed) {
      left()
      return
    }

    res.write(encodeEvent({ retry: 1000 }))
    idle()
    const quakes = feed.open(visit.signal)[Symbol.asyncIterator]()
    try {
      let next = await quakes.next()
      while (!next.done) {
        idle()
        const { value } = next
        const room = res.write(encodeEvent({ data: JSON.stringify(value), id: value.id }))
        if (!room && !visit.signal.aborted) {
          await new Promise<void>((done) => {
            resume = done
          })
        }
        next = await quakes.next()
      }
    } catch {
      left()
      res.destroy()
      return
    }
    clearTimeout(heartbeat)
    if (!visit.signal.aborted) over = true
    res.end()
  })

  return app
}
