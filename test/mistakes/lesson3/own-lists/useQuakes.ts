import type { Quake } from '#feed'
import { useCallback, useEffect, useEffectEvent, useReducer } from 'react'

/** The state of a stream at one moment, for a component to show. */
export type QuakesView = {
  /** The state of the connection. A connecting stream opens by itself, but a closed one needs `retry()`. */
  status: 'connecting' | 'open' | 'closed'
  /** The latest `LIMIT` quakes, newest first, each listed once. */
  quakes: readonly Quake[]
  /** The number of quakes that have arrived, including those that are no longer in the list. */
  received: number
  /** The number of events that were not quakes. */
  skipped: number
}

/** The maximum length of the list. */
export const LIMIT = 100

type Message =
  | { status: QuakesView['status'] }
  | { quakes: Quake[]; skipped: number; received: number }
type Shared = {
  source: EventSource
  listeners: Set<(m: Message) => void>
  tellers: Set<(quake: Quake) => void>
  status: QuakesView['status']
  retry(): void
  close(): void
}
const shared = new Map<string, Shared>()

function join(url: string): Shared {
  const known = shared.get(url)
  if (known) return known
  const listeners = new Set<(m: Message) => void>()
  const tellers = new Set<(quake: Quake) => void>()
  let quakes: Quake[] = []
  let skipped = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  const emit = (m: Message) => listeners.forEach((listener) => listener(m))
  const flush = () => {
    timer = undefined
    const batch = quakes
    const bad = skipped
    quakes = []
    skipped = 0
    emit({ quakes: batch, skipped: bad, received: batch.length })
  }
  const look = () => {
    self.status = (['connecting', 'open', 'closed'] as const)[self.source.readyState]!
    emit({ status: self.status })
  }
  const take = ({ data }: MessageEvent<string>) => {
    const quake = parseQuake(data)
    if (quake) {
      quakes.push(quake)
      tellers.forEach((tell) => tell(quake))
    } else skipped++
    timer ??= setTimeout(flush, 16)
  }
  const open = () => {
    const es = new EventSource(url)
    es.addEventListener('open', look)
    es.addEventListener('error', look)
    es.addEventListener('message', take)
    es.addEventListener('quake', take)
    return es
  }
  const onVisible = () => {
    if (document.visibilityState === 'visible') self.retry()
  }
  document.addEventListener('visibilitychange', onVisible)
  const self: Shared = {
    source: open(),
    listeners,
    tellers,
    status: 'connecting',
    retry() {
      if (self.source.readyState !== EventSource.CLOSED) return
      self.source = open()
      look()
    },
    close() {
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', onVisible)
      self.source.close()
      shared.delete(url)
    },
  }
  shared.set(url, self)
  return self
}

const EMPTY: QuakesView = { status: 'connecting', quakes: [], received: 0, skipped: 0 }

function reduce(view: QuakesView, m: Message | { begin: QuakesView['status'] }): QuakesView {
  if ('begin' in m) return { ...EMPTY, status: m.begin }
  if ('status' in m) return { ...view, status: m.status }
  const list = new Map([...view.quakes].reverse().map((quake) => [quake.id, quake]))
  for (const quake of m.quakes) {
    list.delete(quake.id)
    list.set(quake.id, quake)
  }
  return {
    ...view,
    quakes: [...list.values()].slice(-LIMIT).reverse(),
    received: view.received + m.received,
    skipped: view.skipped + m.skipped,
  }
}

/**
 * Follows the quakes at `url` while the component is mounted.
 */
export function useQuakes(
  url: string,
  onQuake?: (quake: Quake) => void,
): QuakesView & { retry(): void } {
  const [view, dispatch] = useReducer(reduce, EMPTY)
  const tell = useEffectEvent((quake: Quake) => onQuake?.(quake))

  useEffect(() => {
    const stream = join(url)
    const listener = (m: Message) => dispatch(m)
    const teller = (quake: Quake) => tell(quake)
    stream.listeners.add(listener)
    stream.tellers.add(teller)
    dispatch({ begin: stream.status })
    return () => {
      stream.listeners.delete(listener)
      stream.tellers.delete(teller)
      if (stream.listeners.size === 0) stream.close()
    }
  }, [url])

  const retry = useCallback(() => shared.get(url)?.retry(), [url])
  return { ...view, retry }
}

function parseQuake(data: string): Quake | null {
  try {
    const value: unknown = JSON.parse(data)
    if (
      typeof value === 'object' &&
      value !== null &&
      'id' in value &&
      typeof value.id === 'string'
    ) {
      return value as Quake
    }
  } catch {
    // not JSON
  }
  return null
}
