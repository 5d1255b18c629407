// Creates a page for React in this process. Import this file before react-dom, which looks for a page as soon as it is loaded.
import { Window } from 'happy-dom'

/** An EventSource without a connection. Whoever measures dispatches its events. */
export class BurstSource extends EventTarget {
  static readonly CONNECTING = 0
  static readonly OPEN = 1
  static readonly CLOSED = 2
  /** The source that was created last. */
  static last: BurstSource
  readyState = BurstSource.CONNECTING

  constructor() {
    super()
    BurstSource.last = this
  }

  open(): void {
    this.readyState = BurstSource.OPEN
    this.dispatchEvent(new Event('open'))
  }

  close(): void {
    this.readyState = BurstSource.CLOSED
  }
}

const window = new Window({ url: 'http://127.0.0.1/' })
const { document, navigator } = window
const globals = { window, document, navigator, EventSource: BurstSource }
for (const [name, value] of Object.entries(globals)) {
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
}
