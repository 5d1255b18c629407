import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import express, { type Express } from 'express'
import type { Feed, Quake } from '#feed'

// The web stream pulls from the iterator, and closes it when the response closes. Nothing aborts the signal.
export function createApp(feed: Feed): Express {
  const app = express()
  app.get('/quakes.ndjson', async (req, res) => {
    res.set('Content-Type', 'application/x-ndjson')
    if (req.method === 'HEAD') return void res.end()
    res.flushHeaders()
    if (res.destroyed) return
    const quakes = ReadableStream.from<Quake>(feed.open(new AbortController().signal))
    const lines = new TransformStream<Quake, Uint8Array>({
      transform(quake, controller) {
        controller.enqueue(Buffer.from(`${JSON.stringify(quake)}\n`))
      },
    })
    await pipeline(Readable.fromWeb(quakes.pipeThrough(lines)), res).catch(() => res.destroy())
  })
  return app
}
