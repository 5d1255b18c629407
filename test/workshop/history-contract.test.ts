import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createHistory, type WritableHistory } from '../../solutions/09-scale-out/history.ts'
import { createRedisHistory } from '../../solutions/09-scale-out/redis-history.ts'
import { startEmbeddedRedis } from '../../wire/embedded-redis.ts'
import { startRedis } from '../../workshop/proxies/redis.ts'
import { redisServer } from '../../workshop/tools/redis.ts'
import { quakes } from '../harness/quakes.ts'

// What the server of lesson 9 may rely on, whether its history is in memory or in Redis. An ID means nothing here.

const CAPACITY = 5

describe.each([
  {
    name: 'in memory',
    open: async () => {
      const history = createHistory({ capacity: CAPACITY })
      return { history, stop: () => history.close() }
    },
  },
  { name: 'in the embedded Redis', open: () => inRedis(startEmbeddedRedis()) },
  { name: 'in Redis', open: () => inRedis(startRedis()), lacks: !redisServer.find() },
])('a history $name', ({ open, lacks = false }) => {
  describe.skipIf(lacks)('keeps its contract:', () => {
    let history: WritableHistory
    let stop: () => Promise<void>
    beforeEach(async () => ({ history, stop } = await open()))
    afterEach(() => stop())

    test('after() returns what was appended, oldest first, and each ID once', async () => {
      const added = quakes(4)
      for (const quake of added) await history.append(quake)
      const { entries, isGap } = await history.after(undefined)
      expect({ quakes: entries.map(({ quake }) => quake), isGap }).toEqual({
        quakes: added,
        isGap: false,
      })
      expect(new Set(entries.map(({ id }) => id)).size).toBe(4)
      for (const { id } of entries) expect(id).toMatch(/^[\x21-\x7e]+$/)
    })

    test('after(id) returns the entries after that ID, as soon as the bell has rung', async () => {
      for (const quake of quakes(4)) await history.append(quake)
      const { entries } = await history.after(undefined)
      for (const [n, { id }] of entries.entries()) {
        const newer = entries.slice(n + 1)
        expect(await eventually(history, id, newer.length)).toEqual({
          entries: newer,
          isGap: false,
        })
      }
    })

    test('an unknown ID is a gap, with everything that is kept', async () => {
      expect(await history.after('5-1')).toEqual({ entries: [], isGap: true })
      await history.append(quakes(1)[0])
      const { entries } = await history.after(undefined)
      for (const id of ['5-1', '$', '-', 'us7000'])
        expect(await history.after(id)).toEqual({ entries, isGap: true })
    })

    test('what has been evicted is a gap', async () => {
      await history.append(quakes(1)[0])
      const [first] = (await history.after(undefined)).entries
      // Redis removes whole blocks of up to 100 entries.
      const many = Array.from({ length: 300 }, () => quakes(1)[0])
      for (const quake of many) await history.append({ ...quake, id: `m-${Math.random()}` })
      const answer = await history.after(first!.id)
      const { entries } = await history.after(undefined)
      expect(answer).toEqual({ entries, isGap: true })
      expect(entries.length).toBeGreaterThanOrEqual(CAPACITY)
    })

    test('a listener is called for each news until it unsubscribes', async () => {
      let rings = 0
      const unsubscribe = history.subscribe(() => (rings += 1))
      await history.append(quakes(1)[0])
      await expect.poll(() => rings).toBeGreaterThan(0)
      unsubscribe()
      unsubscribe()
      const before = rings
      const rung = new Promise<void>((resolve) => history.subscribe(resolve))
      await history.append(quakes(2)[1])
      await rung
      expect(rings).toBe(before)
    })
  })
})

/** Reads after an ID, again whenever the bell rings, until there are so many entries. */
async function eventually(
  history: WritableHistory,
  id: string,
  count: number,
): ReturnType<WritableHistory['after']> {
  for (;;) {
    let unsubscribe = (): void => {}
    const rung = new Promise<void>((resolve) => (unsubscribe = history.subscribe(resolve)))
    const answer = await history.after(id)
    if (answer.entries.length < count && !answer.isGap) await rung
    unsubscribe()
    if (answer.entries.length >= count || answer.isGap) return answer
  }
}

async function inRedis(
  starting: Promise<{ readonly port: number; stop(): Promise<void> }>,
): Promise<{ history: WritableHistory; stop(): Promise<void> }> {
  const redis = await starting
  const url = `redis://127.0.0.1:${redis.port}`
  const history = await createRedisHistory({ url, capacity: CAPACITY })
  return {
    history,
    async stop() {
      await history.close()
      await redis.stop()
    },
  }
}
