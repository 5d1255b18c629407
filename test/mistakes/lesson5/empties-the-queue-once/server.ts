// fails: 5.3d
// says: while what was heard is sent
import { once } from 'node:events'
import express, { type Express } from 'express'
import type { Entry, History } from './history.ts'

export type ServerOptions = {
  heartbeatMs?: number
  retryMs?: number
  shutdown?: AbortSignal
}

export function createApp(
  history: History,
  { heartbeatMs = 15_000, retryMs = 2000, shutdown }: ServerOptions = {},
): Express {
  const app = express()

  app.get('/events', async (req, res) => {
    const cursor = req.get('Last-Event-ID') || undefined
    // What cannot be read here cannot be read in the loop either. That cuts the connection; a 500 would be final.
    const rest = history.isOver ? await history.after(cursor).catch(() => undefined) : undefined
    if (rest?.entries.length === 0) {
      res.status(204).end()
      return
    }
    res.set({
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-store, no-transform',
      'X-Accel-Buffering': 'no',
    })
    if (req.method === 'HEAD') {
      res.end()
      return
    }
    res.write(`retry: ${retryMs}\n\n`)

    const visit = new AbortController()
    const leave = (): void => visit.abort()
    res.on('close', leave)
    shutdown?.addEventListener('abort', leave)
    if (res.destroyed || shutdown?.aborted) leave()

    let wake = (): void => {}
    visit.signal.addEventListener('abort', () => wake())
    const queue: Entry[] = []
    let isLive = false
    const unsubscribe = history.subscribe({
      onEntry(entry) {
        if (isLive) send(entry).catch(() => {})
        else queue.push(entry)
      },
      onOver: () => wake(),
    })
    const heartbeat = setInterval(() => res.writableNeedDrain || res.write(':\n\n'), heartbeatMs)
    const send = async ({ id, quake }: Entry): Promise<void> => {
      const hasRoom = res.write(`id: ${id}\ndata: ${JSON.stringify(quake)}\n\n`)
      if (!hasRoom) await once(res, 'drain', { signal: visit.signal })
    }
    try {
      const { entries, isGap } = await history.after(cursor)
      if (isGap) res.write('event: gap\ndata: \n\n')
      const known = new Set(entries.map(({ id }) => id))
      for (const entry of entries) {
        if (visit.signal.aborted) break
        await send(entry)
      }
      for (const entry of queue.splice(0)) {
        if (!known.has(entry.id)) await send(entry)
      }
      isLive = true
      if (!history.isOver && !visit.signal.aborted) {
        await new Promise<void>((resolve) => (wake = resolve))
      }
      res.end(() => req.socket.end())
    } catch {
      res.destroy()
    } finally {
      clearInterval(heartbeat)
      unsubscribe()
      shutdown?.removeEventListener('abort', leave)
    }
  })

  return app
}
