import type { ServerResponse } from 'node:http'
import { encodeEvent } from '../../solutions/02-server-sent-events/encode.ts'
import type { Session } from './session.ts'
import type { ChannelMessage } from '../../protocol/channel.ts'
import type { PageState } from '../../protocol/page.ts'

/**
 * Sends everything that a page shows as server-sent events, until the page disconnects: first `hello`, then the slices
 * of the `state`, the entries of the `wire` and the `exchanges`, and after that every change. The events have no names,
 * because the page reads them with the client of lesson 6, which yields only their data.
 *
 * A stalled page costs no memory, because nothing is queued for it. Changed slices are only marked, and entries and
 * exchanges stay in the recorder. When the page reads again, it receives the current state.
 *
 * @param options.epoch identifies this run of the workshop, because each run counts its entries from 1
 * @param options.after the number of the last entry that the page has received
 */
export function openChannel({
  session,
  epoch,
  after,
  res,
}: {
  session: Session
  epoch: string
  after: number
  res: ServerResponse
}): void {
  // Already disconnected: 'close' will not fire again.
  if (res.destroyed) return
  const { recorder } = session
  const changed = new Set<keyof PageState>(SLICES)
  let sent = after
  /** The version of the last exchange that was sent. */
  let sentVersion = 0
  let isTurnOfExchanges = false
  /** Runs for a while after every exchange has been sent. */
  let rest: NodeJS.Timeout | undefined
  let isHeld = false
  let timer: NodeJS.Timeout | undefined

  res.writeHead(200, {
    'Content-Type': 'text/event-stream',
    'Cache-Control': 'no-store, no-transform',
  })
  res.write(encodeEvent({ retry: 1000 }))
  write({ type: 'hello', epoch, now: recorder.now() })
  sendNews()

  const stopListening = [
    session.listen((slice) => {
      changed.add(slice)
      soon()
    }),
    recorder.listen(soon),
  ]
  res.on('drain', () => isHeld && sendNews())
  const alive = setInterval(() => res.writableNeedDrain || write({ type: 'alive' }), ALIVE_EVERY_MS)
  res.once('close', () => {
    for (const stop of stopListening) stop()
    clearInterval(alive)
    clearTimeout(timer)
    clearTimeout(rest)
  })

  /** Schedules a send, so that changes in quick succession are sent together. */
  function soon(): void {
    if (!isHeld) timer ??= setTimeout(sendNews, TOGETHER_MS)
  }

  function sendNews(): void {
    clearTimeout(timer)
    timer = undefined
    isHeld = !sendAll()
  }

  /** Sends everything that is new. Returns false if the socket is full and the rest has to wait for 'drain'. */
  function sendAll(): boolean {
    for (const slice of changed) {
      if (res.writableNeedDrain) return false
      changed.delete(slice)
      write({ type: 'state', slice, value: session.state[slice] ?? null })
    }
    while (hasEntries() || hasExchanges()) {
      if (res.writableNeedDrain) return false
      // Take turns, because on a slow page, neither kind may wait for the end of the other.
      isTurnOfExchanges = hasExchanges() && (!isTurnOfExchanges || !hasEntries())
      if (isTurnOfExchanges) sendExchanges()
      else sendEntries()
    }
    return true
  }

  function hasEntries(): boolean {
    return sent < recorder.newest
  }

  function hasExchanges(): boolean {
    return rest === undefined && sentVersion < recorder.exchanges.version
  }

  function sendEntries(): void {
    const entries = recorder.after(sent, MOST_ENTRIES)
    const oldest = entries[0]?.n ?? recorder.newest + 1
    if (oldest > sent + 1) write({ type: 'gap', from: sent + 1, to: oldest - 1 }, oldest - 1)
    sent = entries.at(-1)?.n ?? recorder.newest
    if (entries.length > 0) write({ type: 'wire', entries }, sent)
  }

  function sendExchanges(): void {
    const exchanges = recorder.exchanges.changedSince(sentVersion, MOST_EXCHANGES)
    sentVersion = exchanges.at(-1)?.version ?? recorder.exchanges.version
    if (exchanges.length > 0) write({ type: 'exchanges', exchanges })
    if (sentVersion < recorder.exchanges.version) return
    rest = setTimeout(() => {
      rest = undefined
      soon()
    }, REST_MS)
  }

  function write(message: ChannelMessage, n?: number): void {
    const id = n === undefined ? {} : { id: `${epoch}.${n}` }
    res.write(encodeEvent({ data: JSON.stringify(message), ...id }))
  }
}

/**
 * Returns the number of the entry that an event ID contains. If the ID is invalid or from another run of the workshop,
 * returns 0, so that everything is sent again.
 */
export function lastEntryIn(id: string, epoch: string, newest: number): number {
  const [, begun, digits] = /^(.*)\.(\d{1,15})$/.exec(id) ?? []
  const n = Number(digits)
  return begun === epoch && n <= newest ? n : 0
}

/** The slices of the page's state, in the order in which they are sent. */
export const SLICES = Object.keys({
  lesson: true,
  grading: true,
  server: true,
  clients: true,
  learnerClient: true,
  faults: true,
  recording: true,
  experiment: true,
  load: true,
  processes: true,
  sharing: true,
} satisfies Record<keyof PageState, true>) as (keyof PageState)[]

const MOST_ENTRIES = 2000
const MOST_EXCHANGES = 250
const TOGETHER_MS = 50
/** The page shows changed exchanges four times a second, so do not send the same ones more often. */
const REST_MS = 250
const ALIVE_EVERY_MS = 5000
