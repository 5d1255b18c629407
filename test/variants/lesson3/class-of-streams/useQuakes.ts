import { useEffect, useMemo, useRef, useSyncExternalStore } from 'react'
import type { Quake } from '#feed'

export type QuakesView = {
  status: 'connecting' | 'open' | 'closed'
  quakes: readonly Quake[]
  received: number
  skipped: number
}

export const LIMIT = 100

type Callback = { current: ((quake: Quake) => void) | undefined }

class QuakeStream {
  static readonly #all = new Map<string, QuakeStream>()
  readonly callbacks = new Set<Callback>()
  readonly #url: string
  readonly #watchers = new Set<() => void>()
  #source: EventSource | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #pending: Quake[] = []
  #view: QuakesView = { status: 'connecting', quakes: [], received: 0, skipped: 0 }

  static at(url: string): QuakeStream {
    let stream = this.#all.get(url)
    if (!stream) {
      stream = new QuakeStream(url)
      this.#all.set(url, stream)
    }
    return stream
  }

  private constructor(url: string) {
    this.#url = url
  }

  subscribe = (watcher: () => void): (() => void) => {
    if (this.#watchers.size === 0) this.#start()
    this.#watchers.add(watcher)
    return () => {
      this.#watchers.delete(watcher)
      if (this.#watchers.size === 0) this.#stop()
    }
  }

  snapshot = (): QuakesView => this.#view

  retry = (): void => {
    if (this.#source?.readyState === EventSource.CLOSED) this.#connect()
  }

  #start(): void {
    this.#view = { status: 'connecting', quakes: [], received: 0, skipped: 0 }
    document.addEventListener('visibilitychange', this.#wake)
    this.#connect()
  }

  #stop(): void {
    document.removeEventListener('visibilitychange', this.#wake)
    this.#source?.close()
    this.#source = undefined
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#pending = []
  }

  #wake = (): void => {
    if (document.visibilityState === 'visible') this.retry()
  }

  #connect(): void {
    const source = new EventSource(this.#url)
    this.#source = source
    this.#change({ status: 'connecting' })
    source.addEventListener('open', () => this.#change({ status: 'open' }))
    source.addEventListener('error', () => {
      // An event that the server names "error" says nothing about the connection.
      if (source.readyState === EventSource.OPEN) return
      const isOver = source.readyState === EventSource.CLOSED
      this.#change({ status: isOver ? 'closed' : 'connecting' })
    })
    source.addEventListener('message', this.#take)
    source.addEventListener('quake', this.#take)
  }

  #take = (event: MessageEvent<string>): void => {
    let quake: Quake | null
    try {
      quake = JSON.parse(event.data)
    } catch {
      quake = null
    }
    if (!quake || typeof quake.id !== 'string') {
      this.#change({ skipped: this.#view.skipped + 1 })
      return
    }
    this.#pending.push(quake)
    this.#timer ??= setTimeout(() => this.#flush(), 100)
    const errors: unknown[] = []
    for (const { current } of this.callbacks) {
      try {
        current?.(quake)
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length > 0) throw new AggregateError(errors)
  }

  #flush(): void {
    this.#timer = undefined
    const { quakes, received } = this.#view
    const seen = new Set<string>()
    const next = [...this.#pending.toReversed(), ...quakes].filter(({ id }) => {
      const isNew = !seen.has(id)
      seen.add(id)
      return isNew
    })
    const count = this.#pending.length
    this.#pending = []
    this.#change({ quakes: next.slice(0, LIMIT), received: received + count })
  }

  #change(part: Partial<QuakesView>): void {
    this.#view = { ...this.#view, ...part }
    this.#watchers.forEach((watcher) => watcher())
  }
}

export function useQuakes(
  url: string,
  onQuake?: (quake: Quake) => void,
): QuakesView & { retry(): void } {
  const stream = useMemo(() => QuakeStream.at(url), [url])
  const view = useSyncExternalStore(stream.subscribe, stream.snapshot)
  const callback = useRef(onQuake)
  useEffect(() => {
    callback.current = onQuake
  })
  useEffect(() => {
    stream.callbacks.add(callback)
    return () => void stream.callbacks.delete(callback)
  }, [stream])
  return { ...view, retry: stream.retry }
}
