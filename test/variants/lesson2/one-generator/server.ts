import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import express, { type Express } from 'express'
import type { Feed, Quake } from '#feed'
import { encodeEvent } from './encode.ts'

type Next = IteratorResult<Quake, undefined>

/** Yields the text of each quake, and a comment whenever no quake has happened for a while. */
async function* messages(feed: Feed, heartbeatMs: number, signal: AbortSignal) {
  yield encodeEvent({ retry: 2000 })
  const quakes = feed.open(signal)[Symbol.asyncIterator]()
  try {
    let next: Promise<Next> | undefined
    while (!signal.aborted) {
      next ??= quakes.next() as Promise<Next>
      const stop = new AbortController()
      const idle = sleep(heartbeatMs, undefined, { signal: stop.signal }).catch(() => undefined)
      const result: Next | undefined = await Promise.race([next, idle]).finally(() => stop.abort())
      if (!result) {
        yield ': nothing has happened\n\n'
      } else {
        if (result.done) return
        next = undefined
        yield encodeEvent({ data: JSON.stringify(result.value), id: result.value.id })
      }
    }
  } finally {
    await quakes.return?.()
  }
}

export function createApp(feed: Feed, { heartbeatMs = 15_000 } = {}): Express {
  const app = express()
  let over = false

  app
    .route('/events')
    .head((_req, res) => {
      res.type('text/event-stream').end()
    })
    .get(async (_req, res) => {
      if (over) {
        res.status(204).end()
        return
      }
      const visit = new AbortController()
      res.on('close', () => visit.abort())
      if (res.destroyed) return
      res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
      try {
        for await (const message of messages(feed, heartbeatMs, visit.signal)) {
          if (!res.write(message)) await once(res, 'drain', { signal: visit.signal })
        }
        if (!visit.signal.aborted) over = true
        res.end()
      } catch {
        res.destroy()
      }
    })

  return app
}
