import { once } from 'node:events'
import { constants, createGzip } from 'node:zlib'
import compression from 'compression'
import express, { type Express } from 'express'
import { recordedQuakes, type Feed } from '#feed'

const week = recordedQuakes()

/** Compresses the stream itself, and flushes after each write. */
export function createApp(feed: Feed, { heartbeatMs = 15_000 } = {}): Express {
  const app = express()

  app.get('/week.json', compression(), (_req, res) => void res.json(week))

  app.get('/events', async (req, res) => {
    res.set({
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-cache',
      'X-Accel-Buffering': 'no',
      Vary: 'Accept-Encoding',
    })
    if (req.method === 'HEAD') {
      res.end()
      return
    }
    const zip = req.acceptsEncodings('gzip')
      ? createGzip({ flush: constants.Z_SYNC_FLUSH })
      : undefined
    if (zip) {
      res.set('Content-Encoding', 'gzip')
      zip.pipe(res)
    }
    const out = zip ?? res
    out.write('retry: 2000\n\n')

    const visit = new AbortController()
    res.on('close', () => visit.abort())
    if (res.destroyed) visit.abort()
    const heartbeat = setInterval(() => out.writableNeedDrain || out.write(':\n\n'), heartbeatMs)
    try {
      for await (const quake of feed.open(visit.signal)) {
        const hasRoom = out.write(`id: ${quake.id}\ndata: ${JSON.stringify(quake)}\n\n`)
        if (!hasRoom) await once(out, 'drain', { signal: visit.signal })
      }
      out.end('event: end\ndata: the feed is over\n\n')
    } catch (error) {
      // Cuts the connection without sending the rest of the compressor's output, so the body has no end.
      res.destroy()
      if (!visit.signal.aborted) console.error('the feed failed:', error)
    } finally {
      clearInterval(heartbeat)
    }
  })

  return app
}
