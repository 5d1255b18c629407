import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { startSessionRedis, type SessionRedis } from '../runtime/session-redis.ts'
import type { Reading } from './messages.ts'
import { startServer, type SoakedServer } from './server.ts'
import { visit } from './visit.ts'

/** The lessons whose servers stream to many clients. */
export const SOAKED = [2, 4, 5, 7, 8, 9]

/** What a server held before and after the visits, and the most that it held in between. */
export type Soaked = {
  lesson: number
  visits: number
  before: Reading
  peak: Reading
  after: Reading
}

/**
 * Lets clients visit a lesson's server, and measures what the server holds before, meanwhile, and after they have left.
 *
 * @param options.folder the folder with the lesson's files
 * @param options.ms how long clients visit the server, a tenth of which is the warm-up
 * @param options.settleMs how long the server may take to notice that all clients have left
 */
export async function soak({
  lesson,
  folder,
  ms,
  settleMs = 60_000,
}: {
  lesson: number
  folder: string
  ms: number
  settleMs?: number
}): Promise<Soaked> {
  const redis = lesson === 9 ? await startSessionRedis() : undefined
  const redisUrl = redis && `redis://127.0.0.1:${redis.portForProcesses}`
  const server = await startServer({ lesson, folder, ...(redisUrl && { redisUrl }) })
  try {
    // The warm-up loads what is loaded on demand, compiles what runs often, and fills the histories.
    await visitsFor(ms / 10, lesson, server)
    const before = await settled(server, settleMs)
    const watching = watch(server, redis)
    const visits = await visitsFor((ms * 9) / 10, lesson, server)
    const peak = await watching.stop()
    const after = await settled(server, settleMs, before)
    return { lesson, visits, before, peak, after }
  } finally {
    server.kill()
    await redis?.stop()
  }
}

/** Names what a server still holds, because it is more than before. */
export function leftovers({ before, after }: Pick<Soaked, 'before' | 'after'>): string[] {
  const counts = (['listeners', 'timers', 'sockets', 'responses'] as const).filter(
    (what) => after[what] > before[what],
  )
  return after.heapMB > before.heapMB + HEAP_MB ? [...counts, 'heapMB'] : counts
}

/** How much the heap may grow. CONTRIBUTING.md says why. */
const HEAP_MB = 2

/** Keeps many clients connected for a time, one after the other in each lane. Returns how many there were. */
async function visitsFor(
  ms: number,
  lesson: number,
  { port, ended }: SoakedServer,
): Promise<number> {
  let visits = 0
  const over = new AbortController()
  // Each client listens to this signal.
  setMaxListeners(0, over.signal)
  const lanes = Array.from({ length: LANES }, async () => {
    while (!over.signal.aborted) {
      visits += 1
      await visit(port, lesson, over.signal)
    }
  })
  try {
    await Promise.race([sleep(ms), ended])
  } finally {
    over.abort()
  }
  await Promise.all(lanes)
  return visits
}

const LANES = 30

/** Measures now and then, and remembers the highest numbers. Redis goes away for a second after each measurement. */
function watch(server: SoakedServer, redis?: SessionRedis): { stop(): Promise<Reading> } {
  const over = new AbortController()
  const watching = (async () => {
    let peak = await server.measure()
    while (!over.signal.aborted) {
      redis?.goAway(true)
      await pause(1000, over.signal)
      redis?.goAway(false)
      await pause(9000, over.signal)
      peak = highest(peak, await server.measure())
    }
    return peak
  })()
  // If the server ends, visitsFor() throws.
  watching.catch(() => {})
  return {
    stop() {
      over.abort()
      return watching
    },
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {})
}

function highest(one: Reading, other: Reading): Reading {
  return {
    listeners: Math.max(one.listeners, other.listeners),
    timers: Math.max(one.timers, other.timers),
    sockets: Math.max(one.sockets, other.sockets),
    responses: Math.max(one.responses, other.responses),
    full: Math.max(one.full, other.full),
    heapMB: Math.max(one.heapMB, other.heapMB),
  }
}

/**
 * Measures after all clients have left. A server notices that only later, so this measures again until everything is back
 * to what it was before. The first time, there is nothing to compare with, so it only waits a while.
 */
async function settled(server: SoakedServer, ms: number, before?: Reading): Promise<Reading> {
  if (!before) {
    await sleep(ms / 10)
    return server.measure()
  }
  const deadline = performance.now() + ms
  for (;;) {
    const after = await server.measure()
    if (leftovers({ before, after }).length === 0 || performance.now() > deadline) return after
    await sleep(LOOK_EVERY_MS)
  }
}

const LOOK_EVERY_MS = 500
