import { once } from 'node:events'
import express, { type Express } from 'express'
import type { Entry, History } from './history.ts'

export type ServerOptions = {
  heartbeatMs?: number
  retryMs?: number
  shutdown?: AbortSignal
}

/** Entries that wait for a client which does not read. */
const MOST_QUEUED = 1000

// Listens first, reads then, and sends behind what it read whatever it heard and did not read.
export function createApp(
  history: History,
  { heartbeatMs = 15_000, retryMs = 2000, shutdown }: ServerOptions = {},
): Express {
  const app = express()

  app.get('/events', async (req, res) => {
    let cursor = req.get('Last-Event-ID') || undefined
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
    // Of HEAD as well: nobody asks for anything else on the connection of a stream.
    res.set('Connection', 'close')
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
    let hasLost = false
    const unsubscribe = history.subscribe({
      onEntry(entry) {
        queue.push(entry)
        // The history knows what it still has of them.
        if (queue.length > MOST_QUEUED) {
          hasLost = true
          queue.length = 0
        }
        wake()
      },
      onOver: () => wake(),
    })
    const heartbeat = setInterval(() => res.writableNeedDrain || res.write(':\n\n'), heartbeatMs)
    const send = async ({ id, quake }: Entry): Promise<void> => {
      const hasRoom = res.write(`id: ${id}\ndata: ${JSON.stringify(quake)}\n\n`)
      cursor = id
      if (!hasRoom) await once(res, 'drain', { signal: visit.signal })
    }
    const catchUp = async (): Promise<void> => {
      const { entries, isGap } = await history.after(cursor)
      if (isGap) {
        res.write('event: gap\ndata: \n\n')
        cursor = undefined
      }
      // Whatever was heard before the last of these is among them, or not kept any more.
      const last = entries.at(-1)?.id
      queue.splice(0, queue.findIndex(({ id }) => id === last) + 1)
      for (const entry of entries) {
        if (visit.signal.aborted) break
        await send(entry)
      }
    }
    try {
      await catchUp()
      while (!visit.signal.aborted) {
        if (hasLost) {
          hasLost = false
          queue.length = 0
          await catchUp()
          continue
        }
        const entry = queue.shift()
        if (entry) {
          await send(entry)
        } else if (history.isOver) {
          break
        } else {
          await new Promise<void>((resolve) => (wake = resolve))
        }
      }
      res.end()
      // Whoever does not read has a moment for the rest.
      const patience = setTimeout(() => res.destroy(), 100)
      res.on('close', () => clearTimeout(patience))
      if (res.closed) clearTimeout(patience)
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
