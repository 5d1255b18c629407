import express, { type Express } from 'express'
import type { Feed, Quake } from '#feed'

export function createApp(feed: Feed): Express {
  const app = express()
  app.get('/quakes.ndjson', (req, res) => {
    res.status(200).set('Content-Type', 'application/x-ndjson')
    if (req.method === 'HEAD') return void res.end()
    res.flushHeaders()

    const controller = new AbortController()
    const quakes = feed.open(controller.signal)[Symbol.asyncIterator]()
    const leave = (): void => {
      controller.abort()
      void quakes.return?.()
    }
    res.on('close', leave)
    if (res.destroyed) leave()

    const ask = (): void => {
      quakes.next().then(send, () => res.socket?.destroy())
    }
    const send = ({ done, value }: IteratorResult<Quake>): void => {
      if (controller.signal.aborted) return
      if (done) return void res.end()
      if (res.write(`${JSON.stringify(value)}\n`)) ask()
      else res.once('drain', ask)
    }
    ask()
  })
  return app
}
