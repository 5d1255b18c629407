/** An event stream of ours, and what is done with it. */
export type KeptSource = {
  /** Where it is, asked for each new EventSource. */
  url(): string
  /** What is heard, by the names of events. The workshop says `alive` when there is nothing else to say. */
  events: Record<string, (event: MessageEvent<string>) => void>
  /** True from the first event of a connection until that connection is lost. */
  live(isLive: boolean): void
}

/**
 * Keeps an EventSource for as long as the page is open.
 *
 * The browser's own reconnecting does most of it. It gives up after a status that is not 200, and it does not
 * see a connection that died without a word; here both are noticed, and there is a new EventSource.
 */
export function keepSource({ url, events, live }: KeptSource): void {
  let source: EventSource
  let isLive = false
  let heardAt = performance.now()
  let wait = SHORTEST_WAIT_MS
  let waiting: ReturnType<typeof setTimeout> | undefined

  function open(): void {
    clearTimeout(waiting)
    waiting = undefined
    heardAt = performance.now()
    source = new EventSource(url())
    source.addEventListener('error', lost)
    for (const [name, heard] of Object.entries({ alive() {}, ...events } as typeof events)) {
      source.addEventListener(name, (event) => {
        heardAt = performance.now()
        wait = SHORTEST_WAIT_MS
        becomes(true)
        heard(event)
      })
    }
  }

  function becomes(now: boolean): void {
    if (now === isLive) return
    isLive = now
    live(now)
  }

  function lost(): void {
    becomes(false)
    if (source.readyState !== EventSource.CLOSED || waiting) return
    waiting = setTimeout(open, wait)
    wait = Math.min(wait * 1.6, LONGEST_WAIT_MS)
  }

  function openAgain(): void {
    source.close()
    becomes(false)
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
