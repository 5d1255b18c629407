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
  // #region 7.6 followStream()
  const isNew = eachOnce()
  let failures = { ...NO_FAILURES }
  let heardAt: number | undefined

  while (!signal.aborted) {
    const visit = new AbortController()
    const leave = (): void => visit.abort()
    signal.addEventListener('abort', leave)
    const linesIn = lineCutter()
    const stallMs = 3 * keepAliveMs
    let kind: Kind = 'lost'
    let why = 'the stream ended'
    let askedMs = 0
    try {
      onState({ name: 'connecting' })
      const awayMs = heardAt === undefined ? undefined : clock.now() - heardAt
      const asked = fetch(withBackfill(url, awayMs), { ...init, signal: visit.signal })
      const response = await inTime(asked, stallMs, clock)
      if (response.status !== 200) {
        kind = response.status === 429 ? 'limited' : 'failed'
        askedMs = retryAfter(response, clock)
        throw refusal(response.status)
      }
      onState({ name: 'open' })
      if (awayMs !== undefined && awayMs > MAX_BACKFILL * MINUTE) onGap()
      heardAt ??= clock.now()
      for await (const chunk of chunksInTime(response.body!, stallMs, clock)) {
        // Reset the counts only here, because a server may answer 200 each time and then close the connection.
        failures = { ...NO_FAILURES }
        heardAt = clock.now()
        for (const line of linesIn(chunk)) {
          const { rules, data, matching_rules = [] } = recordIn(line)
          if (rules) onRules(rules)
          // A callback may have aborted the signal.
          if (signal.aborted) return
          if (data && isNew(data.id)) yield { data, matching_rules }
        }
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
    const ms = Math.max(askedMs, waitAfter[kind](failures[kind]))
    failures[kind] += 1
    onState({ name: 'waiting', ms, why })
    await clock.sleep(ms, signal)
  }
  // #endregion
}

// #region 7.6
/** The kinds of failure: a connection that is lost or refused, an HTTP error, and 429. Each kind has its own count. */
type Kind = keyof typeof NO_FAILURES

const NO_FAILURES = { lost: 0, failed: 0, limited: 0 }

/** Returns the wait after a failure, given the number of failures of that kind before it. */
const waitAfter: Record<Kind, (failures: number) => number> = {
  lost: (failures) => Math.min(250 * failures, 16_000),
  failed: (failures) => Math.min(5000 * 2 ** failures, 320_000),
  limited: (failures) => Math.min(60_000 * 2 ** failures, 960_000),
}

const MINUTE = 60_000

/** The number of minutes for which the server keeps quakes. */
const MAX_BACKFILL = 5

/** Adds `backfill_minutes` to the URL. Asks for at least a minute, because even a short absence may have cut off a record. */
function withBackfill(url: string, awayMs: number | undefined): URL {
  const address = new URL(url)
  if (awayMs !== undefined) {
    const minutes = Math.min(Math.floor(awayMs / MINUTE) + 1, MAX_BACKFILL)
    address.searchParams.set('backfill_minutes', String(minutes))
  }
  return address
}

/** The error for an answer after which retrying is pointless. */
class Refused extends Error {}

function refusal(status: number): Error {
  const isOurFault = status >= 400 && status < 500 && status !== 408 && status !== 429
  return new (isOurFault ? Refused : Error)(`the server answered ${status}`)
}

/** Returns the message of the cause, because the error of `fetch` itself only says that `fetch` failed. */
function reasonOf({ message, cause }: Error): string {
  return cause instanceof Error ? cause.message : message
}

/** Returns the wait that Retry-After asks for, in milliseconds, or 0. The header contains seconds or a date. */
function retryAfter({ headers }: Response, clock: Clock): number {
  const value = headers.get('Retry-After') ?? ''
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - clock.now()
  return Math.max(0, ms || 0)
}

/** Returns the record in a line, or an empty object for a keep-alive and for a line that is not JSON. */
function recordIn(line: string): Partial<Match> & { rules?: RulesChange } {
  try {
    return JSON.parse(line) ?? {}
  } catch {
    return {}
  }
}

/** Returns a function that takes the next chunk of a stream and returns the lines that it completes. */
function lineCutter(): (chunk: Uint8Array) => string[] {
  const decoder = new TextDecoder()
  let begun = ''
  return (chunk) => {
    const lines = (begun + decoder.decode(chunk, { stream: true })).split('\n')
    begun = lines.pop()!
    return lines
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
