import { Profiler, StrictMode, type ReactNode } from 'react'
import { createRoot } from 'react-dom/client'
import { log, watchEventSources } from './log.ts'
import { Fallen } from './fallen.tsx'
import { figures } from './figures.ts'

// The page on which somebody's component is shown, and beside it what the page does: every EventSource, every
// render, and two buttons for trouble.

/** `LiveQuakes` of the lesson, or what a file of an article exports. */
type Work = { LiveQuakes?: Shown; default?: Shown }
type Shown = (props: { url: string }) => ReactNode

const { work = '', url = '' } = document.body.dataset

watchEventSources()
button('kill', async () => {
  log('the server is killed')
  await order('kill')
  log('the server is back')
})
button('burst', async () => {
  rendered.reset()
  await order('burst')
})
const rendered = figures(document.querySelector('#figures')!)

const module = (await import(/* @vite-ignore */ work)) as Work
const Shown = module.LiveQuakes ?? module.default
if (!Shown) throw new Error(`${work} does not export LiveQuakes()`)

createRoot(document.querySelector('main')!).render(
  <StrictMode>
    <Fallen>
      <Profiler id="work" onRender={rendered.count}>
        <Shown url={url} />
      </Profiler>
    </Fallen>
  </StrictMode>,
)

function button(id: string, press: () => Promise<void>): void {
  document.querySelector(`#${id}`)!.addEventListener('click', () => void press())
}

function order(what: string): Promise<Response> {
  return fetch(`/demo/${what}`, { method: 'POST', headers: { 'X-Workshop': 'page' } })
}
