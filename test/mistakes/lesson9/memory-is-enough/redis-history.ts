import { createClient } from 'redis'
import { createHistory, type WritableHistory } from './history.ts'

export type RedisHistoryOptions = {
  url: string
  key?: string
  capacity?: number
  blockMs?: number
  stallMs?: number
}

export async function createRedisHistory({
  url,
  key = 'quakes',
  capacity = 1000,
}: RedisHistoryOptions): Promise<WritableHistory> {
  const client = createClient({ url })
  client.on('error', () => {})
  await client.connect()
  const memory = createHistory({ capacity })
  return {
    ...memory,
    async append(quake) {
      await client.xAdd(key, '*', { quake: JSON.stringify(quake) })
      await memory.append(quake)
    },
    async close() {
      client.destroy()
    },
  }
}
