import { setImmediate as nextTurn } from 'node:timers/promises'
import express, { type Express } from 'express'
import { mergeSources, type Item, type Source } from './merge.ts'

export type ServerOptions = {
  limit?: number
  heartbeatMs?: number
  retryMs?: number
  stallMs?: number
  encode?: (item: Item) => string
  shutdown?: AbortSignal
}

export function encodeItem(item: Item): string {
  if ('quake' in item) return `data: ${JSON.stringify(item)}`
  return `event: source-failed\ndata: ${JSON.stringify({ source: item.source })}`
}

type Frame = { id: number; source: string; text: string }

/** A client with its own queue. What one client has not read is nobody else's business. */
type Client = { push(frame: Frame): void; finish(): void }

// A queue per client instead of a cursor into a shared ring.
export function createApp(
  sources: readonly Source[],
  {
    limit = 1000,
    heartbeatMs = 15_000,
    retryMs = 2000,
    stallMs = 30_000,
    encode = encodeItem,
    shutdown = new AbortController().signal,
  }: ServerOptions = {},
): Express {
  const kept: Frame[] = []
  const newest: Record<string, Frame> = {}
  let count = 0
  let clients: Client[] = []
  let isOver = false

  void (async () => {
    for await (const item of mergeSources(sources, shutdown)) {
      count += 1
      const text = `id:${count}\n${encode(item)}\n\n`
      const frame = { id: count, source: item.source, text }
      kept.push(frame)
      if (kept.length > limit) kept.shift()
      newest[item.source] = frame
      for (const client of [...clients]) client.push(frame)
      await nextTurn()
    }
    isOver = true
    for (const client of [...clients]) client.finish()
  })()

  const app = express()
  app.get('/events', (req, res) => {
    const policy = req.query.when_slow ?? 'drop-oldest'
    if (policy !== 'drop-oldest' && policy !== 'latest' && policy !== 'disconnect') {
      res.sendStatus(400)
      return
    }
    res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
    res.write(`retry: ${retryMs}\n\n`)
    res.write(`event: policy\ndata: ${JSON.stringify({ when_slow: policy, limit })}\n\n`)

    let dropped = 0
    let queue: Frame[] = []
    let patience: NodeJS.Timeout | undefined
    const beat = setInterval(() => {
      if (!res.writableNeedDrain) res.write(': still here\n\n')
    }, heartbeatMs)

    const cut = (): void => void res.destroy()

    /** Writes what is waiting, until the response is full. */
    function flush(): void {
      clearTimeout(patience)
      while (!res.writableNeedDrain && (dropped > 0 || queue.length > 0)) {
        if (dropped > 0) {
          const lost = dropped
          dropped = 0
          res.write(`event: gap\ndata: {"dropped":${lost}}\n\n`)
        } else {
          res.write(queue.shift()!.text)
        }
      }
      if (res.writableNeedDrain) patience = setTimeout(cut, stallMs)
    }

    function say(last: string): void {
      stop()
      queue = []
      patience = setTimeout(cut, stallMs)
      res.write(last)
      res.end(() => req.socket.end())
    }

    function stop(): void {
      clients = clients.filter((one) => one !== client)
      clearInterval(beat)
      clearTimeout(patience)
    }

    const client: Client = {
      push(frame) {
        if (policy === 'latest') queue = queue.filter(({ source }) => source !== frame.source)
        queue.push(frame)
        // A frame that can be written now was never waiting.
        try {
          if (!res.writableNeedDrain) flush()
        } catch {
          stop()
          cut()
          return
        }
        if (policy === 'latest' || queue.length <= limit) return
        if (policy === 'disconnect') {
          say(`event: too-slow\ndata: {"behind":${queue.length}}\n\n`)
        } else {
          queue.shift()
          dropped += 1
        }
      },
      finish() {
        if (res.writableNeedDrain) cut()
        else say(': over\n\n')
      },
    }

    res.on('drain', () => {
      if (!res.writableEnded) flush()
    })
    res.on('close', stop)
    if (res.destroyed) return stop()

    const given = req.headers['last-event-id']
    if (typeof given === 'string' && given !== '') {
      const from = /^[0-9]+$/.test(given) && Number(given) <= count ? Number(given) : undefined
      if (from === undefined) res.write('event: gap\ndata: {"dropped":null}\n\n')
      if (policy === 'latest') {
        queue = Object.values(newest).filter(({ id }) => id > (from ?? 0))
        queue.sort((a, b) => a.id - b.id)
      } else {
        queue = kept.filter(({ id }) => id > (from ?? 0))
        if (from !== undefined && queue.length > 0) dropped = queue[0]!.id - from - 1
      }
    }
    clients = [...clients, client]
    flush()
    if (isOver) client.finish()
  })
  return app
}
