import { once } from 'node:events'
import express, { type Express } from 'express'
import type { History } from './history.ts'

export type ServerOptions = {
  /** The interval between heartbeats while the stream is idle. */
  heartbeatMs?: number
  /** The reconnection time that is sent in the `retry` field. */
  retryMs?: number
  /** Aborts when the server shuts down, so that its clients reconnect to another server. */
  shutdown?: AbortSignal
}

/**
 * Serves `GET /events`. Replays the entries after `Last-Event-ID` as server-sent events, then sends new entries, each once
 * and in order. A client without that header gets all entries that are kept.
 *
 * An event named `gap` says that quakes may be missing before the next event. After the history has ended, a client that has
 * everything gets 204.
 */
export function createApp(
  history: History,
  { heartbeatMs = 15_000, retryMs = 2000, shutdown }: ServerOptions = {},
): Express {
  throw new Error('lesson 5, task 5.2: write createApp()')
}
