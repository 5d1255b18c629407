/** What comes down the channel of the page. */
export type ChannelEvents = {
  hello(hello: { epoch: string; now: number }): void
  state(change: { slice: string; value: unknown }): void
  /** An array of entries, as JSON; they can be many. */
  wire(json: string): void
  gap(gap: { from: number; to: number }): void
  /** True from the first event of a connection until that connection is lost. */
  live(isLive: boolean): void
}

/**
 * Keeps an EventSource on `/channel`, for as long as the page is open.
 *
 * The browser's own reconnecting does most of it. It gives up after a status that is not 200, and it does not
 * see a connection that died without a word; here both are noticed, and a new EventSource goes on at the cursor.
 */
export function openChannel(events: ChannelEvents): void {
  let source: EventSource
  let cursor = ''
  let heardAt = performance.now()
  let wait = SHORTEST_WAIT_MS
  let waiting: ReturnType<typeof setTimeout> | undefined

  function open(): void {
    clearTimeout(waiting)
    waiting = undefined
    heardAt = performance.now()
    source = new EventSource(cursor ? `/channel?after=${encodeURIComponent(cursor)}` : '/channel')
    source.addEventListener('error', lost)
    on('hello', ({ data }) => {
      wait = SHORTEST_WAIT_MS
      events.live(true)
      events.hello(JSON.parse(data))
    })
    on('state', ({ data }) => events.state(JSON.parse(data)))
    on('wire', ({ data, lastEventId }) => {
      events.wire(data)
      cursor = lastEventId
    })
    on('gap', ({ data }) => events.gap(JSON.parse(data)))
    on('alive', () => {})
  }

  function on(type: string, heard: (event: MessageEvent<string>) => void): void {
    source.addEventListener(type, (event) => {
      heardAt = performance.now()
      heard(event)
    })
  }

  function lost(): void {
    events.live(false)
    if (source.readyState !== EventSource.CLOSED || waiting) return
    waiting = setTimeout(open, wait)
    wait = Math.min(wait * 1.6, LONGEST_WAIT_MS)
  }

  function openAgain(): void {
    source.close()
    events.live(false)
    open()
  }

  /** A tab that was frozen, or a machine that slept, may hold a connection that is long dead. */
  function wake(): void {
    if (
      document.visibilityState === 'visible' &&
      performance.now() - heardAt > ALIVE_EVERY_MS * 1.5
    )
      openAgain()
  }

  open()
  setInterval(() => {
    if (!waiting && performance.now() - heardAt > SILENT_MS) openAgain()
  }, 1000)
  addEventListener('online', openAgain)
  addEventListener('pageshow', ({ persisted }) => persisted && openAgain())
  document.addEventListener('resume', openAgain)
  document.addEventListener('visibilitychange', wake)
}

const SHORTEST_WAIT_MS = 1000
const LONGEST_WAIT_MS = 5000

/** The workshop says `alive` this often. */
const ALIVE_EVERY_MS = 5000
const SILENT_MS = 15_000
