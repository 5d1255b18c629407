import { once } from 'node:events'
import compression from 'compression'
import express, { type Express } from 'express'
import { recordedQuakes, type Feed } from '#feed'

/** What the rest of the site shows. */
const week = recordedQuakes()

/**
 * Serves `GET /events`: every quake of the feed as a server-sent event, whatever stands between the server and
 * its clients, and an event `end` when the feed is over. Serves `GET /week.json`, compressed, for those who take it.
 *
 * @param feed opened once for each client, and closed when that client leaves
 * @param options.heartbeatMs how often a comment is sent
 */
export function createApp(feed: Feed, { heartbeatMs = 15_000 } = {}): Express {
  throw new Error('lesson 4, task 4.2: write createApp()')
}
