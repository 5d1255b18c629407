import { setImmediate as nextTurn } from 'node:timers/promises'
import express, { type Express, type Response } from 'express'
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

type Entry = { id: number; source: string; text: string }
type Policy = 'drop-oldest' | 'latest' | 'disconnect'

/** The last entries, and the newest entry of each source. */
class Log {
  readonly limit: number
  #entries: Entry[] = []
  #newest = new Map<string, Entry>()
  last = 0
  isOver = false
  readonly listeners = new Set<() => void>()

  constructor(limit: number) {
    this.limit = limit
  }

  add(source: string, lines: string): void {
    this.last += 1
    const entry = { id: this.last, source, text: `${lines}\nid: ${this.last}\n\n` }
    this.#entries.push(entry)
    if (this.#entries.length > this.limit) this.#entries.shift()
    this.#newest.set(source, entry)
    this.ring()
  }

  ring(): void {
    for (const listener of this.listeners) listener()
  }

  after(cursor: number): Entry | undefined {
    return this.#entries.find(({ id }) => id > cursor)
  }

  newestAfter(cursor: number): Entry | undefined {
    const waiting = [...this.#newest.values()].filter(({ id }) => id > cursor)
    return waiting.toSorted((a, b) => a.id - b.id)[0]
  }
}

/** One client, whose entries an async loop writes. */
class Client {
  readonly #log: Log
  readonly #res: Response
  readonly #policy: Policy
  #cursor: number
  #wake = (): void => {}
  #isFull = false
  #hasLeft: boolean

  constructor(log: Log, res: Response, policy: Policy, cursor: number) {
    this.#log = log
    this.#res = res
    this.#policy = policy
    this.#cursor = cursor
    this.#hasLeft = res.destroyed
    res.on('close', () => {
      this.#hasLeft = true
      this.#wake()
    })
    res.on('drain', () => {
      this.#isFull = false
      this.#wake()
    })
  }

  async serve(heartbeatMs: number, stallMs: number): Promise<void> {
    const wake = (): void => this.#wake()
    this.#log.listeners.add(wake)
    const beat = setInterval(() => {
      if (!this.#res.writableNeedDrain) this.#res.write(':\n\n')
    }, heartbeatMs)
    try {
      while (!this.#hasLeft) {
        const news = this.#news()
        const entry = this.#next()
        if (entry) {
          const dropped = this.#policy === 'latest' ? 0 : entry.id - this.#cursor - 1
          const gap = dropped > 0 ? `event: gap\ndata: {"dropped":${dropped}}\n\n` : ''
          this.#cursor = entry.id
          this.#isFull = !this.#res.write(`${gap}${entry.text}`)
          if (this.#isFull && !(await this.#drained(stallMs))) break
        } else if (this.#log.isOver) break
        else await news
      }
    } catch {
      this.#res.destroy()
    } finally {
      clearInterval(beat)
      this.#log.listeners.delete(wake)
      if (!this.#res.destroyed) this.#end(stallMs)
    }
  }

  #next(): Entry | undefined {
    return this.#policy === 'latest'
      ? this.#log.newestAfter(this.#cursor)
      : this.#log.after(this.#cursor)
  }

  #news(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve))
  }

  /** Waits for "drain". Returns false if the stream has to end. */
  async #drained(stallMs: number): Promise<boolean> {
    const patience = setTimeout(() => this.#res.destroy(), stallMs)
    try {
      while (this.#isFull && !this.#hasLeft) {
        const behind = this.#log.last - this.#cursor
        if (this.#log.isOver) this.#res.destroy()
        if (this.#policy === 'disconnect' && behind > this.#log.limit) {
          this.#res.write(`event: too-slow\ndata: {"behind":${behind}}\n\n`)
          return false
        }
        await this.#news()
      }
      return true
    } finally {
      clearTimeout(patience)
    }
  }

  #end(stallMs: number): void {
    const patience = setTimeout(() => this.#res.destroy(), stallMs)
    this.#res.once('close', () => clearTimeout(patience))
    this.#res.end(() => this.#res.req.socket.destroySoon())
  }
}

// A class per client, with an async loop that writes.
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
  const log = new Log(limit)
  const run = async (): Promise<void> => {
    for await (const item of mergeSources(sources, shutdown)) {
      log.add(item.source, encode(item))
      await nextTurn()
    }
    log.isOver = true
    log.ring()
  }
  void run()

  const app = express()
  app.get('/events', async (req, res) => {
    const policy = (req.query.when_slow ?? 'drop-oldest') as Policy
    if (!['drop-oldest', 'latest', 'disconnect'].includes(policy)) {
      res.status(400).json({ error: 'unknown when_slow' })
      return
    }
    res.type('text/event-stream').set('Cache-Control', 'no-store')
    res.write(
      `retry: ${retryMs}\nevent: policy\ndata: ${JSON.stringify({ limit, when_slow: policy })}\n\n`,
    )
    const header = req.get('Last-Event-ID') ?? ''
    let cursor = log.last
    if (header !== '') {
      cursor = /^\d+$/.test(header) && +header <= log.last ? +header : 0
      if (String(cursor) !== header) res.write('event: gap\ndata: {"dropped":null}\n\n')
    }
    await new Client(log, res, policy, cursor).serve(heartbeatMs, stallMs)
  })
  return app
}
