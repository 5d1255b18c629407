import type { Quake } from '#feed'
import { readEvents, type Block } from './read-events.ts'

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

type Settings = FollowOptions & Required<Pick<FollowOptions, 'onState' | 'onGap' | 'clock'>>

// A class that pushes quakes into a queue, and a generator that takes them out. The class reads ahead.
class Follower {
  readonly quakes: Quake[] = []
  isDone = false
  error: unknown
  changed = (): void => {}
  #lastId: string | undefined
  #inARow = 0
  readonly #seen = new Map<string, true>()

  readonly url: string
  readonly options: Settings

  constructor(url: string, options: Settings) {
    this.url = url
    this.options = options
  }

  async run(): Promise<void> {
    let { baseMs = 1000 } = this.options
    const { signal, maxMs = 30_000, random = Math.random, clock, onState } = this.options
    try {
      while (!signal.aborted) {
        const attempt = new AbortController()
        const stop = (): void => attempt.abort()
        signal.addEventListener('abort', stop)
        let why = 'the server ended the response'
        let extraMs = 0
        try {
          const answer = await this.#ask(attempt)
          if (answer === 'over') return
          if (answer instanceof Response) {
            for await (const block of readEvents(this.#bytes(answer, attempt))) {
              if (block.retry) baseMs = block.retry
              this.#take(block)
            }
          } else {
            why = answer.why
            extraMs = answer.extraMs
          }
        } catch (error) {
          if (error instanceof TypeError || attempt.signal.aborted) why = String(error)
          else throw error
        } finally {
          attempt.abort()
          signal.removeEventListener('abort', stop)
        }
        if (signal.aborted) return
        const ms = random() * Math.min(maxMs, baseMs * 2 ** this.#inARow) + extraMs
        this.#inARow += 1
        onState({ name: 'waiting', ms, why })
        await clock.sleep(ms, signal)
        if (signal.aborted) return
      }
    } catch (error) {
      this.error = error
    } finally {
      this.isDone = true
      this.changed()
    }
  }

  async #ask(
    attempt: AbortController,
  ): Promise<Response | 'over' | { why: string; extraMs: number }> {
    const { init, onState, clock } = this.options
    onState({ name: 'connecting' })
    const headers = new Headers({ ...Object.fromEntries(new Headers(init?.headers)) })
    if (this.#lastId) headers.append('Last-Event-ID', this.#lastId)
    const response = await this.#watched(attempt, () =>
      fetch(this.url, { ...init, headers, signal: attempt.signal }),
    )
    if (response.status === 204) {
      onState({ name: 'over' })
      return 'over'
    }
    if ([408, 429].includes(response.status) || response.status >= 500) {
      const value = response.headers.get('Retry-After')
      const at =
        value === null ? 0 : /\D/.test(value) ? Date.parse(value) : clock.now() + +value * 1000
      return {
        why: response.statusText,
        extraMs: Math.max(0, at - clock.now() || 0) * (value ? 1 : 0),
      }
    }
    const isStream =
      response.headers.get('Content-Type')?.split(';')[0]?.trim() === 'text/event-stream'
    if (!response.ok || !isStream) throw new Error(`${response.status} is no stream`)
    onState({ name: 'open' })
    return response
  }

  async *#bytes(response: Response, attempt: AbortController): AsyncGenerator<Uint8Array> {
    const reader = response.body!.getReader()
    for (;;) {
      const { done, value } = await this.#watched(attempt, () => reader.read())
      if (done) return
      yield value
    }
  }

  /** Aborts the attempt if `act` takes too long. */
  async #watched<T>(attempt: AbortController, act: () => Promise<T>): Promise<T> {
    const { stallMs = 45_000, clock } = this.options
    const fed = new AbortController()
    void clock.sleep(stallMs, fed.signal).then(() => fed.signal.aborted || attempt.abort())
    try {
      return await act()
    } finally {
      fed.abort()
    }
  }

  #take({ type, data, id }: Block): void {
    if (id !== undefined) this.#lastId = id
    if (type === 'gap' && data !== undefined) this.quakes.push(GAP)
    if (type === 'message' && data !== undefined && !(id && this.#seen.has(id))) {
      try {
        this.quakes.push(JSON.parse(data) as Quake)
        this.#inARow = 0
      } catch {
        return
      }
      if (id) this.#seen.set(id, true)
      if (this.#seen.size > 5000) this.#seen.delete([...this.#seen.keys()][0]!)
    }
    this.changed()
  }
}

/** The entry that marks a gap in the queue. */
const GAP = {} as Quake

export async function* followQuakes(url: string, options: FollowOptions): AsyncGenerator<Quake> {
  const stopped = new AbortController()
  const stop = (): void => stopped.abort()
  options.signal.addEventListener('abort', stop)
  if (options.signal.aborted) stop()
  const nothing = (): void => {}
  const follower = new Follower(url, {
    onState: nothing,
    onGap: nothing,
    clock: realClock,
    ...options,
    signal: stopped.signal,
  })
  const running = follower.run()
  try {
    while (!options.signal.aborted) {
      const next = follower.quakes.shift()
      if (next === GAP) options.onGap?.()
      else if (next) yield next
      else if (follower.isDone) break
      else await new Promise<void>((resolve) => (follower.changed = resolve))
    }
    if (follower.error) throw follower.error
  } finally {
    options.signal.removeEventListener('abort', stop)
    stop()
    await running
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
      const timer = setTimeout(wake, ms)
      signal.addEventListener('abort', wake)
      if (signal.aborted) wake()
    }),
}
