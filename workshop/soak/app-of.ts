import type { RequestListener } from 'node:http'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { recordedQuakes, replay, type Feed, type Quake } from '#feed'
import { pushedFrom } from '../runtime/filtered-stream.ts'
import { sourcesOf } from '../runtime/sources.ts'
import type { Start } from './messages.ts'

/** A lesson's app, and a function that counts its open readers or listeners. */
export type CountedApp = { app: RequestListener; listeners(): number }

/** The tokens of lesson 7. Each has an account, so that many clients can have a stream. */
export const TOKENS = Array.from({ length: 20 }, (_, n) => `token-${n}`)

/**
 * Creates the app of a lesson, with small limits, so that it reaches them during the warm-up, and short heartbeats. The
 * quakes are as large as small pictures, because the buffers of the network take about 4 MB before a server notices that
 * a client stalls.
 */
export async function appOf({ lesson, folder, redisUrl }: Start): Promise<CountedApp> {
  const { createApp } = (await importFrom(folder, 'server.ts')) as { createApp: CreateApp }
  const quakes = largeQuakes()
  const feed = replay(quakes, { speed: SPEED, loop: true })
  setInterval(() => feed.burst(BURST), BURST_EVERY_MS)
  if (lesson === 7) return filteredStream(createApp, feed)
  if (lesson === 8) {
    const { sources } = sourcesOf(feed, new Set(quakes.map(({ network }) => network)))
    const app = createApp(sources, { limit: KEPT, heartbeatMs: HEARTBEAT_MS, stallMs: 5000 })
    return { app, listeners: () => feed.readers }
  }
  if (lesson !== 5 && lesson !== 9) {
    const app = createApp(feed, { heartbeatMs: HEARTBEAT_MS })
    return { app, listeners: () => feed.readers }
  }

  const history = await historyIn(folder, redisUrl)
  void append(history, feed)
  const counted = countingHistory(history)
  return {
    app: createApp(counted.history, { heartbeatMs: HEARTBEAT_MS }),
    listeners: counted.listeners,
  }
}

const SPEED = 2000
const BURST = 20
const BURST_EVERY_MS = 5000
const KEPT = 100
const HEARTBEAT_MS = 200

type CreateApp = (source: unknown, options: object) => RequestListener

type History = {
  append(quake: Quake): unknown
  subscribe(listener: unknown): () => void
}

function filteredStream(createApp: CreateApp, feed: Feed): CountedApp {
  const source = pushedFrom(feed)
  let listeners = 0
  const counted = {
    subscribe(onQuake: (quake: Quake) => void) {
      listeners += 1
      return source.subscribe(onQuake)
    },
  }
  const app = createApp(counted, {
    tokens: TOKENS,
    keepAliveMs: HEARTBEAT_MS,
    maxRules: 5,
    // The backfill keeps five minutes of quakes. With this clock, it is full after six seconds.
    now: () => Date.now() * 50,
  })
  return { app, listeners: () => listeners }
}

async function historyIn(folder: string, url: string | undefined): Promise<History> {
  if (url) {
    const { createRedisHistory } = (await importFrom(folder, 'redis-history.ts')) as {
      createRedisHistory(options: object): Promise<History>
    }
    return createRedisHistory({ url, capacity: KEPT / 5, blockMs: 500 })
  }
  const { createHistory } = (await importFrom(folder, 'history.ts')) as {
    createHistory(options: object): History
  }
  return createHistory({ capacity: KEPT })
}

async function append(history: History, feed: Feed): Promise<void> {
  for await (const quake of feed.open(new AbortController().signal)) {
    // While Redis is away, quakes are lost, as in a writer that does not retry.
    await Promise.resolve(history.append(quake)).catch(() => {})
  }
}

function countingHistory(history: History): { history: History; listeners(): number } {
  let listeners = 0
  const counted = Object.create(history) as History
  counted.subscribe = (listener) => {
    const unsubscribe = history.subscribe(listener)
    let isSubscribed = true
    listeners += 1
    return () => {
      unsubscribe()
      if (isSubscribed) listeners -= 1
      isSubscribed = false
    }
  }
  return { history: counted, listeners: () => listeners }
}

/** Returns a few recorded quakes with long texts. */
function largeQuakes(): Quake[] {
  const quakes = recordedQuakes().slice(0, 200)
  return quakes.map((quake) => ({ ...quake, place: quake.place.padEnd(PLACE_LENGTH, '.') }))
}

const PLACE_LENGTH = 20_000

function importFrom(folder: string, name: string): Promise<unknown> {
  return import(pathToFileURL(join(folder, name)).href)
}
