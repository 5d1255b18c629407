import { once } from 'node:events'
import express, { type Express } from 'express'
import type { Feed } from '#feed'
import { encodeEvent } from './encode.ts'

/**
 * Serves `GET /events`: every quake of the feed as one server-sent event, its id as the event's id.
 *
 * When the feed has come to its end, whoever asks again gets 204, which tells an EventSource to stop.
 *
 * @param feed opened once for each client, and closed when that client leaves
 * @param options.heartbeatMs how often a comment is sent, so that nobody takes the connection for dead
 */
export function createApp(feed: Feed, { heartbeatMs = 15_000 } = {}): Express {
  throw new Error('lesson 2, task 2.2: write createApp()')
}
