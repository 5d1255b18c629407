import { pipeline } from 'node:stream/promises'
import express, { type Express } from 'express'
import type { Feed, Quake } from '#feed'

export function createApp(feed: Feed): Express {
  const app = express()
  app.get('/quakes.ndjson', async (req, res) => {
    res.setHeader('content-type', 'application/x-ndjson; charset=utf-8')
    if (req.method === 'HEAD') return void res.end()
    res.flushHeaders()
    const leaving = new AbortController()
    if (res.destroyed) return
    res.once('close', () => leaving.abort())
    try {
      await pipeline(feed.open(leaving.signal), asLines, res)
    } catch (error) {
      if (!leaving.signal.aborted) console.error(error)
    }
  })
  return app
}

async function* asLines(quakes: AsyncIterable<Quake>): AsyncGenerator<string> {
  for await (const quake of quakes) yield `${JSON.stringify(quake)}\n`
}
