import { once } from 'node:events'
import express, { type Express } from 'express'
import type { History } from './history.ts'

export type ServerOptions = {
  /** How often a comment is sent while nothing else is. */
  heartbeatMs?: number
  /** How long a client is asked to wait before it comes back. */
  retryMs?: number
  /** Aborts when the server is to go away: its clients find another one. */
  shutdown?: AbortSignal
}

/**
 * Serves `GET /events`: the quakes of the history as server-sent events, from the one behind `Last-Event-ID`
 * on, each once and in order, and then those that happen. A client without that header gets all that is kept.
 *
 * An event named `gap` says that quakes may be missing, which stood between the client's last one and the next.
 * Who has everything of a history that is over gets 204.
 */
export function createApp(
  history: History,
  { heartbeatMs = 15_000, retryMs = 2000, shutdown }: ServerOptions = {},
): Express {
  throw new Error('lesson 5, task 5.2: write createApp()')
}
