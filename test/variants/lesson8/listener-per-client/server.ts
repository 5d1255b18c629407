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

const POLICIES = ['drop-oldest', 'latest', 'disconnect']

// Each client listens to the shutdown signal, and only a "drain" shows that a client was too slow.
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
  type Frame = { id: number; source: string; text: string }
  let kept: Frame[] = []
  const newest = new Map<string, Frame>()
  const bells = new Set<() => void>()
  const finishes = new Set<() => void>()
  let last = 0
  let isOver = false

  async function run(): Promise<void> {
    for await (const item of mergeSources(sources, shutdown)) {
      last += 1
      const frame = { id: last, source: item.source, text: `id: ${last}\n${encode(item)}\n\n` }
      kept = [...kept, frame].slice(-limit)
      newest.set(item.source, frame)
      for (const ring of bells) ring()
      await nextTurn()
    }
    isOver = true
    for (const finish of finishes) finish()
  }
  void run()

  const app = express()
  app.get('/events', (req, res) => {
    const policy = (req.query.when_slow as string | undefined) ?? 'drop-oldest'
    if (!POLICIES.includes(policy)) return void res.status(400).end()
    res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' })
    if (res.destroyed) return
    res.write(`retry: ${retryMs}\n`)
    say('policy', { when_slow: policy, limit })

    let cursor = last
    const header = req.get('Last-Event-ID')
    if (header) {
      cursor = Number(header)
      if (!/^\d+$/.test(header) || cursor > last) {
        say('gap', { dropped: null })
        cursor = 0
      }
    }

    let patience: NodeJS.Timeout | undefined
    const beat = setInterval(() => {
      if (!res.writableNeedDrain) res.write(':\n\n')
    }, heartbeatMs)
    const drained = (): void => {
      clearTimeout(patience)
      patience = undefined
      const behind = last - cursor
      if (policy === 'disconnect' && behind > limit) finish(() => say('too-slow', { behind }))
      else send()
    }
    const stop = (): void => {
      bells.delete(send)
      finishes.delete(finish)
      shutdown.removeEventListener('abort', finish)
      res.off('drain', drained)
      clearInterval(beat)
      clearTimeout(patience)
    }
    bells.add(send)
    finishes.add(finish)
    shutdown.addEventListener('abort', finish)
    res.on('drain', drained)
    res.on('close', stop)
    send()
    if (isOver) finish()

    function say(name: string, data: unknown): void {
      res.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`)
    }

    function nextFrame(): Frame | undefined {
      if (policy !== 'latest') return kept.find(({ id }) => id > cursor)
      const waiting = [...newest.values()].filter(({ id }) => id > cursor)
      return waiting.sort((one, other) => one.id - other.id)[0]
    }

    function send(): void {
      try {
        while (!res.writableNeedDrain) {
          const frame = nextFrame()
          if (!frame) return
          const dropped = frame.id - cursor - 1
          if (policy !== 'latest' && dropped > 0) say('gap', { dropped })
          res.write(frame.text)
          cursor = frame.id
        }
        patience ??= setTimeout(() => res.destroy(), stallMs)
      } catch {
        res.destroy()
      }
    }

    function finish(act?: unknown): void {
      stop()
      if (res.writableNeedDrain) return void res.destroy()
      if (typeof act === 'function') act()
      patience = setTimeout(() => res.destroy(), stallMs)
      res.end(() => req.socket.destroySoon())
      res.on('close', () => clearTimeout(patience))
    }
  })
  return app
}
