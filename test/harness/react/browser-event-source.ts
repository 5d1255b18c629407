import { AsyncResource } from 'node:async_hooks'
import { EventSource as NodeEventSource } from 'eventsource'

/** Makes a source behave as if it had lost its connection and reconnected. */
export let loseAndFind: (source: BrowserEventSource) => void
/** Makes a source fail permanently, as it does after a response that refuses the stream. */
export let fail: (source: BrowserEventSource) => void

/**
 * An EventSource that behaves as in a browser, on top of the `EventSource` from npm, which uses real sockets. Promise
 * callbacks run between two events, and an exception in a listener has no effect on later events.
 */
export class BrowserEventSource extends EventTarget {
  static readonly CONNECTING = 0
  static readonly OPEN = 1
  static readonly CLOSED = 2
  readonly CONNECTING = 0
  readonly OPEN = 1
  readonly CLOSED = 2
  readonly url: string
  readonly withCredentials: boolean
  /** The errors that listeners have thrown. */
  readonly thrown: unknown[] = []
  /** Whether the page closed the source. False if a response made the source give up. */
  wasClosed = false
  /** The number of events that have been dispatched. */
  dispatched = 0

  // Do not make these functions methods, so that the learner's code sees only the members that an EventSource has in a
  // browser.
  static {
    loseAndFind = (source) => {
      for (const [type, readyState] of [
        ['error', 0],
        ['open', 1],
      ] as const) {
        if (source.#readyState === 2) return
        source.#readyState = readyState
        source.dispatchEvent(new Event(type))
      }
    }
    fail = (source) => {
      source.#source.close()
      source.#readyState = 2
      source.dispatchEvent(new Event('error'))
    }
  }

  readonly #source: NodeEventSource
  readonly #relayed = new Set<string>()
  readonly #guarded = new Map<EventListenerOrEventListenerObject, EventListener>()
  #readyState = 0

  constructor(url: string | URL, { withCredentials = false }: EventSourceInit = {}) {
    super()
    this.url = new URL(url, document.baseURI).href
    this.withCredentials = withCredentials
    this.#source = new NodeEventSource(this.url, { withCredentials })
    for (const type of ['open', 'error']) this.#relay(type)
    for (const type of ['open', 'message', 'error']) this.#addHandlerProperty(type)
    made.push(this)
  }

  get readyState(): number {
    return this.#readyState
  }

  close(): void {
    this.wasClosed ||= this.#readyState !== 2
    this.#source.close()
    this.#readyState = 2
  }

  override addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: AddEventListenerOptions | boolean,
  ): void {
    this.#relay(type)
    if (listener) super.addEventListener(type, this.#guard(listener), options)
  }

  override removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: EventListenerOptions | boolean,
  ): void {
    if (listener) super.removeEventListener(type, this.#guard(listener), options)
  }

  /** Adds a handler property such as `onopen`. */
  #addHandlerProperty(type: string): void {
    let listener: EventListener | null = null
    Object.defineProperty(this, `on${type}`, {
      get: () => listener,
      set: (handler: unknown) => {
        if (listener) this.removeEventListener(type, listener)
        listener = typeof handler === 'function' ? (event) => handler.call(this, event) : null
        if (listener) this.addEventListener(type, listener)
      },
    })
  }

  /** Dispatches the inner source's events of a type on this source, each in its own task. */
  #relay(type: string): void {
    if (this.#relayed.has(type)) return
    this.#relayed.add(type)
    this.#source.addEventListener(type, (event: Event) => {
      const { readyState } = this.#source
      queueTask(() => {
        if (this.#readyState === 2) return
        if (type === 'open' || type === 'error') this.#readyState = readyState
        this.dispatchEvent(copyOf(event))
        this.dispatched += 1
      })
    })
  }

  #guard(listener: EventListenerOrEventListenerObject): EventListener {
    const known = this.#guarded.get(listener)
    if (known) return known
    const guarded: EventListener = (event) => {
      try {
        if (typeof listener === 'function') listener.call(this, event)
        else listener.handleEvent(event)
      } catch (error) {
        this.thrown.push(error)
      }
    }
    this.#guarded.set(listener, guarded)
    return guarded
  }
}

/** Immediately dispatches a message with the given data. */
export function deliver(source: BrowserEventSource, data: string): void {
  source.dispatchEvent(new MessageEvent('message', { data }))
}

let made: BrowserEventSource[] = []

/** Returns the sources that were created for a URL, in order. */
export function sourcesOf(url: string): BrowserEventSource[] {
  return made.filter((source) => source.url === url)
}

/** Closes and forgets the sources of a URL, because the next server may use the same port. */
export function forgetSources(url: string): void {
  for (const source of sourcesOf(url)) source.close()
  made = made.filter((source) => source.url !== url)
}

/** Copies an event, because an event can be dispatched only once. */
function copyOf(event: Event): Event {
  if (!(event instanceof MessageEvent)) return new Event(event.type)
  const { type, data, lastEventId, origin } = event as MessageEvent<string>
  return new MessageEvent(type, { data, lastEventId, origin })
}

const { setImmediate } = globalThis
const { nextTick } = process
const tasks: (() => void)[] = []
let isRunning = false

/** Queues a task. As in a browser, all queued tasks run in one go, so that React cannot render between two of them. */
function queueTask(task: () => void): void {
  // One check may run the tasks of another, but each task belongs to the check that queued it.
  tasks.push(AsyncResource.bind(task))
  if (!isRunning) setImmediate(runTasks)
  isRunning = true
}

async function runTasks(): Promise<void> {
  for (const task of tasks.splice(0)) {
    task()
    // Wait until all promise callbacks have run.
    await new Promise<void>((resolve) => nextTick(resolve))
  }
  isRunning = tasks.length > 0
  if (isRunning) setImmediate(runTasks)
}
