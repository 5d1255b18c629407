import type { Entry } from '../../../wire/entry.ts'
import type { WireLog } from './wire-log.ts'

/** What the marks are drawn on. Times are in milliseconds, places in pixels of the canvas. */
export type Sheet = {
  ctx: CanvasRenderingContext2D
  ratio: number
  lanes: string[]
  left: number
  right: number
  top: number
  bottom: number
  x(at: number): number
  /** Where the line of a lane is. */
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

type Kind<Name extends Entry['kind']> = Extract<Entry, { kind: Name }>

/** Writes a label, unless the one before it needs the room. */
type Label = (text: string, x: number, y: number) => void

/** The line of each lane: in the colour of the hop while a connection is open. */
export function drawLives(
  { ctx, ratio, lanes, left, right, x, y, colours }: Sheet,
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
      ctx.fillStyle = colours.hop(name)
      ctx.fillRect(start, y(lane), end - start, ratio)
    }
  }
}

/** A stem for each column that has bytes, and a head on it where there is room: ● of a response, □ of a request. */
export function drawColumns(
  { ctx, ratio, lanes, left, y, colours }: Sheet,
  lane: number,
  sums: Float64Array,
  { full, room, isRequest }: { full: number; room: number; isRequest: boolean },
): void {
  const line = y(lane)
  const stem = Math.max(1, Math.round(1.6 * ratio))
  const radius = 3.2 * ratio
  const lonely = 7 * ratio
  ctx.fillStyle = colours.hop(lanes[lane]!)
  ctx.strokeStyle = ctx.fillStyle
  let before = -Infinity
  for (let column = 0; column < sums.length; column += 1) {
    const sum = sums[column]!
    if (sum === 0) continue
    const length = Math.max(radius * 1.6, Math.sqrt(sum / full) * room)
    const x = left + column
    const end = isRequest ? line + length : line - length
    ctx.fillRect(x - stem / 2, Math.min(line, end), stem, length)
    if (column - before >= lonely && isFree(sums, column + 1, column + lonely)) {
      if (isRequest) drawSquare(ctx, x, end, radius * 1.7, ratio)
      else drawDot(ctx, x, end, radius)
    }
    before = column
  }
}

function isFree(sums: Float64Array, from: number, to: number): boolean {
  for (let column = from; column < Math.min(to, sums.length); column += 1) {
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

/** ▷ on each lane. */
export function drawOpened(
  { ctx, ratio, lanes, x, y, colours }: Sheet,
  { at }: Kind<'opened'>,
): void {
  const size = 5 * ratio
  ctx.lineWidth = 1.5 * ratio
  ctx.fillStyle = colours.paper
  for (const [lane, name] of lanes.entries()) {
    ctx.strokeStyle = colours.hop(name)
    ctx.beginPath()
    ctx.moveTo(x(at), y(lane) - size)
    ctx.lineTo(x(at) + size, y(lane))
    ctx.lineTo(x(at), y(lane) + size)
    ctx.closePath()
    ctx.fill()
    ctx.stroke()
  }
}

/** A bar on each lane, longer on the side that closed. */
export function drawClosed(
  { ctx, ratio, lanes, x, y, colours }: Sheet,
  { at, by }: Kind<'closed'>,
): void {
  for (const [lane, name] of lanes.entries()) {
    const half = (name === by ? 7 : 4) * ratio
    ctx.fillStyle = colours.hop(name)
    ctx.fillRect(x(at) - ratio, y(lane) - half, 2 * ratio, 2 * half)
  }
}

/** ✕ on each lane, and in words who did it. */
export function drawBroken(
  { ctx, ratio, lanes, x, y, colours }: Sheet,
  { at, by, how }: Kind<'closed'>,
  label: Label,
): void {
  const arm = 4.5 * ratio
  ctx.strokeStyle = colours.bad
  ctx.lineWidth = 2 * ratio
  for (const lane of lanes.keys()) {
    ctx.beginPath()
    ctx.moveTo(x(at) - arm, y(lane) - arm)
    ctx.lineTo(x(at) + arm, y(lane) + arm)
    ctx.moveTo(x(at) - arm, y(lane) + arm)
    ctx.lineTo(x(at) + arm, y(lane) - arm)
    ctx.stroke()
  }
  ctx.fillStyle = colours.bad
  const did = by === 'workshop' ? 'cut' : how === 'reset' ? 'reset' : 'closed'
  label(`${did} by the ${by}`, x(at) + 8 * ratio, y(lanes.length - 1) + 15 * ratio)
}

/** A broken line from top to bottom, with its words above. */
export function drawNote(
  { ctx, ratio, top, bottom, x, colours }: Sheet,
  { at, text }: Kind<'note'>,
  label: Label,
): void {
  ctx.fillStyle = colours.quiet
  for (let y = top; y < bottom; y += 6 * ratio) ctx.fillRect(x(at), y, ratio, 3 * ratio)
  label(text, x(at) + 4 * ratio, top - 5 * ratio)
}

/** ▼ at the top, a line, and a ring where it crossed. */
export function drawSelected(
  { ctx, ratio, lanes, top, bottom, x, y, colours }: Sheet,
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
  if (entry.kind !== 'arrived') return
  ctx.lineWidth = 2 * ratio
  ctx.beginPath()
  ctx.arc(middle, y(lanes.indexOf(entry.hop)), 5 * ratio, 0, 2 * Math.PI)
  ctx.stroke()
}

export function labelRow({ ctx, ratio }: Sheet): Label {
  let free = -Infinity
  return (text, x, y) => {
    if (x < free) return
    ctx.font = `${11 * ratio}px system-ui, sans-serif`
    ctx.textAlign = 'left'
    ctx.textBaseline = 'alphabetic'
    ctx.fillText(text, x, y)
    free = x + ctx.measureText(text).width + 10 * ratio
  }
}
