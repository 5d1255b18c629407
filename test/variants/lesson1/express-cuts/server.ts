import { once } from 'node:events'
import express, { Router, type Express } from 'express'
import type { Feed } from '#feed'

// Waits until the system has accepted each line. Catches nothing, because Express passes the error on, cannot send a
// status any more, and destroys the socket.
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
    const left = once(res, 'close')
    for await (const quake of feed.open(gone.signal)) {
      const taken = new Promise((done) => res.write(JSON.stringify(quake) + '\n', done))
      await Promise.race([taken, left])
    }
    res.end()
  })
  router.all('/quakes.ndjson', (_req, res) => {
    res.status(405).set('Allow', 'GET, HEAD').end()
  })
  return express().use(router)
}
