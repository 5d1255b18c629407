import { once } from 'node:events'
import express, { type Express } from 'express'
import type { Feed } from '#feed'
import { encodeEvent } from './encode.ts'

/**
 * Returns an app that serves `GET /events`, and sends each quake of the feed as one server-sent event with the quake's ID.
 *
 * After the feed has ended, every request gets 204, which tells an EventSource to stop.
 *
 * @param feed opened once for each client, and closed when that client disconnects
 * @param options.heartbeatMs the interval of the comments that keep proxies from cutting an idle connection
 */
export function createApp(feed: Feed, { heartbeatMs = 15_000 } = {}): Express {
  throw new Error('lesson 2, task 2.2: write createApp()')
}
