import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from 'redis'
import type { Quake } from '#feed'
import type { Entry, WritableHistory } from './history.ts'

export type RedisHistoryOptions = {
  /** The address of Redis, such as `redis://127.0.0.1:6379`. */
  url: string
  /** The key of the stream. */
  key?: string
  /** The number of entries to keep. The stream may keep somewhat more. */
  capacity?: number
  /** How long one `XREAD` waits for a new entry. */
  blockMs?: number
  /** How long to wait for a reply before connecting again. It has to be longer than `blockMs`. */
  stallMs?: number
}

/**
 * Creates a history in a Redis Stream, which all processes with the same key share. The ID of an entry is its ID in the
 * stream. Resolves when the stream has been read for the first time.
 */
export async function createRedisHistory({
  url,
  key = 'quakes',
  capacity = 1000,
  blockMs = 5000,
  stallMs = 10_000,
}: RedisHistoryOptions): Promise<WritableHistory> {
  const commands = connect(url, stallMs)
  const reader = connect(url, stallMs)
  const listeners = new Set<() => void>()
  /** The newest entries that this process has read. */
  let newest: Entry[] = []
  let isClosed = false

  /**
   * Returns the entries after this ID. Asks for the entry with this ID as well, because only its presence shows that nothing
   * after it has been trimmed.
   */
  async function read(
    client: Client,
    id: string | undefined,
  ): ReturnType<WritableHistory['after']> {
    if (id !== undefined && isStreamId(id)) {
      const [first, ...rest] = await range(client, id)
      if (first?.id === id) return { entries: rest, isGap: false }
    }
    return { entries: await range(client, '-'), isGap: id !== undefined }
  }

  async function range(client: Client, from: string): Promise<Entry[]> {
    const messages = (await client.xRange(key, from, '+')) ?? []
    return messages.map(({ id, message }) => ({ id, quake: JSON.parse(message.quake!) as Quake }))
  }

  /** Reads what is new for this process, and rings the bell of each client. */
  async function readNews(): Promise<void> {
    const last = newest.at(-1)?.id
    const { entries, isGap } = await untilAnswered(reader, (client) => read(client, last))
    newest = (isGap ? entries : [...newest, ...entries]).slice(-capacity)
    if (isGap || entries.length > 0) for (const listener of listeners) listener()
  }

  async function readUntilClosed(): Promise<void> {
    while (!isClosed) {
      const id = newest.at(-1)?.id ?? '0-0'
      // Only a bell, because XREAD does not say whether anything before its answer has been trimmed.
      const bell = reader.ask((client) => client.xRead({ key, id }, { BLOCK: blockMs, COUNT: 1 }))
      // If the bell fails, readNews() waits until Redis answers again.
      await bell.catch(() => {})
      await readNews()
    }
  }

  /** Asks again until Redis has answered, or the history is closed. */
  async function untilAnswered<T>(
    { ask }: Connection,
    question: (client: Client) => Promise<T>,
  ): Promise<T> {
    for (;;) {
      try {
        return await ask(question)
      } catch (error) {
        if (isClosed) throw error
        // Redis may have answered with an error at once, for example while it loads its data.
        await sleep(RETRY_MS)
      }
    }
  }

  await readNews()
  const hasEnded = readUntilClosed().catch(() => {})

  return {
    async after(id) {
      const padded = id !== undefined && isStreamId(id) ? pad(id) : undefined
      const isKnown = newest.some((entry) => pad(entry.id) === padded && entry.id === id)
      if (padded !== undefined && isKnown) {
        return { entries: newest.filter((entry) => pad(entry.id) > padded), isGap: false }
      }
      // The ID may be older than what this process knows, or newer, if the client got it from another process.
      return untilAnswered(commands, (client) => read(client, id))
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    async append(quake) {
      const entry = { quake: JSON.stringify(quake) }
      const limit = { strategy: 'MAXLEN', strategyModifier: '=', threshold: capacity } as const
      await commands.ask((client) => client.xAdd(key, '*', entry, { TRIM: limit }))
    },
    async close() {
      isClosed = true
      commands.close()
      reader.close()
      await hasEnded
    },
  }
}

/** The pause before the next question after an error. */
const RETRY_MS = 100

type Client = ReturnType<typeof open>

type Connection = {
  /** Resolves to the answer, or rejects if the connection is lost or Redis does not answer in time. */
  ask<T>(question: (client: Client) => Promise<T>): Promise<T>
  /** Closes the connection at once. Every question that is waiting for its answer rejects. */
  close(): void
}

/** Keeps a connection to Redis. Opens another one if Redis stops answering, because a frozen Redis closes none. */
function connect(url: string, stallMs: number): Connection {
  let client = open(url)
  return {
    async ask(question) {
      const asked = client
      const timer = setTimeout(() => {
        asked.destroy()
        if (client === asked) client = open(url)
      }, stallMs)
      try {
        return await question(asked)
      } finally {
        clearTimeout(timer)
      }
    },
    close: () => client.destroy(),
  }
}

function open(url: string) {
  const client = createClient({ url })
  // The client connects again by itself. Without a listener, the error would end the process.
  client.on('error', () => {})
  // destroy() does not stop a client that is connecting.
  client.on('connect', () => client.isOpen || client.destroy())
  client.connect().catch(() => {})
  return client
}

/** Returns an ID whose order as text is its order as a pair of numbers. */
function pad(id: string): string {
  return id
    .split('-')
    .map((part) => part.padStart(20, '0'))
    .join('-')
}

/** Returns whether a text is a complete ID. A client can send anything, and Redis also accepts `-`, `+`, `$`, `5` and `(5-0`. */
function isStreamId(text: string): boolean {
  if (!/^\d{1,20}-\d{1,20}$/.test(text)) return false
  return text.split('-').every((part) => BigInt(part) < 2n ** 64n)
}
