import { lastEventIdOf, type Arrival, type Closing } from '../../wire/arrival.ts'
import { conversation, describeClose, type Turn } from '../../wire/conversation.ts'
import type { Segment } from '../../wire/segment.ts'
import { visible } from '../../wire/visible.ts'
import type { Hue, Paint } from './colour.ts'

/** How much of an arrival to show: all of its bytes, or a line that is shortened to the width of the terminal. */
export type Detail = 'short' | 'whole'

/** A function that formats a line when it is needed, because during a burst, most lines are never shown. */
export type Line = (look: { width: number; detail: Detail; paint: Paint }) => string

/** Formats the traffic through a tap: one line each time a connection opens, bytes arrive, or a connection closes. */
export type WireLines = {
  opened(connection: number): Line
  arrived(connection: number, arrival: Arrival): Line
  closed(connection: number, closing: Closing): Line
}

export function wireLines(): WireLines {
  const talks = new Map<number, Talk>()

  return {
    opened:
      (connection) =>
      ({ paint }) =>
        `${columns(connection, 0)}  ${paint('quiet', 'opened')}`,
    arrived(connection, arrival) {
      const talk = talks.get(connection) ?? lazyTalk()
      talks.set(connection, talk)
      const parsed = talk.next(arrival)
      return (look) => arrivalLine(connection, arrival, parsed(), look)
    },
    closed(connection, closing) {
      const { text, isFailure } = describeClose(closing, talks.get(connection)?.turn())
      talks.delete(connection)
      return ({ paint }) =>
        `${columns(connection, closing.at)}  ${paint(isFailure ? 'bad' : 'quiet', text)}`
    },
  }
}

type Parsed = { segments: Segment[]; cursor?: string }

/** The parser of a connection, which splits an arrival into segments only if its line is shown. */
type Talk = {
  /** Returns a function that parses the arrival. The function works until the next arrival. */
  next(arrival: Arrival): () => Parsed
  turn(): Turn | undefined
}

function lazyTalk(): Talk {
  let newest: Turn | undefined
  let cursor: string | undefined
  const talk = conversation((turn) => {
    if (!turn.response && turn !== newest) cursor = lastEventIdOf(turn.request)
    newest = turn
  })
  let unparsed: Arrival | undefined

  /** Parses the last arrival without making segments of it. */
  function catchUp(): void {
    if (unparsed) talk.push(unparsed)
    unparsed = undefined
  }

  return {
    next(arrival) {
      catchUp()
      unparsed = arrival
      return () => {
        unparsed = undefined
        cursor = undefined
        const segments = talk.segments(arrival)
        const isRequest = arrival.direction === 'request'
        return { segments, ...(isRequest && cursor !== undefined && { cursor }) }
      }
    },
    turn() {
      catchUp()
      return talk.turn
    },
  }
}

/** Returns the legend for the lines. */
export function legend(paint: Paint): string {
  const mark = (text: string): string => paint('framing', text)
  return [
    'The wire: each line shows the bytes that arrived together, and the time since the connection was opened.',
    `${mark('[c1␍␊]')} and ${mark('[␍␊]')} frame a chunk: they are its length in hexadecimal and its end. HTTP adds them, not your`,
    `code. ${mark('[last 0␍␊␍␊]')} says that the body is complete. ␍ is CR, ␊ is LF.`,
  ].join('\n')
}

function columns(connection: number, at: number): string {
  return `${`#${connection}`.padStart(3)} ${(at / 1000).toFixed(3).padStart(8)} s`
}

function arrivalLine(
  connection: number,
  { at, hop, direction, bytes }: Arrival,
  { segments, cursor }: Parsed,
  { width, detail, paint }: Parameters<Line>[0],
): string {
  const arrow = direction === 'request' ? '→ request ' : '← response'
  const size = `${bytes.length} B`.padStart(8)
  const prefix = `${columns(connection, at)}  ${paint(direction, arrow)} ${size}  `
  const indent = columns(connection, at).length + arrow.length + size.length + 5
  const room = Math.max(width - indent, 20)
  // A visible character takes at most four bytes, so four times the width is enough to fill the line from both ends.
  const most = detail === 'short' ? room * 4 : Infinity
  const spans = bothEnds(segments, most).map((segment) => spanOf(segment, most))
  // The cursor is the most important part of a request, so put it first, where the line is never shortened.
  if (cursor !== undefined) spans.unshift({ text: `(last ID ${visible(cursor)}) `, hue: 'strong' })
  if (hop === 'workshop') spans.unshift({ text: '(the workshop) ', hue: 'quiet' })
  if (spans.length === 0)
    spans.push({ text: '(an incomplete line, to be continued)', hue: 'quiet' })
  const painted = (span: Span): string => (span.hue ? paint(span.hue, span.text) : span.text)
  if (detail === 'short') return prefix + shortened(spans, room).map(painted).join('')
  // Start a new, indented line after each line feed that was sent.
  return (
    prefix +
    spans
      .map(painted)
      .join('')
      .replace(/␊(?!\]|␍␊|$)/g, `␊\n${' '.repeat(indent)}`)
  )
}

/** Leaves out the segments in the middle if those before and those after them have at least `most` bytes. */
function bothEnds(segments: Segment[], most: number): Segment[] {
  const from = countUpTo(most, segments)
  const to = segments.length - countUpTo(most, segments.toReversed())
  return from < to ? [...segments.slice(0, from), ...segments.slice(to)] : segments
}

/** Returns the number of segments that have at least `most` bytes together. */
function countUpTo(most: number, segments: Segment[]): number {
  let sum = 0
  const index = segments.findIndex(({ bytes }) => (sum += bytes.length) >= most)
  return index === -1 ? segments.length : index + 1
}

/** A piece of text in one colour. */
type Span = { text: string; hue?: Hue }

function spanOf({ kind, bytes: sent, label, unmasked }: Segment, mostBytes: number): Span {
  if (label !== undefined) return { text: `[${label}]`, hue: 'framing' }
  const bytes = unmasked ?? sent
  const text =
    bytes.length <= 2 * mostBytes
      ? visible(bytes)
      : visible(bytes.subarray(0, mostBytes)) + visible(bytes.subarray(bytes.length - mostBytes))
  if (kind === 'size' || kind === 'framing' || kind === 'frame')
    return { text: `[${text}]`, hue: 'framing' }
  if (kind === 'last') return { text: `[last ${text}]`, hue: 'framing' }
  if (kind === 'head' || kind === 'interim') return { text, hue: 'quiet' }
  if (kind === 'extra') return { text: `[not HTTP: ${text}]`, hue: 'bad' }
  return { text }
}

/** Cuts the middle out of a line that is too long, as `shorten()` does, but keeps the line's colours. */
function shortened(spans: Span[], width: number): Span[] {
  const lengths = spans.map((span) => [...span.text].length)
  const total = lengths.reduce((sum, length) => sum + length, 0)
  if (total <= width) return spans
  const tail = Math.floor((width - 1) / 3)
  const cut = { from: width - 1 - tail, to: total - tail }
  const kept: Span[] = []
  let at = 0
  for (const [index, { text, hue }] of spans.entries()) {
    const characters = [...text]
    const start = at
    at += lengths[index]!
    const before = characters.slice(0, Math.max(0, cut.from - start)).join('')
    const after = characters.slice(Math.max(0, cut.to - start)).join('')
    const holdsCut = start <= cut.from && cut.from < at
    const left = `${before}${holdsCut ? '…' : ''}${after}`
    if (left !== '') kept.push({ text: left, ...(hue && { hue }) })
  }
  return kept
}
