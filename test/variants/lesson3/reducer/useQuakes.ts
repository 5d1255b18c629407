import { useEffect, useReducer, useRef } from 'react'
import type { Quake } from '#feed'

export type QuakesView = {
  status: 'connecting' | 'open' | 'closed'
  quakes: readonly Quake[]
  received: number
  skipped: number
}

export const LIMIT = 100

type Message =
  | { kind: 'status'; status: QuakesView['status'] }
  | { kind: 'quake'; quake: Quake }
  | { kind: 'skipped' }
  | { kind: 'another stream' }

type Listener = {
  onStatus(status: QuakesView['status']): void
  onEvent(data: string): void
}

type Connection = { listeners: Set<Listener>; source: EventSource }

const start: QuakesView = { status: 'connecting', quakes: [], received: 0, skipped: 0 }
const connections: Record<string, Connection> = {}

function reduce(view: QuakesView, message: Message): QuakesView {
  switch (message.kind) {
    case 'another stream':
      return start
    case 'status':
      return { ...view, status: message.status }
    case 'skipped':
      return { ...view, skipped: view.skipped + 1 }
    case 'quake': {
      const { quake } = message
      const isKnown = view.quakes.some(({ id }) => id === quake.id)
      const quakes = isKnown ? view.quakes : [quake, ...view.quakes].slice(0, LIMIT)
      return { ...view, quakes, received: view.received + 1 }
    }
  }
}

export function useQuakes(
  url: string,
  onQuake?: (quake: Quake) => void,
): QuakesView & { retry(): void } {
  const [view, dispatch] = useReducer(reduce, start)
  const callback = useRef(onQuake)
  useEffect(() => {
    callback.current = onQuake
  }, [onQuake])

  useEffect(() => {
    const disconnect = connect(url, {
      onStatus: (status) => dispatch({ kind: 'status', status }),
      onEvent(data) {
        const quake = parse(data)
        // React puts what comes in one chunk into one render.
        dispatch(quake ? { kind: 'quake', quake } : { kind: 'skipped' })
        if (quake) callback.current?.(quake)
      },
    })
    const onVisible = (): void => {
      if (!document.hidden) reopen(url)
    }
    document.addEventListener('visibilitychange', onVisible)
    return () => {
      document.removeEventListener('visibilitychange', onVisible)
      disconnect()
      dispatch({ kind: 'another stream' })
    }
  }, [url])

  return { ...view, retry: () => reopen(url) }
}

function connect(url: string, listener: Listener): () => void {
  const connection = (connections[url] ??= { listeners: new Set(), source: open(url) })
  connection.listeners.add(listener)
  listener.onStatus(statusOf(connection.source))
  return () => {
    connection.listeners.delete(listener)
    if (connection.listeners.size === 0) {
      connection.source.close()
      delete connections[url]
    }
  }
}

function reopen(url: string): void {
  const connection = connections[url]
  if (connection?.source.readyState !== EventSource.CLOSED) return
  connection.source = open(url)
  for (const { onStatus } of connection.listeners) onStatus('connecting')
}

function open(url: string): EventSource {
  const source = new EventSource(url)
  const each = (tell: (listener: Listener) => void): void =>
    connections[url]?.listeners.forEach(tell)
  source.onopen = () => each(({ onStatus }) => onStatus(statusOf(source)))
  source.onerror = () => each(({ onStatus }) => onStatus(statusOf(source)))
  source.onmessage = ({ data }) => each(({ onEvent }) => onEvent(data))
  source.addEventListener('quake', ({ data }) => each(({ onEvent }) => onEvent(data)))
  return source
}

function statusOf({ readyState }: EventSource): QuakesView['status'] {
  if (readyState === EventSource.OPEN) return 'open'
  return readyState === EventSource.CLOSED ? 'closed' : 'connecting'
}

function parse(data: string): Quake | undefined {
  try {
    const value = JSON.parse(data)
    if (value && typeof value === 'object' && typeof value.id === 'string') return value
  } catch {}
  return undefined
}
