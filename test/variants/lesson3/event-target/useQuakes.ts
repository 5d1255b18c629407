import { useEffect, useLayoutEffect, useRef, useState, startTransition } from 'react'
import type { Quake } from '#feed'

export type QuakesView = {
  status: 'connecting' | 'open' | 'closed'
  quakes: readonly Quake[]
  received: number
  skipped: number
}

export const LIMIT = 100

class Stream extends EventTarget {
  users = 0
  view: QuakesView = { status: 'connecting', quakes: [], received: 0, skipped: 0 }
  stop = new AbortController()
  source!: EventSource

  constructor(readonly: { url: string }) {
    super()
    const { signal } = this.stop
    this.connect(readonly.url)
    document.addEventListener(
      'visibilitychange',
      () => document.visibilityState === 'visible' && this.retry(readonly.url),
      { signal },
    )
    let changed = false
    let quakes: Quake[] = []
    let received = 0
    let skipped = 0
    this.addEventListener('data', (event) => {
      changed = true
      const quake = quakeOf((event as CustomEvent<string>).detail)
      if (!quake) {
        skipped += 1
        return
      }
      received += 1
      quakes = quakes
        .filter(({ id }) => id !== quake.id)
        .concat(quake)
        .slice(-LIMIT)
      this.dispatchEvent(new CustomEvent('quake', { detail: quake }))
    })
    const timer = setInterval(() => {
      if (!changed) return
      changed = false
      this.update({ quakes: quakes.toReversed() })
    }, 25)
    // Update the counts less often, because nobody can read numbers that change faster.
    const slowTimer = setInterval(() => {
      const { view } = this
      if (view.received + view.skipped < received + skipped) this.update({ received, skipped })
    }, 60)
    signal.addEventListener('abort', () => {
      clearInterval(timer)
      clearInterval(slowTimer)
    })
  }

  connect(url: string): void {
    const source = new EventSource(url)
    this.source = source
    const { signal } = this.stop
    signal.addEventListener('abort', () => source.close())
    this.update({ status: 'connecting' })
    const data = ({ data: detail }: MessageEvent): void =>
      void this.dispatchEvent(new CustomEvent('data', { detail }))
    source.addEventListener('message', data)
    source.addEventListener('quake', data)
    source.addEventListener('open', () => this.update({ status: 'open' }))
    source.addEventListener('error', (event) => {
      if (event instanceof MessageEvent) return
      this.update({ status: source.readyState === 2 ? 'closed' : 'connecting' })
    })
  }

  retry(url: string): void {
    if (this.view.status === 'closed') this.connect(url)
  }

  update(part: Partial<QuakesView>): void {
    this.view = { ...this.view, ...part }
    this.dispatchEvent(new Event('change'))
  }
}

const inUse = new Map<string, Stream>()

export function useQuakes(
  url: string,
  onQuake?: (quake: Quake) => void,
): QuakesView & { retry(): void } {
  const [{ from, view }, setView] = useState<{ from?: Stream; view?: QuakesView }>({})
  const newest = useRef(onQuake)
  useLayoutEffect(() => {
    newest.current = onQuake
  })
  useEffect(() => {
    const stream = inUse.get(url) ?? new Stream({ url })
    inUse.set(url, stream)
    stream.users += 1
    const left = new AbortController()
    const show = (): void => {
      const { view: now } = stream
      startTransition(() => setView({ from: stream, view: now }))
    }
    const tell = (event: Event): void => newest.current?.((event as CustomEvent<Quake>).detail)
    stream.addEventListener('change', show, { signal: left.signal })
    stream.addEventListener('quake', tell, { signal: left.signal })
    show()
    return () => {
      left.abort()
      stream.users -= 1
      if (stream.users > 0) return
      stream.stop.abort()
      inUse.delete(url)
    }
  }, [url])
  const isMine = from !== undefined && inUse.get(url) === from
  const now = (isMine && view) || {
    status: 'connecting' as const,
    quakes: [],
    received: 0,
    skipped: 0,
  }
  return { ...now, retry: () => inUse.get(url)?.retry(url) }
}

function quakeOf(text: string): Quake | undefined {
  try {
    const { id } = JSON.parse(text)
    return typeof id === 'string' ? JSON.parse(text) : undefined
  } catch {
    return undefined
  }
}
