import type { Quake } from '#feed'
import { readEvents } from './read-events.ts'

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

// A generator reads one connection, yields its quakes, and returns the reason for which the connection was lost.
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

/** Returns a watchdog that calls `bark` unless it rests within `ms`. */
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
