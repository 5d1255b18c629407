import { once } from 'node:events'
import compression from 'compression'
import express, { type Express } from 'express'
import { recordedQuakes, type Feed } from '#feed'

/** The data of the rest of the site. */
const week = recordedQuakes()

/**
 * Creates an app that serves `GET /events` and `GET /week.json`. `/events` sends each quake of the feed as a
 * server-sent event, through any proxy, and an event named "end" when the feed ends. `/week.json` is compressed for
 * clients that accept compression.
 *
 * @param feed opened once for each client, and closed when that client disconnects
 * @param options.heartbeatMs the interval between two comments, in milliseconds
 */
export function createApp(feed: Feed, { heartbeatMs = 15_000 } = {}): Express {
  throw new Error('lesson 4, task 4.2: write createApp()')
}
