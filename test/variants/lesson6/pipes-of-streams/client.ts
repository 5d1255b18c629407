import type { Quake } from '#feed'
import { readEvents } from './read-events.ts'

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
  /** The longest that any wait may be. */
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

// A visit is a stream of quakes that fails, and a function that makes one says how it may go on.
export async function* followQuakes(url: string, options: FollowOptions): AsyncGenerator<Quake> {
  const { signal, maxMs = 30_000, clock = realClock, random = Math.random } = options
  const memory: Memory = { id: '', baseMs: options.baseMs ?? 1000, failures: 0, seen: [] }
  while (!signal.aborted) {
    let loss: Loss
    try {
      loss = yield* visit(url, options, clock, memory)
    } catch (error) {
      if (signal.aborted) return
      throw error
    }
    if (loss.isOver || signal.aborted) return
    const longest = Math.min(maxMs, memory.baseMs * Math.pow(2, memory.failures++))
    const ms = loss.askedMs + Math.round(longest * random())
    options.onState?.({ name: 'waiting', ms, why: loss.why })
    await clock.sleep(ms, signal)
  }
}

type Memory = { id: string; baseMs: number; failures: number; seen: string[] }
type Loss = { why: string; askedMs: number; isOver?: boolean }

async function* visit(
  url: string,
  { signal, init, stallMs = 45_000, onState, onGap }: FollowOptions,
  clock: Clock,
  memory: Memory,
): AsyncGenerator<Quake, Loss> {
  const request = new AbortController()
  const abort = (): void => request.abort(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  const watchdog = watch(stallMs, clock, () => request.abort(new Error('silence')))
  try {
    onState?.({ name: 'connecting' })
    const headers = new Headers(init?.headers)
    if (memory.id) headers.set('last-event-id', memory.id)
    let response: Response
    try {
      response = await fetch(new Request(url, { ...init, headers, signal: request.signal }))
    } catch (error) {
      return { why: String(error), askedMs: 0 }
    }
    watchdog.rest()
    const { status } = response
    if (status === 204) {
      onState?.({ name: 'over' })
      return { why: '', askedMs: 0, isOver: true }
    }
    if (status >= 500 || status === 429 || status === 408) {
      const after = response.headers.get('retry-after')
      const seconds = Number(after ?? 0)
      const ms = Number.isNaN(seconds) ? new Date(after!).getTime() - clock.now() : seconds * 1000
      return { why: `status ${status}`, askedMs: ms > 0 ? ms : 0 }
    }
    const type = response.headers.get('content-type')?.toLowerCase() ?? ''
    if (status !== 200) throw new Error(`refused: ${status}`)
    if (!type.startsWith('text/event-stream')) throw new Error(`not an event stream: ${type}`)
    onState?.({ name: 'open' })
    const reader = response.body!.getReader()
    async function* chunks(): AsyncGenerator<Uint8Array> {
      for (;;) {
        watchdog.begin()
        let chunk: Awaited<ReturnType<typeof reader.read>>
        try {
          chunk = await reader.read()
        } catch {
          return
        }
        watchdog.rest()
        if (chunk.done) return
        yield chunk.value
      }
    }
    for await (const { type: name, data, id, retry } of readEvents(chunks())) {
      memory.baseMs = Math.max(10, retry ?? memory.baseMs)
      memory.id = id ?? memory.id
      if (name === 'gap' && data !== undefined) onGap?.()
      signal.throwIfAborted()
      if (name !== 'message' || data === undefined) continue
      let quake: Quake
      try {
        quake = JSON.parse(data) as Quake
      } catch {
        continue
      }
      if (id && memory.seen.includes(id)) continue
      if (id) memory.seen = [...memory.seen.slice(-999), id]
      memory.failures = 0
      yield quake
      signal.throwIfAborted()
    }
    return { why: 'lost', askedMs: 0 }
  } finally {
    watchdog.rest()
    signal.removeEventListener('abort', abort)
    request.abort()
  }
}

/** Barks when it has been awake for `ms`. */
function watch(ms: number, clock: Clock, bark: () => void): { begin(): void; rest(): void } {
  let nap = new AbortController()
  const begin = (): void => {
    nap.abort()
    const mine = new AbortController()
    nap = mine
    void clock.sleep(ms, mine.signal).then(() => mine.signal.aborted || bark())
  }
  begin()
  return { begin, rest: () => nap.abort() }
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
      const timer = setTimeout(wake, ms)
      signal.addEventListener('abort', wake)
      if (signal.aborted) wake()
    }),
}
