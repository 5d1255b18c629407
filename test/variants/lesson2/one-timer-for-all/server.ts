import { once } from 'node:events'
import express, { type Express, type Response } from 'express'
import type { Feed } from '#feed'
import { encodeEvent } from './encode.ts'

/** Sends heartbeats to all clients with one timer, which does not keep the process alive. */
export function createApp(feed: Feed, { heartbeatMs = 15_000 } = {}): Express {
  const app = express()
  const clients = new Set<Response>()
  let finished = false

  setInterval(() => {
    for (const client of clients) client.write(': still here\r\n\r\n')
  }, heartbeatMs).unref()

  app.head('/events', (_req, res) => {
    res.type('text/event-stream').set('Cache-Control', 'no-cache').end()
  })

  app.get('/events', async (_req, res) => {
    if (finished) return void res.sendStatus(204)
    const gone = new AbortController()
    res.once('close', () => {
      clients.delete(res)
      gone.abort()
    })
    if (res.closed || res.destroyed) return
    res.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-cache',
      'X-Accel-Buffering': 'no',
    })
    res.write(`:welcome\r\n\r\n${encodeEvent({ retry: 5000 })}`)
    clients.add(res)
    try {
      for await (const quake of feed.open(gone.signal)) {
        if (!res.write(encodeEvent({ data: JSON.stringify(quake), id: quake.id }))) {
          await once(res, 'drain', { signal: gone.signal })
        }
      }
      if (!gone.signal.aborted) {
        finished = true
        res.end()
      }
    } catch {
      res.destroy()
    }
  })

  return app
}
