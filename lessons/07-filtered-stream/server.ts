import express, { type ErrorRequestHandler, type Express, type Response } from 'express'
import type { Quake } from '#feed'
import { bearerToken, readChange, sendProblem, type Change } from './requests.ts'
import { parseRule, RuleError, type Rule } from './rule.ts'

/** Calls `onQuake` for each quake, as soon as the quake happens. `subscribe()` returns a function that unsubscribes. */
export type QuakeSource = { subscribe(onQuake: (quake: Quake) => void): () => void }

export type ServerOptions = {
  /** The bearer tokens. Each token has an account of its own. */
  tokens?: readonly string[]
  /** The longest silence on a stream before the server sends a keep-alive. */
  keepAliveMs?: number
  /** The number of streams that an account may have open. */
  maxConnections?: number
  /** The number of rules that an account may have. */
  maxRules?: number
  /** The number of bytes that may wait for a slow client before the server cuts its connection. */
  maxBufferedBytes?: number
  /** Returns the time in milliseconds. */
  now?: () => number
}

/**
 * Serves `GET /stream`, which sends the quakes that match the account's rules as lines of JSON, and `/stream/rules`, which
 * changes these rules while the stream stays open.
 *
 * @param quakes the source. The app subscribes at once, because a client may ask for quakes from before it connected.
 */
export function createApp(
  quakes: QuakeSource,
  {
    tokens = ['tremor'],
    keepAliveMs = 20_000,
    maxConnections = 1,
    maxRules = 25,
    maxBufferedBytes = 2 ** 20,
    now = Date.now,
  }: ServerOptions = {},
): Express {
  throw new Error('lesson 7, task 7.2: write createApp()')
}
