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
    // If this read fails, read again below, where an error cuts the connection. An EventSource never reconnects after a 500.
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
    const unsubscribe = history.subscribe({
      onEntry(entry) {
        queue.push(entry)
        wake()
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
      // Every queued entry up to the last ID of the answer is in the answer, or has been evicted.
      const last = entries.at(-1)?.id
      queue.splice(0, queue.findIndex(({ id }) => id === last) + 1)
      for (const entry of entries) {
        if (visit.signal.aborted) break
        await send(entry)
      }
      while (!visit.signal.aborted) {
        const entry = queue.shift()
        if (entry) {
          await send(entry)
        } else if (history.isOver) {
          break
        } else {
          await new Promise<void>((resolve) => (wake = resolve))
        }
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
