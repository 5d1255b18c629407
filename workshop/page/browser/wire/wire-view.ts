import { store } from '../state/store.ts'
import { KINDS, live, type WireLog } from './wire-log.ts'

/** Which part of which recording is looked at. Times are in seconds since the recording began. */
export type View = {
  log: WireLog
  /** The name of the saved recording that is looked at instead of the live one. */
  saved?: string
  /** How many seconds the chart is wide while it follows. */
  span: number
  /** The part that is shown when it does not follow. */
  stopped?: { from: number; to: number; end: number }
  /** Only this connection is shown. */
  connection?: number
  /** The number of the selected entry. */
  selected?: number
}

const FOLLOWED_SPAN = 10
const SHORTEST_SPAN = 0.001
const LONGEST_SPAN = 3600

export const view = store<View>({ log: live, span: FOLLOWED_SPAN })

const calm = matchMedia('(prefers-reduced-motion: reduce)')

/** The part that is shown now. */
export function shownPart({ log, span, stopped }: View): { from: number; to: number } {
  if (stopped) return stopped
  const last = log.end > log.begin ? log.at(log.end - 1) / 1000 : 0
  // When nobody is connected there is nothing to wait for, and the last marks stay in sight.
  const now = log.open > 0 ? log.now() / 1000 : Math.min(log.now() / 1000, last + span / 2)
  const edge = (calm.matches ? Math.ceil(now) : now) + span / 50
  const to = Math.max(edge, span)
  return { from: to - span, to }
}

export function follow(): void {
  const { stopped: _, ...rest } = view.get()
  view.set({ ...rest, span: FOLLOWED_SPAN })
}

export function stop(part = shownPart(view.get())): void {
  const before = view.get()
  view.set({ ...before, stopped: { ...part, end: before.stopped?.end ?? before.log.end } })
}

/** Shows more or less: around the selected entry when it is in sight, else around `around`, or the newest while it follows. */
export function zoom(factor: number, wanted?: number): void {
  const before = view.get()
  const { from, to } = shownPart(before)
  const selected = selectedAt(before)
  const isSeen = selected !== undefined && selected >= from && selected <= to
  const around = isSeen ? selected : wanted
  const span = Math.min(Math.max((to - from) * factor, SHORTEST_SPAN), LONGEST_SPAN)
  if (!before.stopped && around === undefined) {
    view.set({ ...before, span })
    return
  }
  const middle = around ?? (from + to) / 2
  const start = Math.max(0, middle - ((middle - from) / (to - from)) * span)
  stop({ from: start, to: start + span })
}

/** When the selected entry was, in seconds. */
function selectedAt({ log, selected }: View): number | undefined {
  const position = selected === undefined ? undefined : log.find(selected)
  return position === undefined ? undefined : log.at(position) / 1000
}

/** Shows one connection, from its beginning to its end or to now; or all of them again. */
export function showConnection(connection: number | undefined): void {
  const { log } = view.get()
  const life = connection === undefined ? undefined : log.connections.get(connection)
  if (life) {
    const from = life.from / 1000
    const to = Math.min(life.to, log.now()) / 1000
    const margin = Math.max((to - from) / 25, SHORTEST_SPAN)
    stop({ from: Math.max(0, from - margin), to: to + margin })
  }
  view.set({ ...view.get(), connection })
}

/** Selects an entry, and stops so that it stays where it is. */
export function select(position: number): void {
  const { log } = view.get()
  const at = log.at(position) / 1000
  const { from, to } = shownPart(view.get())
  const span = to - from
  const isSeen = at >= from && at <= to
  stop(
    isSeen ? { from, to } : { from: Math.max(0, at - span / 2), to: Math.max(span, at + span / 2) },
  )
  view.set({ ...view.get(), selected: log.entry(position).n })
}

export function unselect(): void {
  view.set({ ...view.get(), selected: undefined })
}

/** Selects the arrival before (-1) or after (+1) the selected one; without one, the newest that is shown. */
export function step(by: 1 | -1): void {
  const { log, selected, connection } = view.get()
  const known = selected === undefined ? undefined : log.find(selected)
  let position =
    known === undefined ? log.firstFrom(shownPart(view.get()).to * 1000) - 1 : known + by
  const direction = known === undefined ? -1 : by
  while (position >= log.begin && position < log.end) {
    if (isArrival(log, position) && isShown(log, position, connection)) {
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

/** Notes of the workshop belong to every connection. */
export function isShown(log: WireLog, position: number, connection: number | undefined): boolean {
  return (
    connection === undefined ||
    log.kind(position) === KINDS.note ||
    log.connection(position) === connection
  )
}

/** Whether the wire is empty because its reader wanted that. */
export const hasCleared = store(false)

export function showSaved(log: WireLog, name: string): void {
  const first = log.end > log.begin ? log.at(log.begin) / 1000 : 0
  const last = log.end > log.begin ? log.at(log.end - 1) / 1000 : 1
  const margin = Math.max((last - first) / 50, 0.01)
  view.set({
    log,
    saved: name,
    span: FOLLOWED_SPAN,
    stopped: { from: Math.max(0, first - margin), to: last + margin, end: log.end },
  })
}

export function showLive(): void {
  view.set({ log: live, span: FOLLOWED_SPAN })
}

/** A number that grows a few times a second while the log does: what is written beside the chart needs no more. */
export const beat = store(0)

const BEAT_MS = 250
let isBeating = false
live.listen(() => {
  if (isBeating) return
  isBeating = true
  setTimeout(() => {
    isBeating = false
    beat.set(beat.get() + 1)
  }, BEAT_MS)
})
