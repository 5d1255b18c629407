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

/** Where on the canvas the wire is drawn, in its own pixels, and which seconds are shown there. */
type PlotArea = {
  left: number
  top: number
  width: number
  height: number
  from: number
  to: number
  /** Pixels of the canvas to a pixel of CSS. */
  ratio: number
}

/**
 * Draws what crossed each hop: responses stand on the line of their lane, requests hang below it, and a mark
 * grows with the square root of its bytes.
 *
 * However many there are, a lane gets one mark for each column of pixels and direction. They are added up
 * first, so drawing costs what the width costs.
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

/** Adds up the bytes of each lane, direction (responses first) and column, and collects the entries that are drawn one by one. */
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
  /** For each kind, the column that has one already. */
  const taken: number[] = []

  const end = log.firstFrom(to * 1000)
  for (let position = log.firstFrom(from * 1000); position < end; position += 1) {
    if (connection !== undefined && !belongsTo(log, position, connection)) continue
    const kind = log.kind(position)
    // Rounding may put the first or the last beside the edge.
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

/** Returns the same array each time: a new one for each frame would be a lot of garbage. */
function cleared(length: number): Float64Array {
  if (reused.length !== length) reused = new Float64Array(length)
  else reused.fill(0)
  return reused
}

/** Returns how many bytes the highest mark stands for. It grows in steps of four, so that the marks stay put. */
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
 * Returns the hops in the order of their lanes: from the server, at the top, to the client. The workshop has one while what
 * it answered itself is in sight.
 *
 * @param range in seconds
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

/** Says where the line of a lane is, as a part of the height: there is more above it than below. */
export function laneOffset(lane: number, lanes: number): number {
  return (lane + 0.6) / lanes
}
