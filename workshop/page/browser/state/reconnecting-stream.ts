import { followQuakes, type Clock } from '../../../../solutions/06-resume/client.ts'

/** An event stream of the workshop, and the callbacks for it. */
export type Subscription<Message> = {
  url: string
  /** Called with the parsed data of each event. The workshop sends an event at least every five seconds. */
  onMessage(message: Message): void
  /** Called with true at the first event of a connection, and with false when that connection is lost. */
  onLiveChange(isLive: boolean): void
}

/**
 * Follows a stream for as long as the page is open, with the client of lesson 6: it reconnects by itself, resumes after
 * the last event, and notices a dead connection.
 */
export async function subscribe<Message>({
  url,
  onMessage,
  onLiveChange,
}: Subscription<Message>): Promise<never> {
  const { signal } = new AbortController()
  const { clock, heard } = wakefulClock()
  let isLive = false
  function setLive(now: boolean): void {
    if (now !== isLive) onLiveChange(now)
    isLive = now
  }

  for (;;) {
    const quakes = followQuakes(url, {
      signal,
      maxMs: LONGEST_WAIT_MS,
      stallMs: SILENT_MS,
      clock,
      onState: ({ name }) => name === 'open' || setLive(false),
    })
    try {
      // The types of that client say "quake", but it yields any parsed data.
      for await (const message of quakes as AsyncIterable<unknown>) {
        heard()
        setLive(true)
        try {
          onMessage(message as Message)
        } catch (error) {
          // An error in a callback must not end the connection.
          reportError(error)
        }
      }
    } catch (error) {
      console.warn(error)
    }
    // Another program answers at this address. The workshop may be restarted there later.
    setLive(false)
    await clock.sleep(LONGEST_WAIT_MS, signal)
  }
}

/**
 * Returns a clock whose sleeps end early when the page wakes up. After a frozen tab, a sleeping machine or a lost
 * network, the connection may have been dead for a long time.
 */
function wakefulClock(): { clock: Clock; heard(): void } {
  const sleepers = new Set<() => void>()
  let heardAt = Date.now()

  function wake(): void {
    for (const up of [...sleepers]) up()
  }
  addEventListener('online', wake)
  addEventListener('pageshow', ({ persisted }) => persisted && wake())
  document.addEventListener('resume', wake)
  document.addEventListener('visibilitychange', () => {
    const isQuiet = Date.now() - heardAt > ALIVE_EVERY_MS * 1.5
    if (document.visibilityState === 'visible' && isQuiet) wake()
  })

  return {
    heard: () => void (heardAt = Date.now()),
    clock: {
      now: Date.now,
      sleep: (ms, signal) =>
        new Promise((resolve) => {
          const up = (): void => {
            clearTimeout(timer)
            signal.removeEventListener('abort', up)
            sleepers.delete(up)
            resolve()
          }
          const timer = setTimeout(up, ms)
          signal.addEventListener('abort', up)
          sleepers.add(up)
          if (signal.aborted) up()
        }),
    },
  }
}

const LONGEST_WAIT_MS = 5000
/** How often the workshop sends an event, even if nothing happens. */
const ALIVE_EVERY_MS = 5000
const SILENT_MS = 15_000
