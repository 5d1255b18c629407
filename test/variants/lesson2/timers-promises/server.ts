import { once } from 'node:events'
import { setInterval as every } from 'node:timers/promises'
import express, { type Express, type Response } from 'express'
import type { Feed } from '#feed'
import { encodeEvent } from './encode.ts'

export function createApp(feed: Feed, { heartbeatMs = 15_000 } = {}): Express {
  const app = express()
  const state = { over: false }

  app.get('/events', (req, res, next) => {
    if (state.over) res.sendStatus(204)
    else if (req.method === 'HEAD') res.type('text/event-stream').set('Connection', 'close').end()
    else next()
  })

  app.get('/events', async (_req, res) => {
    res.setHeader('Content-Type', 'text/event-stream')
    res.setHeader('Cache-Control', ['private, no-cache', 'no-transform'])
    const visit = new AbortController()
    const { signal } = visit
    if (res.destroyed) return
    res.on('close', () => visit.abort())
    res.flushHeaders()
    res.write('retry: 3000\n\n')
    void beat(res, signal)

    const quakes = feed.open(signal)
    try {
      for await (const quake of quakes) {
        const flushed = res.write(encodeEvent({ id: quake.id, data: JSON.stringify(quake) }))
        if (!flushed) await once(res, 'drain', { signal })
      }
    } catch (error) {
      if (!signal.aborted) res.destroy(error as Error)
      return
    }
    if (signal.aborted) return
    state.over = true
    res.end()
  })

  async function beat(res: Response, signal: AbortSignal): Promise<void> {
    try {
      for await (const _ of every(heartbeatMs, undefined, { signal })) {
        if (!res.writableNeedDrain) res.write(':♥\n\n')
      }
    } catch {
      // The client disconnected.
    }
  }

  return app
}
