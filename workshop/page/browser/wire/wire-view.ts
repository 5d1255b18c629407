import { exchangesIn } from '../../../../wire/exchange.ts'
import type { SavedRecording } from '../../../../wire/recording.ts'
import { store } from '../state/store.ts'
import { KINDS } from './entry-columns.ts'
import { exchangeLog, liveExchanges, type ExchangeLog } from './exchange-log.ts'
import { liveLog, wireLog, type WireLog } from './wire-log.ts'

/** The recording and the range that the page shows. Times are in seconds since the recording began. */
export type View = {
  log: WireLog
  exchanges: ExchangeLog
  /** The saved recording that is shown instead of the live one. */
  saved?: SavedRecording & { name: string }
  /** The width of the chart, in seconds, while it follows the newest entries. */
  span: number
  /** The fixed range while the view is paused. `end` is where the log ended when the view was paused. */
  paused?: { from: number; to: number; end: number }
  /** The only connection to show. If absent, all connections are shown. */
  connection?: number
  /** The number of the selected entry. */
  selected?: number
  /** The ID of the selected request. Either a request or an entry is selected. */
  request?: number
}

const LIVE_SPAN = 10
const SHORTEST_SPAN = 0.001
const LONGEST_SPAN = 3600

export const view = store<View>({ log: liveLog, exchanges: liveExchanges, span: LIVE_SPAN })

const calm = matchMedia('(prefers-reduced-motion: reduce)')

/** Returns the visible range, in seconds. */
export function visibleRange({ log, span, paused }: View): { from: number; to: number } {
  if (paused) return paused
  const last = log.end > log.begin ? log.at(log.end - 1) / 1000 : 0
  // Without an open connection, no new entries are expected, so keep the last marks in sight.
  const now = log.open > 0 ? log.now() / 1000 : Math.min(log.now() / 1000, last + span / 2)
  const margin = span / 50
  const edge = (calm.matches ? Math.ceil(now) : now) + margin
  // At first, leave room for the marks at 0.
  const to = Math.max(edge, span - margin)
  return { from: to - span, to }
}

/** Follows the newest entries again. */
export function unpause(): void {
  const { paused: _, ...rest } = view.get()
  view.set({ ...rest, span: LIVE_SPAN })
}

/** Pauses the view at a range, which is the visible range by default. */
export function pause(range = visibleRange(view.get())): void {
  const before = view.get()
  view.set({ ...before, paused: { ...range, end: before.paused?.end ?? before.log.end } })
}

/** Zooms around the selected entry if it is visible. Otherwise zooms around `wanted` or, while not paused, the newest entry. */
export function zoom(factor: number, wanted?: number): void {
  const before = view.get()
  const { from, to } = visibleRange(before)
  const selected = selectedAt(before)
  const isSeen = selected !== undefined && selected >= from && selected <= to
  const around = isSeen ? selected : wanted
  const span = Math.min(Math.max((to - from) * factor, SHORTEST_SPAN), LONGEST_SPAN)
  if (!before.paused && around === undefined) {
    view.set({ ...before, span })
    return
  }
  const middle = around ?? (from + to) / 2
  const start = Math.max(0, middle - ((middle - from) / (to - from)) * span)
  pause({ from: start, to: start + span })
}

/** Returns the time of the selected entry, in seconds. */
function selectedAt({ log, selected }: View): number | undefined {
  const position = selected === undefined ? undefined : log.find(selected)
  return position === undefined ? undefined : log.at(position) / 1000
}

/** Shows one connection, from its beginning to its end or until now. Shows all connections if none is given. */
export function showConnection(connection: number | undefined): void {
  const { log } = view.get()
  const life = connection === undefined ? undefined : log.connections.get(connection)
  if (life) pauseAround(life.from, Math.min(life.to, log.now()))
  const { request: _, ...rest } = view.get()
  view.set({ ...rest, connection })
}

/** Selects a request, and shows its connection in the chart from the request to the end of the response or until now. */
export function selectRequest(id: number): void {
  const { log, exchanges } = view.get()
  const found = exchanges.find(id)
  if (!found) return
  const { connection, startedAt, endedAt = log.now() } = found
  pauseAround(startedAt, endedAt)
  const { selected: _, ...rest } = view.get()
  view.set({ ...rest, connection, request: id })
}

/** Pauses the view at a range, in milliseconds, with a margin. */
function pauseAround(first: number, last: number): void {
  const from = first / 1000
  const to = last / 1000
  const margin = Math.max((to - from) / 25, SHORTEST_SPAN)
  pause({ from: Math.max(0, from - margin), to: to + margin })
}

/** Selects an entry and pauses the view, so that the entry stays in place. */
export function select(position: number): void {
  const { log } = view.get()
  const at = log.at(position) / 1000
  const { from, to } = visibleRange(view.get())
  const span = to - from
  const isSeen = at >= from && at <= to
  pause(
    isSeen ? { from, to } : { from: Math.max(0, at - span / 2), to: Math.max(span, at + span / 2) },
  )
  const { request: _, ...rest } = view.get()
  view.set({ ...rest, selected: log.entry(position).n })
}

/** Deselects the entry or the request. After a request, all connections are shown again, and the live view follows them. */
export function unselect(): void {
  const { selected: _, request, ...rest } = view.get()
  if (request === undefined) {
    view.set(rest)
    return
  }
  const { connection: __, ...all } = rest
  view.set(all)
  if (!all.saved) unpause()
}

/** Selects the arrival before (-1) or after (+1) the selected entry. Without a selection, selects the newest visible arrival. */
export function step(by: 1 | -1): void {
  const { log, selected, connection } = view.get()
  const known = selected === undefined ? undefined : log.find(selected)
  let position =
    known === undefined ? log.firstFrom(visibleRange(view.get()).to * 1000) - 1 : known + by
  const direction = known === undefined ? -1 : by
  while (position >= log.begin && position < log.end) {
    if (isArrival(log, position) && belongsTo(log, position, connection)) {
      select(position)
      return
    }
    position += direction
  }
}

export function isArrival(log: WireLog, position: number): boolean {
  const kind = log.kind(position)
  return kind === KINDS.request || kind === KINDS.response
}

/** Returns whether to show an entry: with a `connection`, only its entries and the notes; otherwise, every entry. */
export function belongsTo(log: WireLog, position: number, connection: number | undefined): boolean {
  return (
    connection === undefined ||
    log.kind(position) === KINDS.note ||
    log.connection(position) === connection
  )
}

/** Whether the wire is empty because the reader cleared it. */
export const hasCleared = store(false)

/** Shows a saved recording in place of the live wire. */
export function showRecording(name: string, recording: SavedRecording): void {
  const { entries, from } = recording
  const log = wireLog()
  log.add(entries.map(({ entry }) => entry).filter(({ n }) => n >= from))
  log.stopClock(entries.at(-1)?.entry.at ?? 0)
  const exchanges = exchangeLog()
  exchanges.forgetBefore(from)
  exchanges.add(exchangesIn(entries))
  const first = log.end > log.begin ? log.at(log.begin) / 1000 : 0
  const last = log.end > log.begin ? log.at(log.end - 1) / 1000 : 1
  const margin = Math.max((last - first) / 50, 0.01)
  view.set({
    log,
    exchanges,
    saved: { ...recording, name },
    span: LIVE_SPAN,
    paused: { from: Math.max(0, first - margin), to: last + margin, end: log.end },
  })
}

export function showLive(): void {
  view.set({ log: liveLog, exchanges: liveExchanges, span: LIVE_SPAN })
}

/** A counter that increases a few times a second while the live logs change, for texts that need no faster updates. */
export const logTick = store(0)

const TICK_MS = 250
let willTick = false
for (const log of [liveLog, liveExchanges]) {
  log.listen(() => {
    if (willTick) return
    willTick = true
    setTimeout(() => {
      willTick = false
      logTick.set(logTick.get() + 1)
    }, TICK_MS)
  })
}
