/// <reference types="vite/client" />
import { Profiler, StrictMode, type ReactNode } from 'react'
import { createRoot } from 'react-dom/client'
import { ErrorBoundary } from './error-boundary.tsx'
import { renderStats } from './render-stats.ts'
import { watchEventSources } from './event-source-log.ts'
import { sevenStreams } from './seven-streams.ts'

// The page that shows a learner's component. Beside the component are a log of every EventSource, the number of renders,
// and a button that opens seven streams, to show how many of them a browser opens.

/** The exports of the file to show: `LiveQuakes` or `Chat` in a lesson, or a default export in the exhibit. */
type Work = { LiveQuakes?: Shown; Chat?: Shown; default?: Shown }
type Shown = (props: { url: string }) => ReactNode

const { work = '', url = '' } = document.body.dataset

followTheme()
const closeStreams = sevenStreams({ button: find('#seven'), list: find('#streams'), url })
// Close the seven streams before an update, because while they use up all connections, no file can be loaded.
for (const event of ['vite:beforeUpdate', 'vite:beforeFullReload'] as const) {
  import.meta.hot?.on(event, closeStreams)
}
// React keeps showing the error of a component that has been mended since.
import.meta.hot?.on('vite:afterUpdate', () => {
  if (document.querySelector('main > [role=alert]')) location.reload()
})
watchEventSources(find('#log'))
const rendered = renderStats(find('#figures'))
find('#reset').addEventListener('click', rendered.reset)

createRoot(find('main')).render(
  <StrictMode>
    <ErrorBoundary>{await content()}</ErrorBoundary>
  </StrictMode>,
)

async function content(): Promise<ReactNode> {
  const { LiveQuakes, Chat, default: other } = (await import(/* @vite-ignore */ work)) as Work
  const Shown = LiveQuakes ?? Chat ?? other
  if (!Shown) {
    const name = /(\w+)\.\w+$/.exec(work)?.[1]
    return <p role="alert">This file does not export {name}().</p>
  }
  // A chat asks with POST, and has no EventSource.
  if (Chat) for (const unused of ['#seven', '#streams', '#log']) find(unused).remove()
  return (
    <Profiler id="work" onRender={rendered.count}>
      <Shown url={url} />
    </Profiler>
  )
}

/** Follows the lesson page's theme. The lesson page shows this page in a frame, and names its theme in the URL's fragment. */
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
