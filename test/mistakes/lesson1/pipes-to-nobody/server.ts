// fails: 1.3c
// says: opened the feed for nobody
import { pipeline } from 'node:stream/promises'
import express, { type Express } from 'express'
import type { Feed, Quake } from '#feed'

export function createApp(feed: Feed): Express {
  const app = express()
  app.get('/quakes.ndjson', async (req, res) => {
    res.type('application/x-ndjson')
    if (req.method === 'HEAD') return void res.end()
    res.flushHeaders()
    const visit = new AbortController()
    res.on('close', () => visit.abort())
    // A pipeline onto a response that is destroyed already fails, and leaves the feed as it is.
    await pipeline(feed.open(visit.signal), asLines, res).catch(() => res.destroy())
  })
  return app
}

async function* asLines(quakes: AsyncIterable<Quake>): AsyncGenerator<string> {
  for await (const quake of quakes) yield `${JSON.stringify(quake)}\n`
}
