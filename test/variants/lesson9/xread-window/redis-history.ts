import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from 'redis'
import type { Quake } from '#feed'
import type { Entry, WritableHistory } from './history.ts'

export type RedisHistoryOptions = {
  url: string
  key?: string
  capacity?: number
  blockMs?: number
  stallMs?: number
}

type Message = { id: string; message: Record<string, string> }

/** Takes the entries from the reply to XREAD, compares IDs as pairs of numbers, and connects again by itself. */
export async function createRedisHistory({
  url,
  key = 'quakes',
  capacity = 1000,
  blockMs = 5000,
  stallMs = 10_000,
}: RedisHistoryOptions): Promise<WritableHistory> {
  const listeners = new Set<() => void>()
  let commands = connected(url)
  let reader = connected(url)
  let newest: Entry[] = []
  let isClosed = false

  const toEntry = ({ id, message }: Message): Entry => ({
    id,
    quake: JSON.parse(message.quake!) as Quake,
  })

  async function range(client: Client, from: string): Promise<Entry[]> {
    return ((await client.xRange(key, from, '+')) ?? []).map(toEntry)
  }

  async function read(client: Client, id: string | undefined) {
    const known = id !== undefined && isId(id) ? await range(client, id) : []
    if (known[0] && known[0].id === id) return { entries: known.slice(1), isGap: false }
    return { entries: await range(client, '-'), isGap: id !== undefined }
  }

  function keep(entries: Entry[]): void {
    newest.push(...entries)
    newest = newest.slice(-capacity)
    for (const listener of listeners) listener()
  }

  /** Resolves like the promise. Calls `giveUp` if that takes too long. */
  async function inTime<T>(coming: Promise<T>, giveUp: () => void): Promise<T> {
    const timer = setTimeout(giveUp, stallMs)
    return coming.finally(() => clearTimeout(timer))
  }

  const resetReader = (): void => {
    reader.destroy()
    reader = connected(url)
  }
  const resetCommands = (): void => {
    commands.destroy()
    commands = connected(url)
  }

  /** Reads everything that this process may have missed. */
  async function catchUp(): Promise<void> {
    for (;;) {
      try {
        const { entries, isGap } = await inTime(read(reader, newest.at(-1)?.id), resetReader)
        if (isGap) newest = []
        if (isGap || entries.length > 0) keep(entries)
        return
      } catch (error) {
        if (isClosed) throw error
        await sleep(50)
      }
    }
  }

  async function followLog(): Promise<void> {
    let last = newest.at(-1)?.id ?? '0-0'
    while (!isClosed) {
      try {
        const answer = Promise.all([
          reader.xRead({ key, id: last }, { BLOCK: blockMs }),
          reader.xRange(key, last, last),
        ])
        const [streams, still] = await inTime(answer, resetReader)
        if (last !== '0-0' && !still?.length) await catchUp()
        else if (streams) keep((streams as { messages: Message[] }[])[0]!.messages.map(toEntry))
      } catch {
        await catchUp()
      }
      last = newest.at(-1)?.id ?? '0-0'
    }
  }

  await catchUp()
  const hasEnded = followLog().catch(() => {})

  return {
    async after(id) {
      const at =
        id !== undefined && isId(id) ? newest.findLastIndex((each) => order(each.id, id) <= 0) : -1
      if (newest[at]?.id === id && at !== -1) return { entries: newest.slice(at + 1), isGap: false }
      for (;;) {
        try {
          return await inTime(read(commands, id), resetCommands)
        } catch (error) {
          if (isClosed) throw error
          await sleep(50)
        }
      }
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    async append(quake) {
      const fields = { quake: JSON.stringify(quake) }
      const TRIM = { strategy: 'MAXLEN', strategyModifier: '~', threshold: capacity } as const
      await inTime(commands.xAdd(key, '*', fields, { TRIM }), resetCommands)
    },
    async close() {
      isClosed = true
      reader.destroy()
      commands.destroy()
      await hasEnded
    },
  }
}

type Client = ReturnType<typeof connected>

function connected(url: string) {
  const client = createClient({ url })
  client.on('error', () => {})
  client.on('connect', () => client.isOpen || client.destroy())
  client.connect().catch(() => {})
  return client
}

function isId(text: string): boolean {
  const parts = /^(\d{1,20})-(\d{1,20})$/.exec(text)
  return parts !== null && parts.slice(1).every((part) => BigInt(part) <= 2n ** 64n - 1n)
}

/** Compares two IDs as pairs of numbers. */
function order(one: string, other: string): number {
  const [ms = 0n, seq = 0n] = one.split('-').map(BigInt)
  const [otherMs = 0n, otherSeq = 0n] = other.split('-').map(BigInt)
  if (ms !== otherMs) return ms < otherMs ? -1 : 1
  return seq < otherSeq ? -1 : seq > otherSeq ? 1 : 0
}
