/// <reference types="vite/client" />
import { Profiler, StrictMode, useEffect, useEffectEvent, type ReactNode } from 'react'
import { flushSync } from 'react-dom'
import { createRoot } from 'react-dom/client'
import type { Quake } from '#feed'
import type { LiveQuakes } from '../../../solutions/03-react/LiveQuakes.tsx'
import type { useQuakes } from '../../../solutions/03-react/useQuakes.ts'
import { works } from 'virtual:works'

// A page on which a test renders components with the hook of the solution or of a mistake.

/** What a component shows now, and its history. */
type Shown = {
  status: string
  ids: string[]
  received: number
  skipped: number
  retry(): void
  /** The statuses that were shown, in order. */
  statuses: string[]
  /** The IDs of the quakes that the component's onQuake received. */
  told: string[]
}

const shown: Shown[] = []
const sources: EventSource[] = []
const errors: string[] = []
let renders = 0
let longestMs = 0
let useHook: typeof useQuakes
let Live: typeof LiveQuakes

/** The functions that the tests call. */
const stage = {
  shown,
  sources,
  /** The errors that listeners have thrown, and those that components have thrown during rendering. */
  errors,

  /** `solution`, or the name of a mistake. */
  async use(name: string): Promise<void> {
    const load = works[name]
    if (!load) throw new Error(`There is no mistake ${name}.`)
    const work = await load()
    useHook = work.useQuakes
    Live = work.LiveQuakes
  },

  /**
   * Renders a component for each URL, at the URL's position. An empty entry renders nothing.
   *
   * @param options.live whether to render `<LiveQuakes>` for the first URL as well
   */
  draw(urls: (string | null)[], { strict = true, live = false } = {}): void {
    draw(
      <>
        {live && <Live url={urls[0]!} />}
        {urls.map((url, n) => url !== null && <Probe key={n} n={n} url={url} />)}
      </>,
      strict,
    )
  },

  /** The number of the page's EventSources that have not been closed. */
  get open(): number {
    return sources.filter(({ readyState }) => readyState !== EventSource.CLOSED).length
  },

  /** The number of renders and the longest time between two frames since the last call. */
  figures(): { renders: number; longestMs: number } {
    const now = { renders, longestMs: Math.round(longestMs) }
    renders = 0
    longestMs = 0
    return now
  },
}

export type Stage = typeof stage
Object.assign(window, { stage })

const root = createRoot(document.querySelector('main')!, {
  onUncaughtError: (error) => errors.push(String(error)),
})

function draw(content: ReactNode, strict: boolean): void {
  const counted = (
    <Profiler id="stage" onRender={() => (renders += 1)}>
      {content}
    </Profiler>
  )
  flushSync(() => root.render(strict ? <StrictMode>{counted}</StrictMode> : counted))
}

function Probe({ n, url }: { n: number; url: string }): ReactNode {
  const view = useHook(url, ({ id }: Quake) => shown[n]!.told.push(id))
  const take = useEffectEvent(() => {
    const { statuses = [], told = [] } = shown[n] ?? {}
    const { status, quakes, received, skipped, retry } = view
    if (statuses.at(-1) !== status) statuses.push(status)
    const ids = quakes.map(({ id }) => id)
    shown[n] = { status, ids, received, skipped, retry, statuses, told }
  })
  useEffect(() => take())
  return null
}

window.EventSource = class extends EventSource {
  constructor(url: string | URL, options?: EventSourceInit) {
    super(url, options)
    sources.push(this)
  }
}
window.addEventListener('error', ({ message }) => errors.push(message))

let last = performance.now()
requestAnimationFrame(function frame(now) {
  longestMs = Math.max(longestMs, now - last)
  last = now
  requestAnimationFrame(frame)
})
