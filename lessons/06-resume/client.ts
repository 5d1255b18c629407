import type { Quake } from '#feed'

/** A clock that counts in milliseconds. The checks pass a clock that they control. */
export type Clock = {
  now(): number
  /** Resolves after `ms`, or as soon as the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

/** The state of the connection, for the caller to display. */
export type ConnectionState =
  | { name: 'connecting' }
  | { name: 'open' }
  /** The connection was lost, for the reason `why`. The client tries again in `ms` milliseconds. */
  | { name: 'waiting'; ms: number; why: string }
  /** The server answered 204, because there will be no more events. */
  | { name: 'over' }

export type FollowOptions = {
  /** Ends the loop and cancels the request when it aborts. */
  signal: AbortSignal
  /** The method, headers and body of each request. */
  init?: RequestInit
  /** The longest first wait, until the server sends a `retry` field. */
  baseMs?: number
  /** The longest wait that the client chooses. `Retry-After` is added to it. */
  maxMs?: number
  /** The longest silence before the client gives up on a connection. The default is three heartbeats of the server. */
  stallMs?: number
  onState?(state: ConnectionState): void
  /** Called when quakes may be missing between the last one and the next. */
  onGap?(): void
  clock?: Clock
  /** Returns a number from 0 to 1, like `Math.random()`. */
  random?(): number
}

/**
 * Follows an event stream of quakes with `fetch`. Yields each quake once, and reconnects with the last event ID when the
 * connection is lost. Returns when the server answers 204, when `signal` aborts, or when the caller leaves the loop.
 *
 * @throws if retrying is pointless: after a 4xx other than 408 and 429, or a 200 without an event stream
 */
export async function* followQuakes(
  url: string,
  {
    signal,
    init = {},
    baseMs = 1000,
    maxMs = 30_000,
    stallMs = 45_000,
    onState = () => {},
    onGap = () => {},
    clock = realClock,
    random = Math.random,
  }: FollowOptions,
): AsyncGenerator<Quake> {
  throw new Error('lesson 6, task 6.1: write followQuakes()')
}

const realClock: Clock = {
  now: Date.now,
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      // setTimeout() fires at once for a longer delay.
      const timer = setTimeout(wake, Math.min(ms, 2 ** 31 - 1))
      signal.addEventListener('abort', wake)
      if (signal.aborted) wake()
    }),
}
