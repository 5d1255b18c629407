import { useCallback, useEffect, useRef, useSyncExternalStore } from 'react'
import type { Quake } from '#feed'

export type QuakesView = {
  status: 'connecting' | 'open' | 'closed'
  quakes: readonly Quake[]
  received: number
  skipped: number
}

export const LIMIT = 100

type Channel = {
  view: QuakesView
  source: EventSource | undefined
  watchers: Set<() => void>
  callbacks: Set<(quake: Quake) => void>
  timer?: ReturnType<typeof setTimeout>
  closing?: ReturnType<typeof setTimeout>
}

// Wait before closing, so that a component that replaces another one at once needs no new connection.
const GRACE_MS = 100
const first: QuakesView = { status: 'connecting', quakes: [], received: 0, skipped: 0 }
const channels = new Map<string, Channel>()

export function useQuakes(
  url: string,
  onQuake?: (quake: Quake) => void,
): QuakesView & { retry(): void } {
  const view = useSyncExternalStore(
    useCallback((watcher) => join(url, watcher), [url]),
    () => channels.get(url)?.view ?? first,
  )
  const latest = useRef(onQuake)
  useEffect(() => {
    latest.current = onQuake
  })
  useEffect(() => {
    const callbacks = channels.get(url)?.callbacks
    const tell = (quake: Quake): void => latest.current?.(quake)
    callbacks?.add(tell)
    return () => void callbacks?.delete(tell)
  }, [url])
  const retry = useCallback(() => {
    const channel = channels.get(url)
    if (channel?.view.status === 'closed') connect(url, channel)
  }, [url])
  return { ...view, retry }
}

function join(url: string, watcher: () => void): () => void {
  let channel = channels.get(url)
  if (!channel) {
    channel = { view: first, source: undefined, watchers: new Set(), callbacks: new Set() }
    channels.set(url, channel)
    connect(url, channel)
  }
  const mine = channel
  clearTimeout(mine.closing)
  mine.watchers.add(watcher)
  return () => {
    mine.watchers.delete(watcher)
    if (mine.watchers.size > 0) return
    mine.closing = setTimeout(() => {
      mine.source?.close()
      clearTimeout(mine.timer)
      channels.delete(url)
    }, GRACE_MS)
  }
}

function connect(url: string, channel: Channel): void {
  const source = new EventSource(url)
  channel.source?.close()
  channel.source = source
  publish(channel, { status: 'connecting' })
  source.onopen = () => publish(channel, { status: 'open' })
  source.onerror = () =>
    source.readyState !== EventSource.OPEN &&
    publish(channel, {
      status: source.readyState === EventSource.CLOSED ? 'closed' : 'connecting',
    })
  let quakes: Quake[] = []
  let skipped = 0
  const flush = (): void => {
    delete channel.timer
    const { view } = channel
    const fresh = new Map(quakes.map((one) => [one.id, one]))
    const others = view.quakes.filter(({ id }) => !fresh.has(id))
    publish(channel, {
      quakes: [...[...fresh.values()].toReversed(), ...others].slice(0, LIMIT),
      received: view.received + quakes.length,
      skipped: view.skipped + skipped,
    })
    quakes = []
    skipped = 0
  }
  const take = ({ data }: MessageEvent): void => {
    try {
      const quake = JSON.parse(data)
      if (typeof quake.id !== 'string') throw new TypeError('no quake')
      quakes.push(quake)
      // Call each callback in a promise, so that an error in one of them is only reported.
      channel.callbacks.forEach((tell) => void Promise.resolve(quake).then(tell).catch(reportError))
    } catch {
      skipped += 1
    }
    channel.timer ??= setTimeout(flush, 40)
  }
  source.addEventListener('message', take)
  source.addEventListener('quake', take)
}

function publish(channel: Channel, part: Partial<QuakesView>): void {
  channel.view = { ...channel.view, ...part }
  channel.watchers.forEach((watcher) => watcher())
}

// Free one of the browser's six connections while the tab is hidden.
document.addEventListener('visibilitychange', () => {
  for (const [url, channel] of channels) {
    if (document.visibilityState === 'hidden') channel.source?.close()
    else if (channel.source?.readyState === EventSource.CLOSED) connect(url, channel)
  }
})
