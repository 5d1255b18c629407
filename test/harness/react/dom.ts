// A page for React in this process: to be imported before react-dom, which looks for one when it is loaded.
import { setMaxListeners } from 'node:events'
import { Window } from 'happy-dom'
import { BrowserEventSource } from './browser-event-source.ts'
import { countListeners } from './page-listeners.ts'

// A browser does not warn of many listeners, and fifty components may well listen to one EventTarget.
setMaxListeners(0)

const window = new Window({ url: 'http://127.0.0.1/' })

/** How long a frame takes: this is what the work asks for, and no wait of a check. */
const FRAME_MS = 16

// What a page of this workshop may use, in the two places where it is found. Everything else stays Node's:
// the `fetch` of happy-dom knows no server but its own.
const both = {
  EventSource: BrowserEventSource,
  requestAnimationFrame: (draw: (now: number) => void) =>
    Number(setTimeout(() => draw(performance.now()), FRAME_MS)),
  cancelAnimationFrame: (id: number) => clearTimeout(id),
  // A browser writes it into the console.
  reportError: () => {},
}

const { document, navigator } = window
countListeners([window, document])
const globals = {
  ...both,
  window,
  document,
  navigator,
  addEventListener: window.addEventListener.bind(window),
  removeEventListener: window.removeEventListener.bind(window),
}
for (const [target, values] of [
  [window, both],
  [globalThis, globals],
] as const) {
  for (const [name, value] of Object.entries(values)) {
    Object.defineProperty(target, name, { value, configurable: true, writable: true })
  }
}
