import { followQuakes, type Clock } from '../../../../solutions/06-resume/client.ts'

/** One of the workshop's event streams, with the callbacks for its messages. */
export type Subscription<Message> = {
  url: string
  /** Called with the parsed data of each event. The workshop sends an event at least every five seconds. */
  onMessage(message: Message): void
  /** Called with true at the first event of each connection, and with false when that connection is lost. */
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
      // The client's types say that it yields quakes, but it yields any parsed data.
      for await (const message of quakes as AsyncIterable<unknown>) {
        heard()
        setLive(true)
        try {
          onMessage(message as Message)
        } catch (error) {
          // Report the error instead of throwing it, because an error in a callback must not end the connection.
          reportError(error)
        }
      }
    } catch (error) {
      console.warn(error)
    }
    // Another program answers at this address now. Try again later, because the workshop may be restarted there.
    setLive(false)
    await clock.sleep(LONGEST_WAIT_MS, signal)
  }
}

/**
 * Returns a clock whose sleeps end early when the page wakes up. If the tab was frozen, the machine slept or the network
 * was lost, the connection may have been dead for a long time.
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
/** The longest interval between two of the workshop's events, even if nothing happens. */
const ALIVE_EVERY_MS = 5000
const SILENT_MS = 15_000
