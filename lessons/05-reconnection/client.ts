import type { Quake } from '#feed'

/** What time it is and how to let it pass, in milliseconds. A check has one of its own. */
export type Clock = {
  now(): number
  /** Comes back after `ms`, or at once when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

/** Of the connection, for somebody to look at. */
export type ConnectionState =
  | { name: 'connecting' }
  | { name: 'open' }
  /** It was lost, and `why`. In `ms` milliseconds the client tries again. */
  | { name: 'waiting'; ms: number; why: string }
  /** The server says that nothing more will come. */
  | { name: 'over' }

export type FollowOptions = {
  /** Ends it. */
  signal: AbortSignal
  /** The rest of each request: method, headers, body. */
  init?: RequestInit
  /** The longest that the first wait may be, until the server says another with `retry`. */
  baseMs?: number
  /** The longest that a wait of the client's own may be. What `Retry-After` asks for comes on top. */
  maxMs?: number
  /** A connection that is silent for so long is dead: three times the server's heartbeat. */
  stallMs?: number
  onState?(state: ConnectionState): void
  /** Quakes may be missing between the last one and the next. */
  onGap?(): void
  clock?: Clock
  /** From 0 to 1, as `Math.random()`. */
  random?(): number
}

/**
 * Follows an event stream of quakes over `fetch`: gives each quake once, and when the connection is lost comes
 * back with the id of the last one. It ends when the server answers 204, when `signal` aborts, and when you leave
 * the loop.
 *
 * @throws when the server will never have us: a status of 400 to 499 but 408 and 429, or no event stream
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
  throw new Error('lesson 5, task 5.5: write followQuakes()')
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
      // A longer one would be over at once.
      const timer = setTimeout(wake, Math.min(ms, 2 ** 31 - 1))
      signal.addEventListener('abort', wake)
      if (signal.aborted) wake()
    }),
}
