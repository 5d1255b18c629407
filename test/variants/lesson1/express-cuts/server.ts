import { once } from 'node:events'
import express, { Router, type Express } from 'express'
import type { Feed } from '#feed'

// No catch: Express passes the error on, cannot send a status any more, and destroys the socket.
export function createApp(feed: Feed): Express {
  const router = Router()
  router.head('/quakes.ndjson', (_req, res) => {
    res.type('application/jsonl').end()
  })
  router.get('/quakes.ndjson', async (_req, res) => {
    res.type('application/jsonl').flushHeaders()
    if (res.destroyed) return
    const gone = new AbortController()
    res.on('close', () => gone.abort())
    for await (const quake of feed.open(gone.signal)) {
      if (res.write(JSON.stringify(quake) + '\n')) continue
      await Promise.race([once(res, 'drain'), once(res, 'close')])
    }
    res.end()
  })
  router.all('/quakes.ndjson', (_req, res) => {
    res.status(405).set('Allow', 'GET, HEAD').end()
  })
  return express().use(router)
}
