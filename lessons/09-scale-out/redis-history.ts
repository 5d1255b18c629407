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
  throw new Error('lesson 9, task 9.1: write createRedisHistory()')
}
