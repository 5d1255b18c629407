import type { Quake } from '#feed'
import { readEvents, type Block } from './read-events.ts'

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

type Settings = FollowOptions & Required<Pick<FollowOptions, 'onState' | 'onGap' | 'clock'>>

// A machine that pushes quakes into a queue, and a generator that takes them out. It reads ahead.
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

  /** Aborts the attempt when it takes too long. */
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

/** Stands in the queue where quakes may be missing. */
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
