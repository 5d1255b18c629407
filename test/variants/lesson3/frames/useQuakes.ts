import { useEffect, useInsertionEffect, useRef, useState } from 'react'
import type { Quake } from '#feed'

export type QuakesView = {
  status: 'connecting' | 'open' | 'closed'
  quakes: readonly Quake[]
  received: number
  skipped: number
}

export const LIMIT = 100

type Watcher = { show(view: QuakesView): void; tell(quake: Quake): void }
type Shared = { watchers: Watcher[]; view: QuakesView; retry(): void; end(): void }

const empty: QuakesView = { status: 'connecting', quakes: [], received: 0, skipped: 0 }
const shared = new Map<string, Shared>()

export function useQuakes(
  url: string,
  onQuake?: (quake: Quake) => void,
): QuakesView & { retry(): void } {
  const [shown, setShown] = useState({ url, view: empty })
  const latest = useRef(onQuake)
  useInsertionEffect(() => {
    latest.current = onQuake
  })
  useEffect(
    () =>
      watch(url, {
        show: (view) => setShown({ url, view }),
        tell: (quake) => latest.current?.(quake),
      }),
    [url],
  )
  const view = shown.url === url ? shown.view : empty
  return { ...view, retry: () => shared.get(url)?.retry() }
}

function watch(url: string, watcher: Watcher): () => void {
  let stream = shared.get(url)
  if (stream) {
    stream.watchers.push(watcher)
  } else {
    stream = begin(url, [watcher])
    shared.set(url, stream)
  }
  watcher.show(stream.view)
  const mine = stream
  return () => {
    mine.watchers.splice(mine.watchers.indexOf(watcher), 1)
    if (mine.watchers.length > 0) return
    mine.end()
    if (shared.get(url) === mine) shared.delete(url)
  }
}

function begin(url: string, watchers: Watcher[]): Shared {
  const ids = new Set<string>()
  let list: Quake[] = []
  let { received, skipped } = empty
  let frame: number | undefined
  let source: EventSource

  const stream: Shared = {
    watchers,
    view: empty,
    retry() {
      if (source.readyState !== source.CLOSED) return
      open()
      draw()
    },
    end() {
      source.close()
      if (frame !== undefined) cancelAnimationFrame(frame)
      window.removeEventListener('visibilitychange', wake)
      window.removeEventListener('pageshow', wake)
    },
  }

  function wake(): void {
    if (document.visibilityState !== 'hidden') stream.retry()
  }

  function later(): void {
    frame ??= requestAnimationFrame(draw)
  }

  function draw(): void {
    frame = undefined
    const status =
      source.readyState === 1 ? 'open' : source.readyState === 2 ? 'closed' : 'connecting'
    stream.view = { status, quakes: list.slice(0, LIMIT), received, skipped }
    for (const watcher of [...watchers]) watcher.show(stream.view)
  }

  function take(event: MessageEvent): void {
    later()
    let quake: Partial<Quake> | undefined
    try {
      quake = Object(JSON.parse(event.data)) as Partial<Quake>
    } catch {}
    if (typeof quake?.id !== 'string') {
      skipped += 1
      return
    }
    received += 1
    if (!ids.has(quake.id)) {
      ids.add(quake.id)
      list = [quake as Quake, ...list].slice(0, LIMIT)
      if (ids.size > LIMIT * 10) for (const id of [...ids].slice(0, LIMIT * 9)) ids.delete(id)
    } else {
      list = list.map((one) => (one.id === quake.id ? (quake as Quake) : one))
    }
    for (const { tell } of [...watchers]) {
      try {
        tell(quake as Quake)
      } catch (error) {
        console.error(error)
      }
    }
  }

  function open(): void {
    source = new window.EventSource(url)
    source.onopen = draw
    source.onerror = draw
    source.onmessage = take
    source.addEventListener('quake', take)
  }

  open()
  window.addEventListener('visibilitychange', wake)
  window.addEventListener('pageshow', wake)
  return stream
}
