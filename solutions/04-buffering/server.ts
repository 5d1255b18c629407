import { once } from 'node:events'
import compression from 'compression'
import express, { type Express } from 'express'
import { recordedQuakes, type Feed } from '#feed'

/** The data of the rest of the site. */
const week = recordedQuakes()

/**
 * Creates an app that serves `GET /events` and `GET /week.json`. `/events` sends each quake of the feed as a
 * server-sent event, through any proxy, and an event named "end" when the feed ends. `/week.json` is compressed for
 * clients that accept compression.
 *
 * @param feed opened once for each client, and closed when that client disconnects
 * @param options.heartbeatMs the interval between two comments, in milliseconds
 */
export function createApp(feed: Feed, { heartbeatMs = 15_000 } = {}): Express {
  // #region 4.2 createApp()
  const app = express()
  app.use(compression())

  app.get('/week.json', (_req, res) => void res.json(week))

  app.get('/events', async (req, res) => {
    res.set({
      'Content-Type': 'text/event-stream',
      // Keeps caches from replaying the stream, and compression() from compressing it.
      'Cache-Control': 'no-store, no-transform',
      // Switches buffering off in nginx, and in proxies that imitate it.
      'X-Accel-Buffering': 'no',
    })
    if (req.method === 'HEAD') {
      res.end()
      return
    }
    // Some proxies and browsers delay a head without a body, so send some bytes with it.
    res.write('retry: 2000\n\n')

    const visit = new AbortController()
    res.on('close', () => visit.abort())
    if (res.destroyed) visit.abort()
    // Keeps the connection open. Some proxies report a disconnect only when they get more bytes.
    const heartbeat = setInterval(() => res.writableNeedDrain || res.write(':\n\n'), heartbeatMs)
    try {
      for await (const quake of feed.open(visit.signal)) {
        const hasRoom = res.write(`id: ${quake.id}\ndata: ${JSON.stringify(quake)}\n\n`)
        if (!hasRoom) await once(res, 'drain', { signal: visit.signal })
      }
      // A proxy may make a crash look like an end, so mark the real end with an event.
      res.end('event: end\ndata: the feed is over\n\n')
    } catch (error) {
      res.destroy()
      if (!visit.signal.aborted) console.error('the feed failed:', error)
    } finally {
      clearInterval(heartbeat)
    }
  })

  return app
  // #endregion
}
