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
  const seen = new Map<string, true>()
  const newDecoder = () => new TextDecoder()
  const streak = { network: 0, http: 0, rate: 0 }
  let lastByte = 0

  while (!signal.aborted) {
    const controller = new AbortController()
    const stop = (): void => controller.abort()
    signal.addEventListener('abort', stop, { once: true })
    let silent = false
    const dog = watchdog(clock, keepAliveMs * 3, () => {
      silent = true
      controller.abort()
    })
    let delay = 0
    let why = 'closed by the server'
    onState({ name: 'connecting' })
    try {
      const awayMinutes = (clock.now() - lastByte) / 60_000
      const minutes = Math.min(5, Math.max(1, Math.ceil(awayMinutes)))
      const query = lastByte === 0 ? '' : `?backfill_minutes=${minutes}`
      dog.feed()
      const res = await fetch(url + query, { ...init, signal: controller.signal })
      if (res.status === 200) {
        onState({ name: 'open' })
        if (lastByte !== 0 && awayMinutes > 5) onGap()
        const utf8 = newDecoder()
        let rest = ''
        const reader = res.body!.getReader()
        for (;;) {
          dog.feed()
          const { done, value } = await reader.read()
          dog.stop()
          if (done) break
          lastByte = clock.now()
          streak.network = streak.http = streak.rate = 0
          rest += utf8.decode(value, { stream: true })
          for (let at = rest.indexOf('\n'); at !== -1; at = rest.indexOf('\n')) {
            const line = rest.slice(0, at).trim()
            rest = rest.slice(at + 1)
            if (line === '') continue
            const record = parse(line)
            if (record?.rules) onRules(record.rules)
            if (signal.aborted) return
            if (!record?.data?.id || !record.matching_rules) continue
            if (seen.has(record.data.id)) continue
            seen.set(record.data.id, true)
            if (seen.size > 4000) seen.delete([...seen.keys()][0]!)
            yield { data: record.data, matching_rules: record.matching_rules }
            if (signal.aborted) return
          }
        }
        delay = network(streak)
      } else {
        const { status, headers } = res
        why = `status ${status}`
        if (status === 429) delay = 60_000 * 2 ** Math.min(4, streak.rate++)
        else if (status >= 500 || status === 408) delay = 5000 * 2 ** Math.min(6, streak.http++)
        else throw new Fatal(why)
        const after = headers.get('retry-after')
        if (after) {
          const at = /\D/.test(after) ? Date.parse(after) : clock.now() + Number(after) * 1000
          delay = Math.max(delay, at - clock.now() || 0)
        }
      }
    } catch (error) {
      if (error instanceof Fatal) throw error
      if (signal.aborted) return
      why = silent ? 'silence' : String(error)
      delay = network(streak)
    } finally {
      dog.stop()
      signal.removeEventListener('abort', stop)
      controller.abort()
    }
    if (signal.aborted) return
    // A little jitter.
    delay = Math.round(delay * (1 + Math.random() / 5))
    onState({ name: 'waiting', ms: delay, why })
    await clock.sleep(delay, signal)
  }
}

class Fatal extends Error {}

function network(streak: { network: number }): number {
  const ms = Math.min(16_000, 250 * streak.network)
  streak.network += 1
  return ms
}

type Message = { data?: Quake; matching_rules?: Match['matching_rules']; rules?: RulesChange }

function parse(line: string): Message | undefined {
  try {
    return (JSON.parse(line) ?? undefined) as Message | undefined
  } catch {
    return undefined
  }
}

// A watchdog in the manner of clearTimeout() and setTimeout(): each feed() cancels the sleep and starts another.
function watchdog(clock: Clock, ms: number, bark: () => void): { feed(): void; stop(): void } {
  let leash = new AbortController()
  const stop = (): void => leash.abort()
  return {
    stop,
    feed() {
      stop()
      const mine = new AbortController()
      leash = mine
      void clock.sleep(ms, mine.signal).then(() => mine.signal.aborted || bark())
    },
  }
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
