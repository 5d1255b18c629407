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
  const memory = new Set<string>()
  const waits = createWaits()
  const connection: Connection = { clock, keepAliveMs, init, heardAt: undefined }

  for (;;) {
    if (signal.aborted) return
    const own = new AbortController()
    const abort = (): void => own.abort()
    signal.addEventListener('abort', abort)
    onState({ name: 'connecting' })
    const before = connection.heardAt
    const startedAt = clock.now()
    let failure: Failure = { kind: 'stream', why: 'the response ended', askedMs: 0 }
    try {
      for await (const event of readOnce(url, connection, own)) {
        if (event === 'open') {
          onState({ name: 'open' })
          if (before !== undefined && startedAt - before > 300_000) onGap()
          continue
        }
        waits.reset()
        for (const line of event) {
          const message = messageIn(line)
          if ('rules' in message) onRules(message['rules'] as RulesChange)
          if (signal.aborted) return
          if (!('matching_rules' in message)) continue
          const match = message as unknown as Match
          if (memory.has(match.data.id)) continue
          memory.add(match.data.id)
          if (memory.size > 2000) for (const old of [...memory].slice(0, 500)) memory.delete(old)
          yield match
        }
      }
    } catch (thrown) {
      if (signal.aborted) return
      failure = asFailure(thrown)
      if (failure.kind === 'fatal') throw thrown
    } finally {
      own.abort()
      signal.removeEventListener('abort', abort)
    }
    if (signal.aborted) return
    const ms = Math.max(waits.next(failure.kind), failure.askedMs)
    onState({ name: 'waiting', ms, why: failure.why })
    await clock.sleep(ms, signal)
  }
}

type Connection = {
  clock: Clock
  keepAliveMs: number
  init: RequestInit
  heardAt: number | undefined
}

type Failure = { kind: 'stream' | 'http' | 'rate' | 'fatal'; why: string; askedMs: number }

class StatusError extends Error {
  readonly status: number
  readonly askedMs: number

  constructor({ status, headers }: Response, now: number) {
    super(`HTTP ${status}`)
    this.status = status
    const value = headers.get('Retry-After')
    const seconds = Number(value)
    const ms = Number.isNaN(seconds) ? Date.parse(value!) - now : seconds * 1000
    this.askedMs = Number.isFinite(ms) ? ms : 0
  }
}

function asFailure(thrown: unknown): Failure {
  if (!(thrown instanceof StatusError)) return { kind: 'stream', why: String(thrown), askedMs: 0 }
  const { status, message: why, askedMs } = thrown
  if (status === 429) return { kind: 'rate', why, askedMs }
  if (status === 408 || status > 499) return { kind: 'http', why, askedMs }
  return { kind: 'fatal', why, askedMs }
}

/** Remembers the next wait of each kind, instead of a count. */
function createWaits(): { reset(): void; next(kind: Failure['kind']): number } {
  let waits: Record<string, number>
  const reset = (): void => void (waits = { stream: 0, http: 5000, rate: 60_000 })
  reset()
  return {
    reset,
    next(kind) {
      const ms = waits[kind]!
      if (kind === 'stream') waits[kind] = Math.min(16_000, ms + 250)
      if (kind === 'http') waits[kind] = Math.min(320_000, ms * 2)
      if (kind === 'rate') waits[kind] = Math.min(960_000, ms * 2)
      return ms
    },
  }
}

function messageIn(line: string): object {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}

/** Reads one connection to its end. Reads ahead, and one task sleeps until a deadline that each byte moves. */
async function* readOnce(
  url: string,
  connection: Connection,
  own: AbortController,
): AsyncGenerator<'open' | string[]> {
  const { clock, keepAliveMs, init, heardAt } = connection
  const address = new URL(url)
  if (heardAt !== undefined) {
    const minutes = Math.ceil((clock.now() - heardAt + 1) / 60_000)
    address.searchParams.append('backfill_minutes', `${minutes > 5 ? 5 : minutes}`)
  }
  const found: ('open' | string[])[] = []
  let deadline = clock.now() + 3 * keepAliveMs
  let error: unknown
  let isOver = false
  let wake = (): void => {}

  async function read(): Promise<void> {
    const response = await fetch(address, { ...init, signal: own.signal })
    if (response.status !== 200) throw new StatusError(response, clock.now())
    found.push('open')
    wake()
    const text = new TextDecoder()
    let tail = ''
    for await (const chunk of response.body!) {
      deadline = clock.now() + 3 * keepAliveMs
      connection.heardAt = clock.now()
      const lines = (tail + text.decode(chunk, { stream: true })).split(/\r?\n/)
      tail = lines.pop()!
      found.push(lines)
      wake()
    }
  }

  async function watch(): Promise<void> {
    while (!isOver) {
      const left = deadline - clock.now()
      if (left <= 0) throw new Error('nothing arrived in time')
      await clock.sleep(left, own.signal)
      if (own.signal.aborted) return
    }
  }

  const end = (thrown?: unknown): void => {
    error ??= thrown
    isOver = true
    own.abort()
    wake()
  }
  read().then(() => end(), end)
  watch().catch(end)
  for (;;) {
    const next = found.shift()
    if (next) yield next
    else if (isOver) break
    else await new Promise<void>((resolve) => (wake = resolve))
  }
  if (error) throw error
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
