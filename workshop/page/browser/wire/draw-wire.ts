import type { Entry } from '../../../../wire/entry.ts'
import {
  drawBroken,
  drawClosed,
  drawColumns,
  drawCursor,
  drawLives,
  drawNote,
  drawOpened,
  drawSelected,
  labelRow,
  type Colours,
  type Surface,
} from './draw-marks.ts'
import { KINDS } from './entry-columns.ts'
import type { WireLog } from './wire-log.ts'
import { belongsTo, type View } from './wire-view.ts'

/** The part of the canvas for the marks, in canvas pixels, and the range of seconds that it shows. */
type PlotArea = {
  left: number
  top: number
  width: number
  height: number
  from: number
  to: number
  /** The number of canvas pixels per CSS pixel. */
  ratio: number
}

/**
 * Draws the traffic at each hop: responses above the line of their lane, and requests below it. The height of a mark is
 * proportional to the square root of its bytes.
 *
 * Each lane has at most one mark per column of pixels and direction. The bytes are summed first, so the cost of drawing
 * depends on the width and not on the number of arrivals.
 */
export function drawWire(
  ctx: CanvasRenderingContext2D,
  area: PlotArea,
  { log, connection, selected }: View,
  colours: Colours,
): void {
  const { left, top, width, height, from, to, ratio } = area
  const lanes = lanesOf(log, area)
  const surface: Surface = {
    ctx,
    ratio,
    lanes,
    left,
    right: left + width,
    top,
    bottom: top + height,
    x: (at) => Math.round(left + ((at / 1000 - from) / (to - from)) * width),
    y: (lane) => Math.round(top + laneOffset(lane, lanes.length) * height),
    colours,
  }
  ctx.save()
  ctx.beginPath()
  ctx.rect(left, 0, width, top + height)
  ctx.clip()

  drawLives(surface, log, connection)
  const { sums, columns, rareEntries } = sumUp(log, area, lanes, connection)
  const full = fullHeight(sums)
  const room = (height / lanes.length) * 0.5
  const rows = lanes.map((_, lane) => [0, 1].map((side) => rowOf(sums, columns, lane * 2 + side)))
  const above = rows.map(([responses]) => responses!)
  const below = rows.map(([, requests]) => requests!)
  for (const lane of lanes.keys()) {
    drawColumns(surface, lane, above, { full, room, isRequest: false })
    drawColumns(surface, lane, below, { full, room: room * 0.6, isRequest: true })
  }
  drawRareEntries(surface, log, rareEntries)
  const position = selected === undefined ? undefined : log.find(selected)
  if (position !== undefined) drawSelected(surface, log.entry(position))
  ctx.restore()
}

/** Sums the bytes per lane, direction (responses first) and column. Collects the entries that are drawn one by one. */
function sumUp(
  log: WireLog,
  { width, from, to }: PlotArea,
  lanes: string[],
  connection: number | undefined,
): { sums: Float64Array; columns: number; rareEntries: Entry[] } {
  const columns = Math.ceil(width)
  const sums = cleared(lanes.length * 2 * columns)
  const laneOfHop = log.hops.map((name) => lanes.indexOf(name))
  const columnsPerMs = columns / ((to - from) * 1000)
  const rareEntries: Entry[] = []
  /** The last column that already has an entry, for each kind of entry. */
  const taken: number[] = []

  const end = log.firstFrom(to * 1000)
  for (let position = log.firstFrom(from * 1000); position < end; position += 1) {
    if (connection !== undefined && !belongsTo(log, position, connection)) continue
    const kind = log.kind(position)
    // Rounding may put the first or last entry just outside the range.
    const exact = Math.floor((log.at(position) - from * 1000) * columnsPerMs)
    const column = Math.min(columns - 1, Math.max(0, exact))
    if (kind === KINDS.request || kind === KINDS.response) {
      const lane = laneOfHop[log.hop(position)]!
      if (lane === -1) continue
      const row = lane * 2 + (kind === KINDS.response ? 0 : 1)
      sums[row * columns + column]! += log.size(position)
      if (log.hasCursor(position)) rareEntries.push(log.entry(position))
    } else if (taken[kind] !== column) {
      rareEntries.push(log.entry(position))
      taken[kind] = column
    }
  }
  return { sums, columns, rareEntries }
}

function rowOf(sums: Float64Array, columns: number, row: number): Float64Array {
  return sums.subarray(row * columns, (row + 1) * columns)
}

let reused = new Float64Array()

/** Returns an array of zeros. Reuses the last array, because a new one per frame would create a lot of garbage. */
function cleared(length: number): Float64Array {
  if (reused.length !== length) reused = new Float64Array(length)
  else reused.fill(0)
  return reused
}

/** Returns the number of bytes for which a mark has full height: a power of four, so that heights rarely change. */
function fullHeight(sums: Float64Array): number {
  let most = 0
  for (const sum of sums) most = Math.max(most, sum)
  let full = 1024
  while (full < most) full *= 4
  return full
}

function drawRareEntries(surface: Surface, log: WireLog, rareEntries: Entry[]): void {
  const notes = labelRow(surface)
  const failures = labelRow(surface)
  const cursors = labelRow(surface)
  for (const entry of rareEntries) {
    if (entry.kind === 'note') {
      drawNote(surface, entry, notes)
      continue
    }
    if (entry.kind === 'arrived') {
      if (entry.hop === 'client') drawCursor(surface, entry, cursors)
      continue
    }
    const hops = log.connections.get(entry.connection)?.hops
    const lanes = [...surface.lanes.keys()].filter((lane) => hops?.has(surface.lanes[lane]!))
    if (entry.kind === 'opened') drawOpened(surface, entry, lanes)
    else if (entry.kind === 'closed' && entry.isFailure) drawBroken(surface, entry, lanes, failures)
    else if (entry.kind === 'closed') drawClosed(surface, entry, lanes)
  }
}

/**
 * Returns the names of the lanes, from the server at the top to the client. The workshop has a lane only while a response
 * that it sent itself is in the range.
 *
 * @param range the range to draw, in seconds
 */
export function lanesOf(log: WireLog, range: { from: number; to: number }): string[] {
  const others = log.hops.filter((name) =>
    name === 'workshop'
      ? log.isSeen(name, range.from * 1000, range.to * 1000)
      : log.isSeen(name, 0, Infinity),
  )
  const names = [...new Set(['server', 'client', ...others])]
  const rank = (name: string): number => (name === 'server' ? 0 : name === 'client' ? 2 : 1)
  return names.toSorted((a, b) => rank(a) - rank(b))
}

/** Returns the position of a lane's line as a fraction of the height. There is more room above the line than below it. */
export function laneOffset(lane: number, lanes: number): number {
  return (lane + 0.6) / lanes
}
