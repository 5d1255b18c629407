import { setImmediate as nextTurn } from 'node:timers/promises'
import express, { type Express } from 'express'
import { mergeSources, type Item, type Source } from './merge.ts'

export type ServerOptions = {
  /** The number of items that the server keeps, and that may be waiting for a client. */
  limit?: number
  /** The interval between heartbeats while a client's stream is idle. An edge case of task 8.3. */
  heartbeatMs?: number
  /** The reconnection time that is sent in the `retry` field. */
  retryMs?: number
  /** The longest wait for `drain`, after which the connection is cut. Task 8.6. */
  stallMs?: number
  /** Returns the lines of an item's event, without its `id` and the blank line. Called once per item. */
  encode?: (item: Item) => string
  /** Aborts when the server shuts down. Pass it to `mergeSources()`. Ending the streams is an edge case of task 8.3. */
  shutdown?: AbortSignal
}

/** Encodes an earthquake as the data of an event, and a failed source as an event named `source-failed`. */
export function encodeItem(item: Item): string {
  if ('quake' in item) return `data: ${JSON.stringify(item)}`
  return `event: source-failed\ndata: ${JSON.stringify({ source: item.source })}`
}

/**
 * Opens all sources, and serves what happens as server-sent events at `GET /events`. The items are numbered from 1 in the
 * order in which they happen, and a client that reconnects with `Last-Event-ID` resumes after that number.
 *
 * The query `when_slow` chooses what happens to a client that reads too slowly. `drop-oldest` drops its oldest waiting items and
 * sends their number (task 8.4). `latest` sends only the newest waiting item of each source (task 8.5). `disconnect` ends its
 * stream (task 8.6).
 */
export function createApp(
  sources: readonly Source[],
  {
    limit = 1000,
    heartbeatMs = 15_000,
    retryMs = 2000,
    stallMs = 30_000,
    encode = encodeItem,
    shutdown = new AbortController().signal,
  }: ServerOptions = {},
): Express {
  throw new Error('lesson 8, task 8.3: write createApp()')
}
