import { once } from 'node:events'
import express, { type Express } from 'express'
import type { Feed } from '#feed'

/**
 * Serves `GET /quakes.ndjson`, which sends each quake as one line of JSON at the moment it happens.
 *
 * @param feed opened once for each client, and closed when that client disconnects
 */
export function createApp(feed: Feed): Express {
  throw new Error('lesson 1, task 1.1: write createApp()')
}
