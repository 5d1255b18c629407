import { once } from 'node:events'
import express, { type Express } from 'express'
import type { History } from './history.ts'

export type ServerOptions = {
  /** How often a heartbeat is sent while the stream is idle. */
  heartbeatMs?: number
  /** The reconnection time that the `retry` field asks for. */
  retryMs?: number
  /** Aborts when the server shuts down, so that its clients reconnect to another one. */
  shutdown?: AbortSignal
}

/**
 * Serves `GET /events`: replays the entries after `Last-Event-ID` as server-sent events, then sends new ones, each once and
 * in order. A client without that header gets all entries that are kept.
 *
 * An event named `gap` says that quakes may be missing before the next one. After the history has ended, a client that has
 * everything gets 204.
 */
export function createApp(
  history: History,
  { heartbeatMs = 15_000, retryMs = 2000, shutdown }: ServerOptions = {},
): Express {
  throw new Error('lesson 5, task 5.2: write createApp()')
}
