// fails: 3.3a
// says: The connection was lost, and is back
import { useCallback, useEffectEvent, useSyncExternalStore } from 'react'
import type { Quake } from '#feed'
export type QuakesView = {
  status: 'connecting' | 'open' | 'closed'
  quakes: readonly Quake[]
  received: number
  skipped: number
}
export const LIMIT = 100
export function useQuakes(
  url: string,
  onQuake?: (quake: Quake) => void,
): QuakesView & { retry(): void } {
  const tell = useEffectEvent((quake: Quake) => onQuake?.(quake))
  const subscribe = useCallback(
    (changed: () => void) => follow(url, { changed, onQuake: (quake) => tell(quake) }),
    [url],
  )
  const view = useSyncExternalStore(
    subscribe,
    () => streams.get(url)?.view ?? NOTHING_YET,
    () => NOTHING_YET,
  )
  return { ...view, retry: () => streams.get(url)?.retry() }
}
type Follower = { changed(): void; onQuake(quake: Quake): void }

type Stream = {
  readonly view: QuakesView
  readonly followers: Set<Follower>
  retry(): void
  close(): void
}

const NOTHING_YET: QuakesView = { status: 'connecting', quakes: [], received: 0, skipped: 0 }
const streams = new Map<string, Stream>()
function follow(url: string, follower: Follower): () => void {
  const stream = streams.get(url) ?? openStream(url)
  streams.set(url, stream)
  stream.followers.add(follower)
  return () => {
    stream.followers.delete(follower)
    if (stream.followers.size > 0) return
    stream.close()
    streams.delete(url)
  }
}
function openStream(url: string): Stream {
  const followers = new Set<Follower>()
  const newest = new Map<string, Quake>()
  let { received, skipped } = NOTHING_YET
  let view = NOTHING_YET
  let timer: ReturnType<typeof setTimeout> | undefined
  let source = connect()

  function connect(): EventSource {
    const made = new EventSource(url)
    made.addEventListener('open', () => {
      received = newest.size
      skipped = 0
      show()
    })
    made.addEventListener('error', show)
    for (const name of ['message', 'quake']) made.addEventListener(name, take)
    return made
  }

  function take({ data }: MessageEvent<string>): void {
    const quake = quakeIn(data)
    if (quake) {
      received += 1
      if (!newest.has(quake.id)) newest.set(quake.id, quake)
      if (newest.size > LIMIT) newest.delete(newest.keys().next().value!)
      for (const { onQuake } of followers) onQuake(quake)
    } else {
      skipped += 1
    }
    timer ??= setTimeout(show, FRAME_MS)
  }

  function show(): void {
    clearTimeout(timer)
    timer = undefined
    const status = STATUS[source.readyState]!
    view = { status, quakes: [...newest.values()].toReversed(), received, skipped }
    for (const { changed } of followers) changed()
  }

  function retry(): void {
    if (source.readyState !== EventSource.CLOSED) return
    source = connect()
    show()
  }
  function comeBack(): void {
    if (document.visibilityState === 'visible') retry()
  }
  document.addEventListener('visibilitychange', comeBack)

  return {
    followers,
    get view() {
      return view
    },
    retry,
    close() {
      source.close()
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', comeBack)
    },
  }
}
const STATUS = ['connecting', 'open', 'closed'] as const

const FRAME_MS = 16
function quakeIn(data: string): Quake | undefined {
  try {
    const value: Quake | null = JSON.parse(data)
    return typeof value?.id === 'string' ? value : undefined
  } catch {
    return undefined
  }
}
