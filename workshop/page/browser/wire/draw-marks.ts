import type { Entry } from '../../../../wire/entry.ts'
import { describeCursor } from './describe-entry.ts'
import type { WireLog } from './wire-log.ts'

/** The canvas, and the scales that map milliseconds and lanes to its pixels. */
export type Surface = {
  ctx: CanvasRenderingContext2D
  ratio: number
  lanes: string[]
  left: number
  right: number
  top: number
  bottom: number
  x(at: number): number
  /** Returns the y position of a lane's line. */
  y(lane: number): number
  colours: Colours
}

export type Colours = {
  ink: string
  quiet: string
  line: string
  paper: string
  bad: string
  accent: string
  hop(name: string): string
}

type EntryOfKind<Name extends Entry['kind']> = Extract<Entry, { kind: Name }>

/** Draws a label, unless it would overlap the previous label. */
type Label = (text: string, x: number, y: number) => void

/** Draws each lane's line, in the hop's colour while a connection that was seen at that hop is open. */
export function drawLives(
  { ctx, ratio, lanes, left, right, x, y, colours }: Surface,
  log: WireLog,
  connection: number | undefined,
): void {
  ctx.fillStyle = colours.line
  for (const lane of lanes.keys()) ctx.fillRect(left, y(lane), right - left, ratio)
  for (const [number, life] of log.connections) {
    if (connection !== undefined && number !== connection) continue
    const start = Math.max(left, x(life.from))
    const end = Math.min(right, x(Math.min(life.to, log.now())))
    if (end <= start) continue
    for (const [lane, name] of lanes.entries()) {
      if (!life.hops.has(name)) continue
      ctx.fillStyle = colours.hop(name)
      ctx.fillRect(start, y(lane), end - start, ratio)
    }
  }
}

/**
 * Draws a stem for each column that has bytes and, where there is room, a head on the stem: ● for a response, □ for a
 * request. A head needs room in every lane, so that an arrival looks the same in all lanes.
 */
export function drawColumns(
  { ctx, ratio, lanes, left, y, colours }: Surface,
  lane: number,
  rows: readonly Float64Array[],
  { full, room, isRequest }: { full: number; room: number; isRequest: boolean },
): void {
  const line = y(lane)
  const stem = Math.max(1, Math.round(1.6 * ratio))
  const radius = 3.2 * ratio
  const lonely = Math.ceil(7 * ratio)
  const close = Math.ceil(2 * ratio)
  ctx.fillStyle = colours.hop(lanes[lane]!)
  ctx.strokeStyle = ctx.fillStyle
  const sums = rows[lane]!
  for (let column = 0; column < sums.length; column += 1) {
    const sum = sums[column]!
    if (sum === 0) continue
    const length = Math.max(radius * 1.6, Math.sqrt(sum / full) * room)
    const x = left + column
    const end = isRequest ? line + length : line - length
    ctx.fillRect(x - stem / 2, Math.min(line, end), stem, length)
    // Columns this close to each other share one head, because an arrival may be in the next column at another hop.
    const isHighest = !isHigher(sums, column, column - close, column + close + 1)
    const isAlone = rows.every(
      (row) =>
        isFree(row, column + close + 1, column + lonely) &&
        isFree(row, column - lonely + 1, column - close),
    )
    if (!isHighest || !isAlone) continue
    if (isRequest) drawSquare(ctx, x, end, radius * 1.7, ratio)
    else drawDot(ctx, x, end, radius)
  }
}

/** Returns whether another column in the range is taller than this one, or equally tall and further left. */
function isHigher(sums: Float64Array, column: number, from: number, to: number): boolean {
  for (let other = Math.max(0, from); other < Math.min(to, sums.length); other += 1) {
    if (sums[other]! > sums[column]! || (sums[other] === sums[column] && other < column))
      return true
  }
  return false
}

function isFree(sums: Float64Array, from: number, to: number): boolean {
  for (let column = Math.max(0, from); column < Math.min(to, sums.length); column += 1) {
    if (sums[column]! > 0) return false
  }
  return true
}

function drawDot(ctx: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
  ctx.beginPath()
  ctx.arc(x, y, radius, 0, 2 * Math.PI)
  ctx.fill()
}

function drawSquare(
  ctx: CanvasRenderingContext2D,
  x: number,
  y: number,
  side: number,
  ratio: number,
): void {
  ctx.clearRect(x - side / 2, y - side / 2, side, side)
  ctx.lineWidth = 1.5 * ratio
  ctx.strokeRect(x - side / 2, y - side / 2, side, side)
}

/** Draws the Last-Event-ID below a request, because it shows where a client resumes after a lost connection. */
export function drawCursor(
  { ctx, ratio, lanes, bottom, x, y, colours }: Surface,
  { at, hop, cursor = '' }: EntryOfKind<'arrived'>,
  label: Label,
): void {
  const lane = lanes.indexOf(hop)
  if (lane === -1) return
  ctx.fillStyle = colours.hop(hop)
  label(
    describeCursor(cursor),
    x(at) + 8 * ratio,
    Math.min(y(lane) + 28 * ratio, bottom - 4 * ratio),
  )
}

/** Draws ▷ on each lane where the connection was seen. */
export function drawOpened(
  { ctx, ratio, lanes, x, y, colours }: Surface,
  { at }: EntryOfKind<'opened'>,
  seenOn: readonly number[],
): void {
  const size = 5 * ratio
  ctx.lineWidth = 1.5 * ratio
  ctx.fillStyle = colours.paper
  for (const lane of seenOn) {
    ctx.strokeStyle = colours.hop(lanes[lane]!)
    ctx.beginPath()
    ctx.moveTo(x(at), y(lane) - size)
    ctx.lineTo(x(at) + size, y(lane))
    ctx.lineTo(x(at), y(lane) + size)
    ctx.closePath()
    ctx.fill()
    ctx.stroke()
  }
}

/** Draws a bar on each lane where the connection was seen. The bar is longer on the side that closed the connection. */
export function drawClosed(
  { ctx, ratio, lanes, x, y, colours }: Surface,
  { at, by }: EntryOfKind<'closed'>,
  seenOn: readonly number[],
): void {
  for (const lane of seenOn) {
    const half = (lanes[lane] === by ? 7 : 4) * ratio
    ctx.fillStyle = colours.hop(lanes[lane]!)
    ctx.fillRect(x(at) - ratio, y(lane) - half, 2 * ratio, 2 * half)
  }
}

/** Draws ✕ on each lane where the connection was seen, and a label that says which side ended it. */
export function drawBroken(
  { ctx, ratio, lanes, bottom, x, y, colours }: Surface,
  { at, by, how }: EntryOfKind<'closed'>,
  seenOn: readonly number[],
  label: Label,
): void {
  const arm = 4.5 * ratio
  ctx.strokeStyle = colours.bad
  ctx.lineWidth = 2 * ratio
  for (const lane of seenOn) {
    ctx.beginPath()
    ctx.moveTo(x(at) - arm, y(lane) - arm)
    ctx.lineTo(x(at) + arm, y(lane) + arm)
    ctx.moveTo(x(at) - arm, y(lane) + arm)
    ctx.lineTo(x(at) + arm, y(lane) - arm)
    ctx.stroke()
  }
  ctx.fillStyle = colours.bad
  const verb = by === 'workshop' ? 'cut' : how === 'reset' ? 'reset' : 'closed'
  const below = Math.min(y(lanes.length - 1) + 15 * ratio, bottom - 4 * ratio)
  label(`${verb} by the ${by}`, x(at) + 8 * ratio, below)
}

/** Draws a dashed line from top to bottom, with the note's text above it. */
export function drawNote(
  { ctx, ratio, top, bottom, x, colours }: Surface,
  { at, text }: EntryOfKind<'note'>,
  label: Label,
): void {
  ctx.fillStyle = colours.quiet
  for (let y = top; y < bottom; y += 6 * ratio) ctx.fillRect(x(at), y, ratio, 3 * ratio)
  label(text, x(at) + 4 * ratio, top - 5 * ratio)
}

/** Draws ▼ at the top, a vertical line, and a ring on the arrival's lane. */
export function drawSelected(
  { ctx, ratio, lanes, top, bottom, x, y, colours }: Surface,
  entry: Entry,
): void {
  const middle = x(entry.at)
  ctx.fillStyle = colours.accent
  ctx.strokeStyle = colours.accent
  ctx.fillRect(middle - ratio / 2, top, ratio, bottom - top)
  ctx.beginPath()
  ctx.moveTo(middle - 5 * ratio, top)
  ctx.lineTo(middle + 5 * ratio, top)
  ctx.lineTo(middle, top + 7 * ratio)
  ctx.fill()
  if (entry.kind !== 'arrived' || !lanes.includes(entry.hop)) return
  ctx.lineWidth = 2 * ratio
  ctx.beginPath()
  ctx.arc(middle, y(lanes.indexOf(entry.hop)), 5 * ratio, 0, 2 * Math.PI)
  ctx.stroke()
}

export function labelRow({ ctx, ratio, right, colours }: Surface): Label {
  let free = -Infinity
  return (text, wanted, y) => {
    ctx.font = `${11 * ratio}px system-ui, sans-serif`
    ctx.textAlign = 'left'
    ctx.textBaseline = 'alphabetic'
    const { width } = ctx.measureText(text)
    // The newest label is at the right edge and must not be cut off.
    const x = Math.min(wanted, right - width)
    if (x < free) return
    // The outline keeps the text readable on top of marks.
    ctx.strokeStyle = colours.paper
    ctx.lineWidth = 4 * ratio
    ctx.strokeText(text, x, y)
    ctx.fillText(text, x, y)
    free = x + width + 10 * ratio
  }
}
