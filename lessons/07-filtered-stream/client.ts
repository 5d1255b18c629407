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
  /** The connection was lost, and `why` is the reason. The client reconnects in `ms` milliseconds. */
  | { name: 'waiting'; ms: number; why: string }

/** A quake, and the rules that it matches. */
export type Match = { data: Quake; matching_rules: { id: string; tag?: string }[] }

/** The acknowledgement of a change, after which the new rules apply to the stream. */
export type RulesChange = { version: number; added: string[]; deleted: string[] }

export type StreamOptions = {
  /** Ends the loop and cancels the request when it aborts. */
  signal: AbortSignal
  /** The method, headers and body of each request. */
  init?: RequestInit
  /** The server's interval between keep-alives. The client gives up on a connection after three of them. */
  keepAliveMs?: number
  onState?(state: ConnectionState): void
  /** Called when quakes may be missing between the last quake and the next. */
  onGap?(): void
  /** Called when the server has acknowledged a change of the rules. */
  onRules?(change: RulesChange): void
  clock?: Clock
}

/**
 * Follows a filtered stream with `fetch`. Yields each quake once, and reconnects when the connection is lost. Returns when
 * `signal` aborts, or when the caller leaves the loop.
 *
 * @throws if retrying is pointless: after a 4xx other than 408 and 429
 */
export async function* followStream(
  url: string,
  {
    signal,
    init = {},
    keepAliveMs = 20_000,
    onState = () => {},
    onGap = () => {},
    onRules = () => {},
    clock = realClock,
  }: StreamOptions,
): AsyncGenerator<Match> {
  throw new Error('lesson 7, task 7.6: write followStream()')
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
