import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import express, { type Express } from 'express'
import type { Feed } from '#feed'
import { encodeEvent } from './encode.ts'

/** Uses a pipeline, which handles backpressure, disconnects and errors. */
export function createApp(feed: Feed, { heartbeatMs = 15_000 } = {}): Express {
  let over = false

  async function* events(signal: AbortSignal): AsyncGenerator<string> {
    yield encodeEvent({ retry: 2000 })
    for await (const quake of feed.open(signal)) {
      // JSON on several lines is fine, because each line gets its own field.
      yield encodeEvent({ id: quake.id, data: JSON.stringify(quake, null, 1) })
    }
    over = !signal.aborted
  }

  const app = express()
  app.get('/events', async (req, res) => {
    if (over) return res.status(204).end()
    res.type('text/event-stream').set('Cache-Control', 'no-store')
    if (req.method === 'HEAD') return res.end()
    if (res.destroyed) return
    const leaves = new AbortController()
    const heartbeat = setInterval(() => {
      if (res.writableLength === 0) res.write(':\n')
    }, heartbeatMs)
    res.on('close', () => {
      clearInterval(heartbeat)
      leaves.abort()
    })
    await pipeline(Readable.from(events(leaves.signal)), res).catch(() => res.destroy())
  })
  return app
}
