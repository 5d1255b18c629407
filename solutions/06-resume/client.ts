import type { Quake } from '#feed'
// #region 6.1
import { readEvents, type Block } from './read-events.ts'
// #endregion

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
  // #region 6.1 followQuakes()
  const isNew = eachOnce()
  let cursor = ''
  let failures = 0

  while (!signal.aborted) {
    const visit = new AbortController()
    const leave = (): void => visit.abort()
    signal.addEventListener('abort', leave)
    let why = 'the stream ended'
    let askedMs = 0
    try {
      onState({ name: 'connecting' })
      const headers = new Headers(init.headers)
      headers.set('Accept', 'text/event-stream')
      if (cursor !== '') headers.set('Last-Event-ID', cursor)
      const asked = fetch(url, { ...init, headers, signal: visit.signal })
      const response = await inTime(asked, stallMs, clock)
      if (response.status === 204) {
        onState({ name: 'over' })
        return
      }
      askedMs = retryAfter(response, clock)
      mustBeEvents(response)

      onState({ name: 'open' })
      for await (const block of readEvents(chunksInTime(response.body!, stallMs, clock))) {
        // With 0 there would be no backoff, because 0 × 2 ** failures is 0.
        if (block.retry !== undefined) baseMs = Math.max(1, block.retry)
        if (block.id !== undefined) cursor = block.id
        if (block.type === 'gap' && block.data !== undefined) onGap()
        // onGap() may have aborted the signal.
        if (signal.aborted) return
        const quake = quakeIn(block)
        // Without an ID, the client cannot know whether the event has already arrived.
        if (!quake || (block.id && !isNew(block.id))) continue
        // Reset the count only here, because a server may accept each connection and then fail.
        failures = 0
        yield quake
      }
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof Refused) throw error
      why = reasonOf(error as Error)
    } finally {
      // The caller may have left the loop at the yield, or the watchdog may have fired.
      visit.abort()
      signal.removeEventListener('abort', leave)
    }
    if (signal.aborted) return
    // Full jitter, so that clients that lost their connections together do not reconnect together.
    const ms = askedMs + random() * Math.min(maxMs, baseMs * 2 ** failures)
    // 0 × 2 ** 1024 is NaN.
    failures = Math.min(failures + 1, 60)
    onState({ name: 'waiting', ms, why })
    await clock.sleep(ms, signal)
  }
  // #endregion
}

// #region 6.1
/** The error for an answer after which retrying is pointless. */
class Refused extends Error {}

function mustBeEvents({ status, headers }: Response): void {
  const isOurFault = status >= 400 && status < 500 && status !== 408 && status !== 429
  if (isOurFault) throw new Refused(`the server answered ${status}`)
  if (status !== 200) throw new Error(`the server answered ${status}`)
  const type = headers.get('Content-Type')
  if (!/^text\/event-stream\s*(;|$)/i.test(type ?? '')) {
    throw new Refused(`the server sent ${type} instead of an event stream`)
  }
}

/** Returns the message of the cause, because the message of `fetch` only says that it failed. */
function reasonOf({ message, cause }: Error): string {
  return cause instanceof Error ? cause.message : message
}

/** Returns the wait that Retry-After asks for, in milliseconds, or 0. The header contains seconds or a date. */
function retryAfter({ headers }: Response, clock: Clock): number {
  const value = headers.get('Retry-After') ?? ''
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - clock.now()
  return Math.max(0, ms || 0)
}

function quakeIn({ type, data }: Block): Quake | undefined {
  if (type !== 'message' || data === undefined) return undefined
  try {
    return JSON.parse(data) as Quake
  } catch {
    // Reconnecting would not help, because the same event would arrive again.
    return undefined
  }
}

async function* chunksInTime(
  body: ReadableStream<Uint8Array>,
  stallMs: number,
  clock: Clock,
): AsyncGenerator<Uint8Array> {
  const reader = body.getReader()
  for (;;) {
    const { done, value } = await inTime(reader.read(), stallMs, clock)
    if (done) return
    yield value
  }
}

/** Returns the value of the promise, or throws if it takes longer than `ms`. */
async function inTime<T>(coming: Promise<T>, ms: number, clock: Clock): Promise<T> {
  const hasCome = new AbortController()
  const late = clock.sleep(ms, hasCome.signal).then(() => {
    throw new Error(`no bytes arrived for ${ms} ms`)
  })
  try {
    return await Promise.race([coming, late])
  } finally {
    hasCome.abort()
  }
}

/** Returns a function that tells you whether an ID is new. The function remembers the last thousand IDs. */
function eachOnce(): (id: string) => boolean {
  const seen = new Set<string>()
  return (id) => {
    if (seen.has(id)) return false
    seen.add(id)
    if (seen.size > 1000) seen.delete(seen.values().next().value!)
    return true
  }
}
// #endregion

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
