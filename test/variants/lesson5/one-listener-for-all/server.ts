import { EventEmitter, on, once } from 'node:events'
import express, { type Express, type Response } from 'express'
import type { Entry, History } from './history.ts'

export type ServerOptions = {
  heartbeatMs?: number
  retryMs?: number
  shutdown?: AbortSignal
}

// Uses one listener, from the start, and one heartbeat for the whole app. Each client reads the entries after its cursor
// one by one.
export function createApp(
  history: History,
  { heartbeatMs = 15_000, retryMs = 2000, shutdown }: ServerOptions = {},
): Express {
  const app = express()
  const bell = new EventEmitter().setMaxListeners(0)
  const responses = new Set<Response>()
  let heartbeat: NodeJS.Timeout | undefined
  const ring = (): void => void bell.emit('news')
  const stopListening = history.subscribe({ onEntry: ring, onOver: ring })
  shutdown?.addEventListener('abort', stopListening)

  function joins(res: Response): void {
    responses.add(res)
    heartbeat ??= setInterval(beat, heartbeatMs)
  }

  function beat(): void {
    for (const res of responses) if (!res.writableNeedDrain) res.write(': still here\n\n')
  }

  function leaves(res: Response): void {
    responses.delete(res)
    if (responses.size > 0) return
    clearInterval(heartbeat)
    heartbeat = undefined
  }

  async function* entriesBehind(
    first: string | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<Entry | 'gap'> {
    let cursor = first
    const news = on(bell, 'news', { signal })
    for (;;) {
      const wasOver = history.isOver
      const { entries, isGap } = await history.after(cursor)
      if (signal.aborted) return
      if (isGap) {
        cursor = undefined
        yield 'gap'
      }
      for (const entry of entries) {
        cursor = entry.id
        yield entry
      }
      if (entries.length > 0) continue
      if (wasOver) return
      await news.next()
    }
  }

  app.get('/events', async (req, res) => {
    const cursor = req.header('last-event-id')
    const id = cursor === '' ? undefined : cursor
    if (history.isOver) {
      try {
        const { entries } = await history.after(id)
        if (entries.length === 0) return void res.sendStatus(204)
      } catch {
        return void res.destroy()
      }
    }
    res.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-cache',
      'X-Accel-Buffering': 'NO',
    })
    if (req.method === 'HEAD') return void res.end()
    res.write(`retry:${retryMs}\n\n`)
    if (shutdown?.aborted) return void res.end(() => req.socket.end())

    const visit = new AbortController()
    const leave = (): void => visit.abort()
    res.on('close', leave)
    shutdown?.addEventListener('abort', leave, { once: true })
    if (res.destroyed) leave()
    joins(res)
    try {
      for await (const entry of entriesBehind(id, visit.signal)) {
        const text =
          entry === 'gap'
            ? 'event:gap\ndata:gap\n\n'
            : `data:${JSON.stringify(entry.quake)}\nid:${entry.id}\n\n`
        if (!res.write(text)) await once(res, 'drain', { signal: visit.signal })
      }
      res.end(() => req.socket.end())
    } catch {
      if (shutdown?.aborted && res.writableLength === 0) res.end(() => req.socket.end())
      else res.destroy()
    } finally {
      shutdown?.removeEventListener('abort', leave)
      leaves(res)
    }
  })

  return app
}
