// #region 3.1
import { useCallback, useEffect, useEffectEvent, useSyncExternalStore } from 'react'
// #endregion
import type { Quake } from '#feed'

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

/**
 * Follows the quakes at `url` while the component is mounted.
 *
 * @param onQuake called with each quake that arrives; may be a new function at every render
 * @returns the current view, and `retry()`, which reopens a closed stream
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

/** The streams with at least one follower, by URL. */
const streams = new Map<string, Stream>()

/**
 * Adds a follower, and returns a function that removes it. The first follower of a URL opens its stream, and removing the
 * last one closes it.
 */
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

/** Opens the one connection that all followers of a URL share. */
function openStream(url: string): Stream {
  const followers = new Set<Follower>()
  // A Map looks up an id in constant time, and keeps the order of arrival.
  const newest = new Map<string, Quake>()
  let { received, skipped } = NOTHING_YET
  let view = NOTHING_YET
  let timer: ReturnType<typeof setTimeout> | undefined
  let source = connect()

  function connect(): EventSource {
    const made = new EventSource(url)
    made.addEventListener('open', show)
    // Don't close() here: if readyState is CONNECTING, the source is already reconnecting.
    made.addEventListener('error', show)
    // An event without a name is a 'message'. A named event reaches only the listeners for its name.
    for (const name of ['message', 'quake']) made.addEventListener(name, take)
    return made
  }
  // #endregion

  // #region 3.3
  function take({ data }: MessageEvent<string>): void {
    const quake = quakeIn(data)
    if (quake) {
      received += 1
      // Replace a repeated quake, because it may have been corrected. In a Map it keeps its place.
      newest.set(quake.id, quake)
      if (newest.size > LIMIT) newest.delete(newest.keys().next().value!)
      tellEach(followers, quake)
    } else {
      skipped += 1
    }
    // Show the events of one frame together, to avoid a render per event. Use a timer, because
    // requestAnimationFrame() stops while the tab is hidden.
    timer ??= setTimeout(show, FRAME_MS)
  }
  // #endregion

  // #region 3.5
  function show(): void {
    clearTimeout(timer)
    timer = undefined
    const status = STATUS[source.readyState]!
    view = { status, quakes: [...newest.values()].toReversed(), received, skipped }
    for (const { changed } of followers) changed?.()
  }
  // #endregion

  // #region 3.2
  function retry(): void {
    if (source.readyState !== EventSource.CLOSED) return
    source = connect()
    show()
  }
  // #endregion

  // #region 3.7
  /** Reopens the stream if it was closed while the tab was hidden. */
  function comeBack(): void {
    if (document.visibilityState === 'visible') retry()
  }
  document.addEventListener('visibilitychange', comeBack)
  // #endregion

  // #region 3.1
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
// #endregion

// #region 3.4
/** Calls every `onQuake`. If one throws, reports the error, as a browser does for a listener, and still calls the others. */
function tellEach(followers: Iterable<Follower>, quake: Quake): void {
  for (const { onQuake } of followers) {
    try {
      onQuake?.(quake)
    } catch (error) {
      reportError(error)
    }
  }
}
// #endregion

// #region 3.2
/** The status for each readyState. */
const STATUS = ['connecting', 'open', 'closed'] as const
// #endregion

// #region 3.5
const FRAME_MS = 16
// #endregion

// #region 3.3
/** Returns the quake in the data of an event, or undefined if the data is not a quake. */
function quakeIn(data: string): Quake | undefined {
  try {
    const value: Quake | null = JSON.parse(data)
    return typeof value?.id === 'string' ? value : undefined
  } catch {
    return undefined
  }
}
// #endregion
