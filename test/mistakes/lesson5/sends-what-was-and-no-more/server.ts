// fails: 5.2b
// says: nobody waits for what happens then
import { once } from 'node:events'
import express, { type Express } from 'express'
import type { History } from './history.ts'

export type ServerOptions = {
  /** How often a comment is sent while nothing else is. */
  heartbeatMs?: number
  /** How long a client is asked to wait before it comes back. */
  retryMs?: number
  /** Aborts when the server is to go away: its clients find another one. */
  shutdown?: AbortSignal
}

/**
 * Serves `GET /events`: the quakes of the history as server-sent events, from the one behind `Last-Event-ID`
 * on, each once and in order, and then those that happen. A client without that header gets all that is kept.
 *
 * An event named `gap` says that quakes may be missing, which stood between the client's last one and the next.
 * Who has everything of a history that is over gets 204.
 */
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
    if (req.method === 'HEAD') {
      res.end()
      return
    }
    res.write(`retry: ${retryMs}\n\n`)

    const visit = new AbortController()
    const leave = (): void => visit.abort()
    res.on('close', leave)
    shutdown?.addEventListener('abort', leave)
    // Either may have been before this handler was called.
    if (res.destroyed || shutdown?.aborted) leave()

    let wake = (): void => {}
    visit.signal.addEventListener('abort', () => wake())
    const unsubscribe = history.subscribe({ onEntry() {}, onOver: () => wake() })
    const heartbeat = setInterval(() => res.writableNeedDrain || res.write(':\n\n'), heartbeatMs)
    try {
      while (!visit.signal.aborted) {
        // Before the history is read: what happens while it is read must not be slept through.
        const news = new Promise<void>((resolve) => (wake = resolve))
        const { isOver } = history
        const { entries, isGap } = await history.after(cursor)
        if (isGap) {
          res.write('event: gap\ndata: quakes may be missing here\n\n')
          // What is kept is all that there is, from here on.
          cursor = undefined
        }
        for (const { id, quake } of entries) {
          if (visit.signal.aborted) break
          const hasRoom = res.write(`id: ${id}\ndata: ${JSON.stringify(quake)}\n\n`)
          cursor = id
          if (!hasRoom) await once(res, 'drain', { signal: visit.signal })
        }
        if (entries.length > 0) continue
        if (isOver) break
        await news
      }
      // Behind the end it would be an error that nobody catches.
      clearInterval(heartbeat)
      // The connection as well: the client's next request may find another server.
      res.end(() => req.socket.destroySoon())
      // Who does not read has time until the shutdown. Then it is cut, and comes back for the rest.
      if (!res.writableFinished) await once(res, 'finish', { signal: visit.signal })
    } catch (error) {
      // The client comes back with the id of what it has.
      res.destroy()
      if (!visit.signal.aborted) console.error('the history failed:', error)
    } finally {
      clearInterval(heartbeat)
      unsubscribe()
      shutdown?.removeEventListener('abort', leave)
    }
  })

  return app
}
