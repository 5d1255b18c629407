// fails: 4.6a
// says: no event says so to a second client
import { once } from 'node:events'
import compression from 'compression'
import express, { type Express } from 'express'
import { recordedQuakes, type Feed } from '#feed'

/** What the rest of the site shows. */
const week = recordedQuakes()

/**
 * Serves `GET /events`: every quake of the feed as a server-sent event, whatever stands between the server and
 * its clients, and an event `end` when the feed is over. Serves `GET /week.json`, compressed, for those who take it.
 *
 * @param feed opened once for each client, and closed when that client leaves
 * @param options.heartbeatMs how often a comment is sent
 */
export function createApp(feed: Feed, { heartbeatMs = 15_000 } = {}): Express {
  const app = express()
  app.use(compression())

  app.get('/week.json', (_req, res) => void res.json(week))

  let isOver = false
  app.get('/events', async (req, res) => {
    res.set({
      'Content-Type': 'text/event-stream',
      // No cache replays it, and compression() leaves it alone.
      'Cache-Control': 'no-store, no-transform',
      // nginx, and what imitates it, holds nothing back.
      'X-Accel-Buffering': 'no',
    })
    if (isOver) {
      res.status(204).end()
      return
    }
    if (req.method === 'HEAD') {
      res.end()
      return
    }
    // The first bytes go out with the head: some proxies and browsers hold a head that comes alone.
    res.write('retry: 2000\n\n')

    const visit = new AbortController()
    res.on('close', () => visit.abort())
    if (res.destroyed) visit.abort()
    // Keeps the way open; and a proxy that finds its client gone passes that on with the next bytes.
    const heartbeat = setInterval(() => res.writableNeedDrain || res.write(':\n\n'), heartbeatMs)
    try {
      for await (const quake of feed.open(visit.signal)) {
        const hasRoom = res.write(`id: ${quake.id}\ndata: ${JSON.stringify(quake)}\n\n`)
        if (!hasRoom) await once(res, 'drain', { signal: visit.signal })
      }
      // Behind a proxy a crash may look like an end, so an end says that it is one.
      if (!isOver) res.write('event: end\ndata: the feed is over\n\n')
      isOver = true
      res.end()
    } catch (error) {
      res.destroy()
      if (!visit.signal.aborted) console.error('the feed failed:', error)
    } finally {
      clearInterval(heartbeat)
    }
  })

  return app
}
