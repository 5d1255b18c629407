import { finished } from 'node:stream'
import express, { type Express } from 'express'
import type { Feed } from '#feed'

// Sends the keys in another order and a CRLF after each line, and closes the feed through its iterator.
export function createApp(feed: Feed): Express {
  const app = express()
  app.get('/quakes.ndjson', async (req, res) => {
    res.contentType('application/x-ndjson')
    if (req.method === 'HEAD') {
      res.end()
      return
    }
    res.flushHeaders()
    const never = new AbortController().signal
    const quakes = feed.open(never)[Symbol.asyncIterator]()
    let left = false
    let hasRoom = (): void => {}
    finished(res, () => {
      left = true
      void quakes.return?.()
      hasRoom()
    })
    res.on('drain', () => hasRoom())
    try {
      for (;;) {
        const { done, value: quake } = await quakes.next()
        if (left) return
        if (done) break
        const line = JSON.stringify(Object.fromEntries(Object.entries(quake).reverse()))
        if (res.write(`${line}\r\n`)) continue
        await new Promise<void>((resolve) => {
          hasRoom = resolve
        })
      }
      res.end()
    } catch {
      res.destroy()
    }
  })
  return app
}
