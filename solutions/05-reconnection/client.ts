import type { Quake } from '#feed'
// #region 5.5
import { readEvents, type Block } from './read-events.ts'
// #endregion

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
  // #region 5.5 followQuakes()
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
        // 0 would switch the backoff off: 0 × 2 ** failures is 0.
        if (block.retry !== undefined) baseMs = Math.max(1, block.retry)
        if (block.id !== undefined) cursor = block.id
        if (block.type === 'gap' && block.data !== undefined) onGap()
        // By onGap(), or before: nothing more is given.
        if (signal.aborted) return
        const quake = quakeIn(block)
        // Of one without an id nobody can tell whether it has come before.
        if (!quake || (block.id && !isNew(block.id))) continue
        // Not as soon as a server answers: it may answer, and fail, again and again.
        failures = 0
        yield quake
      }
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof Refused) throw error
      why = reasonOf(error as Error)
    } finally {
      // Also when the reader of the quakes leaves its loop, and when nothing has come for too long.
      visit.abort()
      signal.removeEventListener('abort', leave)
    }
    if (signal.aborted) return
    // Anything from nothing to the longest wait, so that clients who were lost together do not come together.
    const ms = askedMs + random() * Math.min(maxMs, baseMs * 2 ** failures)
    // 0 × 2 ** 1024 is no number.
    failures = Math.min(failures + 1, 60)
    onState({ name: 'waiting', ms, why })
    await clock.sleep(ms, signal)
  }
  // #endregion
}

// #region 5.5
/** The server will never have us. */
class Refused extends Error {}

function mustBeEvents({ status, headers }: Response): void {
  const isOurFault = status >= 400 && status < 500 && status !== 408 && status !== 429
  if (isOurFault) throw new Refused(`the server answered ${status}`)
  if (status !== 200) throw new Error(`the server answered ${status}`)
  const type = headers.get('Content-Type')
  if (!/^text\/event-stream\s*(;|$)/i.test(type ?? '')) {
    throw new Refused(`the server sent ${type}, and no event stream`)
  }
}

/** `fetch` says that it failed; why it did is the cause. */
function reasonOf({ message, cause }: Error): string {
  return cause instanceof Error ? cause.message : message
}

/** What the header Retry-After says, seconds or a date, in milliseconds from now; 0 without one. */
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
    // It would be the same the next time. Its id counts, so it does not come again.
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

/** What comes, or an error when it does not come within `ms`. */
async function inTime<T>(coming: Promise<T>, ms: number, clock: Clock): Promise<T> {
  const hasCome = new AbortController()
  const late = clock.sleep(ms, hasCome.signal).then(() => {
    throw new Error(`nothing came for ${ms} ms`)
  })
  try {
    return await Promise.race([coming, late])
  } finally {
    hasCome.abort()
  }
}

/** Tells of each id whether it is new, as far back as the last thousand. */
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
      // A longer one would be over at once.
      const timer = setTimeout(wake, Math.min(ms, 2 ** 31 - 1))
      signal.addEventListener('abort', wake)
      if (signal.aborted) wake()
    }),
}
