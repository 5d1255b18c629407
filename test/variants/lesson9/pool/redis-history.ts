import { EventEmitter } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient, createClientPool } from 'redis'
import type { Quake } from '#feed'
import type { Entry, WritableHistory } from './history.ts'

export type RedisHistoryOptions = {
  url: string
  key?: string
  capacity?: number
  blockMs?: number
  stallMs?: number
}

/** A class, with a pool for the commands and an emitter for the bell. */
export async function createRedisHistory(options: RedisHistoryOptions): Promise<WritableHistory> {
  const history = new RedisHistory(options)
  await history.begin()
  return {
    after: (id) => history.after(id),
    subscribe: (listener) => history.subscribe(listener),
    append: (quake) => history.append(quake),
    close: () => history.close(),
  }
}

class RedisHistory {
  readonly #bell = new EventEmitter().setMaxListeners(0)
  readonly #options: Required<RedisHistoryOptions>
  readonly #pool: ReturnType<typeof makePool>
  #reader: Reader
  #window = new Map<string, Entry>()
  #last: string | undefined
  #isClosed = false
  #loop: Promise<void> | undefined

  constructor({ url, key, capacity, blockMs, stallMs }: RedisHistoryOptions) {
    this.#options = {
      url,
      key: key ?? 'quakes',
      capacity: capacity ?? 1000,
      blockMs: blockMs ?? 5000,
      stallMs: stallMs ?? 10_000,
    }
    this.#pool = makePool(url)
    this.#reader = makeReader(url)
  }

  async begin(): Promise<void> {
    await this.#pool.connect()
    await this.#catchUp()
    this.#loop = this.#run()
  }

  async after(id: string | undefined): Promise<{ entries: Entry[]; isGap: boolean }> {
    if (id !== undefined && this.#window.has(id)) {
      const all = [...this.#window.values()]
      return { entries: all.slice(all.findIndex((entry) => entry.id === id) + 1), isGap: false }
    }
    for (;;) {
      try {
        return await this.#withTimeout(this.#read(this.#pool, id), () => {})
      } catch (error) {
        if (this.#isClosed) throw error
        await sleep(50)
      }
    }
  }

  subscribe(listener: () => void): () => void {
    // One function for each subscription, because off() removes any listener that is the same function.
    const ring = (): void => listener()
    this.#bell.on('news', ring)
    return () => void this.#bell.off('news', ring)
  }

  async append(quake: Quake): Promise<void> {
    const { key, capacity } = this.#options
    const TRIM = { strategy: 'MAXLEN', strategyModifier: '~', threshold: capacity } as const
    await this.#pool.xAdd(key, '*', { quake: JSON.stringify(quake) }, { TRIM })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#reader.destroy()
    this.#pool.destroy()
    await this.#loop
  }

  async #run(): Promise<void> {
    const { key, blockMs } = this.#options
    while (!this.#isClosed) {
      try {
        const bell = this.#reader.xRead(
          { key, id: this.#last ?? '0-0' },
          { BLOCK: blockMs, COUNT: 1 },
        )
        await this.#withTimeout(bell, () => this.#resetReader())
      } catch {
        if (this.#isClosed) return
      }
      await this.#catchUp().catch(() => {})
    }
  }

  async #catchUp(): Promise<void> {
    while (!this.#isClosed) {
      try {
        const reading = this.#read(this.#reader, this.#last)
        const { entries, isGap } = await this.#withTimeout(reading, () => this.#resetReader())
        if (isGap) this.#window.clear()
        for (const entry of entries) this.#window.set(entry.id, entry)
        for (const id of this.#window.keys()) {
          if (this.#window.size <= this.#options.capacity) break
          this.#window.delete(id)
        }
        this.#last = entries.at(-1)?.id ?? (isGap ? undefined : this.#last)
        if (isGap || entries.length > 0) this.#bell.emit('news')
        return
      } catch {
        await sleep(50)
      }
    }
  }

  async #read(
    client: Pick<Reader, 'xRange'>,
    id: string | undefined,
  ): Promise<{ entries: Entry[]; isGap: boolean }> {
    const range = async (from: string): Promise<Entry[]> => {
      const messages = (await client.xRange(this.#options.key, from, '+')) ?? []
      return messages.map((each) => ({ id: each.id, quake: JSON.parse(each.message.quake!) }))
    }
    if (id === undefined) return { entries: await range('-'), isGap: false }
    const [ms, seq] = /^(\d{1,20})-(\d{1,20})$/.exec(id)?.slice(1).map(BigInt) ?? []
    if (ms !== undefined && ms < 1n << 64n && seq! < 1n << 64n) {
      const [first, ...rest] = await range(id)
      if (first?.id === id) return { entries: rest, isGap: false }
    }
    return { entries: await range('-'), isGap: true }
  }

  #resetReader(): void {
    this.#reader.destroy()
    this.#reader = makeReader(this.#options.url)
  }

  async #withTimeout<T>(coming: Promise<T>, giveUp: () => void): Promise<T> {
    const stop = new AbortController()
    const late = sleep(this.#options.stallMs, undefined, { signal: stop.signal }).then(() => {
      giveUp()
      throw new Error('Redis does not answer')
    })
    try {
      return await Promise.race([coming, late])
    } finally {
      stop.abort()
    }
  }
}

type Reader = ReturnType<typeof makeReader>

function makePool(url: string) {
  const pool = createClientPool({ url }, { minimum: 1, maximum: 2 })
  pool.on('error', () => {})
  return pool
}

function makeReader(url: string) {
  const client = createClient({ url })
  client.on('error', () => {})
  client.on('connect', () => client.isOpen || client.destroy())
  client.connect().catch(() => {})
  return client
}
