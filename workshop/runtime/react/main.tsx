/// <reference types="vite/client" />
import { Profiler, StrictMode, type ReactNode } from 'react'
import { createRoot } from 'react-dom/client'
import { ErrorBoundary } from './error-boundary.tsx'
import { renderStats } from './render-stats.ts'
import { watchEventSources } from './event-source-log.ts'
import { sevenStreams } from './seven-streams.ts'

// The page on which somebody's component is shown, and beside it what the page does: every EventSource, every
// render, and seven streams for who wants to see how many a browser opens.

/** `LiveQuakes` of the lesson, or what a file of an article exports. */
type Work = { LiveQuakes?: Shown; default?: Shown }
type Shown = (props: { url: string }) => ReactNode

const { work = '', url = '' } = document.body.dataset

followTheme()
const closeStreams = sevenStreams({ button: find('#seven'), list: find('#streams'), url })
// While they have all connections, what has been saved cannot be loaded.
for (const event of ['vite:beforeUpdate', 'vite:beforeFullReload'] as const) {
  import.meta.hot?.on(event, closeStreams)
}
watchEventSources(find('#log'))
const rendered = renderStats(find('#figures'))
find('#anew').addEventListener('click', rendered.reset)

createRoot(find('main')).render(
  <StrictMode>
    <ErrorBoundary>{await content()}</ErrorBoundary>
  </StrictMode>,
)

async function content(): Promise<ReactNode> {
  const { LiveQuakes, default: other } = (await import(/* @vite-ignore */ work)) as Work
  const Shown = LiveQuakes ?? other
  if (!Shown) return <p role="alert">This file does not export LiveQuakes().</p>
  return (
    <Profiler id="work" onRender={rendered.count}>
      <Shown url={url} />
    </Profiler>
  )
}

/** The lesson page, which has this one in a frame, says its colours behind the #. */
function followTheme(): void {
  const take = (): void => {
    document.documentElement.dataset.theme = location.hash.slice(1)
  }
  window.addEventListener('hashchange', take)
  take()
}

function find(selector: string): HTMLElement {
  return document.querySelector<HTMLElement>(selector)!
}
