import type { RequestListener, ServerResponse } from 'node:http'
import { createChannel, createSession } from 'better-sse'
import express from 'express'
import type { Quake } from '#feed'
import { createApp as createLesson2 } from '../../solutions/02-server-sent-events/server.ts'
import { createHistory } from '../../solutions/05-replay/history.ts'
import { createApp as createLesson5 } from '../../solutions/05-replay/server.ts'
import { createApp as createLesson8 } from '../../solutions/08-many-sources/server.ts'
import { createBroadcast } from './broadcast.ts'

/** A program that serves `GET /events`, and sends each published quake to every client. */
export type FanOutServer = { app: RequestListener; publish(quake: Quake): void }

/** The library with which the other servers are compared. */
export const LIBRARY = 'better-sse'

/** The servers by name. Their heartbeats are so rare that none is sent during a measurement. */
export const SERVERS = {
  [LIBRARY]: betterSse,
  'naive loop': naiveLoop,
  'lesson 2': lesson2,
  'lesson 5': lesson5,
  'lesson 8': lesson8,
} satisfies Record<string, () => FanOutServer>

export type ServerName = keyof typeof SERVERS

const HEARTBEAT_MS = 600_000

function betterSse(): FanOutServer {
  const channel = createChannel()
  const app = express()
  app.get('/events', async (req, res) => {
    const session = await createSession(req, res, { keepAlive: HEARTBEAT_MS })
    channel.register(session)
  })
  return {
    app,
    publish: (quake) => channel.broadcast(quake, 'message', { eventId: quake.id }),
  }
}

/** Writes to every response without looking at whether its client reads. */
function naiveLoop(): FanOutServer {
  const clients = new Set<ServerResponse>()
  const app = express()
  app.get('/events', (_req, res) => {
    res.set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
    res.write('retry: 2000\n\n')
    clients.add(res)
    res.on('close', () => clients.delete(res))
  })
  return {
    app,
    publish(quake) {
      for (const res of clients) res.write(`id: ${quake.id}\ndata: ${JSON.stringify(quake)}\n\n`)
    },
  }
}

function lesson2(): FanOutServer {
  const feed = createBroadcast()
  return { app: createLesson2(feed, { heartbeatMs: HEARTBEAT_MS }), publish: feed.publish }
}

function lesson5(): FanOutServer {
  const history = createHistory()
  const app = createLesson5(history, { heartbeatMs: HEARTBEAT_MS })
  return { app, publish: (quake) => history.append(quake) }
}

function lesson8(): FanOutServer {
  const { open, publish } = createBroadcast()
  const app = createLesson8([{ name: 'us', open }], { heartbeatMs: HEARTBEAT_MS })
  return { app, publish }
}
