// #region 3.1
import { useCallback, useEffect, useEffectEvent, useSyncExternalStore } from 'react'
// #endregion
import type { Quake } from '#feed'

/** What a component knows of the stream at one moment. */
export type QuakesView = {
  /** Of the connection: about to open or to open again, open, or closed for good. */
  status: 'connecting' | 'open' | 'closed'
  /** The quakes that came last, the last one first, each once, at most `LIMIT`. */
  quakes: readonly Quake[]
  /** How many quakes have come. */
  received: number
  /** How many events were no quake. */
  skipped: number
}

/** How many quakes are kept. */
export const LIMIT = 100

/**
 * Follows the quakes at `url` for as long as the component is there.
 *
 * @param onQuake called with each quake that comes; it may be another function at each render
 * @returns the view of the moment, and `retry()`, which opens a closed stream again
 */
export function useQuakes(
  url: string,
  onQuake?: (quake: Quake) => void,
): QuakesView & { retry(): void } {
  // #region 3.1 useQuakes()
  const tell = useEffectEvent((quake: Quake) => onQuake?.(quake))
  useEffect(() => follow(url, { onQuake: (quake) => tell(quake) }), [url])
  const subscribe = useCallback((changed: () => void) => follow(url, { changed }), [url])
  const view = useSyncExternalStore(
    subscribe,
    () => streams.get(url)?.view ?? NOTHING_YET,
    () => NOTHING_YET,
  )
  return { ...view, retry: () => streams.get(url)?.retry() }
  // #endregion
}

// #region 3.1
type Follower = { changed?(): void; onQuake?(quake: Quake): void }

type Stream = {
  readonly view: QuakesView
  readonly followers: Set<Follower>
  retry(): void
  close(): void
}

const NOTHING_YET: QuakesView = { status: 'connecting', quakes: [], received: 0, skipped: 0 }

/** The streams that somebody follows, by URL. */
const streams = new Map<string, Stream>()

/** The first follower of a URL opens its stream, the last one to leave closes it. */
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

/** One connection, for everybody who follows this URL. */
function openStream(url: string): Stream {
  const followers = new Set<Follower>()
  // In the order they came. A map tells at once whether a quake is in it.
  const newest = new Map<string, Quake>()
  let { received, skipped } = NOTHING_YET
  let view = NOTHING_YET
  let timer: ReturnType<typeof setTimeout> | undefined
  let source = connect()

  function connect(): EventSource {
    const made = new EventSource(url)
    made.addEventListener('open', show)
    // With readyState CONNECTING it is already trying again: close() would end that.
    made.addEventListener('error', show)
    // An event without a name is called message. Another name is heard only by who listens for it.
    for (const name of ['message', 'quake']) made.addEventListener(name, take)
    return made
  }

  function take({ data }: MessageEvent<string>): void {
    const quake = quakeIn(data)
    if (quake) {
      received += 1
      // One that comes again may have been corrected. In a map it keeps its place.
      newest.set(quake.id, quake)
      if (newest.size > LIMIT) newest.delete(newest.keys().next().value!)
      tellEach(followers, quake)
    } else {
      skipped += 1
    }
    // Ten thousand events are no ten thousand renders: those of one frame are shown together. A timer, for
    // requestAnimationFrame() rests while the tab is hidden.
    timer ??= setTimeout(show, FRAME_MS)
  }

  function show(): void {
    clearTimeout(timer)
    timer = undefined
    const status = STATUS[source.readyState]!
    view = { status, quakes: [...newest.values()].toReversed(), received, skipped }
    for (const { changed } of followers) changed?.()
  }

  function retry(): void {
    if (source.readyState !== EventSource.CLOSED) return
    source = connect()
    show()
  }

  /** Whatever gave up while nobody looked gets another chance. */
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

/** One that throws is reported, as for a listener, and keeps nobody else from being told. */
function tellEach(followers: Iterable<Follower>, quake: Quake): void {
  for (const { onQuake } of followers) {
    try {
      onQuake?.(quake)
    } catch (error) {
      reportError(error)
    }
  }
}

/** By readyState. */
const STATUS = ['connecting', 'open', 'closed'] as const

const FRAME_MS = 16

/** The quake that the data of an event holds; undefined when it is none. */
function quakeIn(data: string): Quake | undefined {
  try {
    const value: Quake | null = JSON.parse(data)
    return typeof value?.id === 'string' ? value : undefined
  } catch {
    return undefined
  }
}
// #endregion
