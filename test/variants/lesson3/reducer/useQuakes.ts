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
  | { kind: 'another stream'; view: QuakesView }

type Listener = {
  onMessage(message: Message): void
  onQuake(quake: Quake): void
}

type Connection = { listeners: Set<Listener>; source: EventSource; view: QuakesView }

const start: QuakesView = { status: 'connecting', quakes: [], received: 0, skipped: 0 }
const connections: Record<string, Connection> = {}

function reduce(view: QuakesView, message: Message): QuakesView {
  switch (message.kind) {
    case 'another stream':
      return message.view
    case 'status':
      return { ...view, status: message.status }
    case 'skipped':
      return { ...view, skipped: view.skipped + 1 }
    case 'quake': {
      const { quake } = message
      const others = view.quakes.filter(({ id }) => id !== quake.id)
      return { ...view, quakes: [quake, ...others].slice(0, LIMIT), received: view.received + 1 }
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
      // React batches the events of one chunk into one render.
      onMessage: dispatch,
      onQuake: (quake) => callback.current?.(quake),
    })
    const onVisible = (): void => {
      if (!document.hidden) reopen(url)
    }
    document.addEventListener('visibilitychange', onVisible)
    return () => {
      document.removeEventListener('visibilitychange', onVisible)
      disconnect()
      dispatch({ kind: 'another stream', view: start })
    }
  }, [url])

  return { ...view, retry: () => reopen(url) }
}

function connect(url: string, listener: Listener): () => void {
  const connection = (connections[url] ??= {
    listeners: new Set(),
    source: open(url),
    view: start,
  })
  connection.listeners.add(listener)
  listener.onMessage({ kind: 'another stream', view: connection.view })
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
  tell(url, { kind: 'status', status: 'connecting' })
}

/** Updates the connection's own view, for components that mount later, and passes the message on. */
function tell(url: string, message: Message): void {
  const connection = connections[url]
  if (!connection) return
  connection.view = reduce(connection.view, message)
  for (const { onMessage } of connection.listeners) onMessage(message)
}

function open(url: string): EventSource {
  const source = new EventSource(url)
  source.onopen = () => tell(url, { kind: 'status', status: 'open' })
  source.onerror = () => tell(url, { kind: 'status', status: statusOf(source) })
  const onData = ({ data }: MessageEvent): void => {
    const quake = parse(data)
    tell(url, quake ? { kind: 'quake', quake } : { kind: 'skipped' })
    if (!quake) return
    for (const { onQuake } of connections[url]?.listeners ?? []) {
      try {
        onQuake(quake)
      } catch (error) {
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }
  source.onmessage = onData
  source.addEventListener('quake', onData)
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
