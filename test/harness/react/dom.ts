// Creates a page for React in this process. Import this file before react-dom, which looks for a page as soon as it is loaded.
import { setMaxListeners } from 'node:events'
import { Window } from 'happy-dom'
import { BrowserEventSource } from './browser-event-source.ts'
import { countListeners } from './page-listeners.ts'

// Disable Node's warning about many listeners, because fifty components may well listen to the same EventTarget.
setMaxListeners(0)

const window = new Window({ url: 'http://127.0.0.1/' })

/** The duration of a frame. Only the learner's code uses frames, and no check waits for one. */
const FRAME_MS = 16

// The browser APIs that the workshop's page may use, both as globals and on window. Everything else is still Node's own,
// because the `fetch` of happy-dom can only reach its own server.
const both = {
  EventSource: BrowserEventSource,
  requestAnimationFrame: (draw: (now: number) => void) =>
    Number(setTimeout(() => draw(performance.now()), FRAME_MS)),
  cancelAnimationFrame: (id: number) => clearTimeout(id),
  // Ignore the error, which a browser would write to the console.
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
