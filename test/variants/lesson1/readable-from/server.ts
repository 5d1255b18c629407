import { Readable } from 'node:stream'
import express, { type Express } from 'express'
import type { Feed } from '#feed'

export function createApp(feed: Feed): Express {
  const app = express()
  app.disable('x-powered-by')
  app.get('/quakes.ndjson', (req, res, next) => {
    res.writeHead(200, { 'Content-Type': 'application/x-ndjson' })
    if (req.method === 'HEAD') return res.end()
    res.flushHeaders()
    if (res.closed) return
    const controller = new AbortController()
    const lines = Readable.from(feed.open(controller.signal)).map(
      (quake: unknown) => `${JSON.stringify(quake)}\n`,
    )
    res.on('close', () => {
      controller.abort()
      lines.destroy()
    })
    lines.on('error', next)
    lines.pipe(res)
  })
  return app
}
