import type { Entry } from '../../../../wire/entry.ts'
import { lanesOf, lineOf } from './lanes.ts'
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
  type Sheet,
} from './draw-marks.ts'
import { KINDS, type WireLog } from './wire-log.ts'
import { isShown, type View } from './wire-view.ts'

/** Where on the canvas, in its own pixels, and which seconds are shown there. */
export type Area = {
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
  area: Area,
  { log, connection, selected }: View,
  colours: Colours,
): void {
  const { left, top, width, height, from, to, ratio } = area
  const lanes = lanesOf(log, area)
  const sheet: Sheet = {
    ctx,
    ratio,
    lanes,
    left,
    right: left + width,
    top,
    bottom: top + height,
    x: (at) => Math.round(left + ((at / 1000 - from) / (to - from)) * width),
    y: (lane) => Math.round(top + lineOf(lane, lanes.length) * height),
    colours,
  }
  ctx.save()
  ctx.beginPath()
  ctx.rect(left, 0, width, top + height)
  ctx.clip()

  drawLives(sheet, log, connection)
  const { sums, columns, others } = sumUp(log, area, lanes, connection)
  const full = fullHeight(sums)
  const room = (height / lanes.length) * 0.5
  const rows = lanes.map((_, lane) => [0, 1].map((side) => rowOf(sums, columns, lane * 2 + side)))
  const above = rows.map(([responses]) => responses!)
  const below = rows.map(([, requests]) => requests!)
  for (const lane of lanes.keys()) {
    drawColumns(sheet, lane, above, { full, room, isRequest: false })
    drawColumns(sheet, lane, below, { full, room: room * 0.6, isRequest: true })
  }
  drawOthers(sheet, log, others)
  const position = selected === undefined ? undefined : log.find(selected)
  if (position !== undefined) drawSelected(sheet, log.entry(position))
  ctx.restore()
}

/** Bytes for each lane, direction (responses first) and column; and the entries that are drawn one by one. */
function sumUp(
  log: WireLog,
  { width, from, to }: Area,
  lanes: string[],
  connection: number | undefined,
): { sums: Float64Array; columns: number; others: Entry[] } {
  const columns = Math.ceil(width)
  const sums = cleared(lanes.length * 2 * columns)
  const laneOfHop = log.hops.map((name) => lanes.indexOf(name))
  const columnsPerMs = columns / ((to - from) * 1000)
  const others: Entry[] = []
  /** For each kind, the column that has one already. */
  const taken: number[] = []

  const end = log.firstFrom(to * 1000)
  for (let position = log.firstFrom(from * 1000); position < end; position += 1) {
    if (connection !== undefined && !isShown(log, position, connection)) continue
    const kind = log.kind(position)
    // Rounding may put the first or the last beside the edge.
    const exact = Math.floor((log.at(position) - from * 1000) * columnsPerMs)
    const column = Math.min(columns - 1, Math.max(0, exact))
    if (kind === KINDS.request || kind === KINDS.response) {
      const lane = laneOfHop[log.hop(position)]!
      if (lane === -1) continue
      const row = lane * 2 + (kind === KINDS.response ? 0 : 1)
      sums[row * columns + column]! += log.size(position)
      if (log.hasCursor(position)) others.push(log.entry(position))
    } else if (taken[kind] !== column) {
      others.push(log.entry(position))
      taken[kind] = column
    }
  }
  return { sums, columns, others }
}

function rowOf(sums: Float64Array, columns: number, row: number): Float64Array {
  return sums.subarray(row * columns, (row + 1) * columns)
}

let kept = new Float64Array()

/** The same array again and again: a new one for each frame would be much to throw away. */
function cleared(length: number): Float64Array {
  if (kept.length !== length) kept = new Float64Array(length)
  else kept.fill(0)
  return kept
}

/** How many bytes the highest mark stands for. It goes in steps of four, so that the marks stay put. */
function fullHeight(sums: Float64Array): number {
  let most = 0
  for (const sum of sums) most = Math.max(most, sum)
  let full = 1024
  while (full < most) full *= 4
  return full
}

function drawOthers(sheet: Sheet, log: WireLog, others: Entry[]): void {
  const notes = labelRow(sheet)
  const failures = labelRow(sheet)
  const cursors = labelRow(sheet)
  for (const entry of others) {
    if (entry.kind === 'note') {
      drawNote(sheet, entry, notes)
      continue
    }
    if (entry.kind === 'arrived') {
      if (entry.hop === 'client') drawCursor(sheet, entry, cursors)
      continue
    }
    const hops = log.connections.get(entry.connection)?.hops
    const lanes = [...sheet.lanes.keys()].filter((lane) => hops?.has(sheet.lanes[lane]!))
    if (entry.kind === 'opened') drawOpened(sheet, entry, lanes)
    else if (entry.kind === 'closed' && entry.isFailure) drawBroken(sheet, entry, lanes, failures)
    else if (entry.kind === 'closed') drawClosed(sheet, entry, lanes)
  }
}
