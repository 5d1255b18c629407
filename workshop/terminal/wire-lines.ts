import { lastEventIdOf, type Arrival, type Closing } from '../../wire/arrival.ts'
import { conversation, describeClose, type Conversation } from '../../wire/conversation.ts'
import type { Segment } from '../../wire/response.ts'
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
  const talks = new Map<number, Conversation>()

  return {
    opened:
      (connection) =>
      ({ paint }) =>
        `${columns(connection, 0)}  ${paint('quiet', 'opened')}`,
    arrived(connection, arrival) {
      const talk = talks.get(connection) ?? conversation()
      talks.set(connection, talk)
      const segments = talk.segments(arrival)
      const cursor = lastEventIdOf(arrival)
      return (look) => arrivalLine(connection, arrival, segments, cursor, look)
    },
    closed(connection, closing) {
      const { text, isFailure } = describeClose(closing, talks.get(connection)?.reader)
      talks.delete(connection)
      return ({ paint }) =>
        `${columns(connection, closing.at)}  ${paint(isFailure ? 'bad' : 'quiet', text)}`
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
  segments: Segment[],
  cursor: string | undefined,
  { width, detail, paint }: Parameters<Line>[0],
): string {
  const arrow = direction === 'request' ? '→ request ' : '← response'
  const size = `${bytes.length} B`.padStart(8)
  const prefix = `${columns(connection, at)}  ${paint(direction, arrow)} ${size}  `
  const indent = columns(connection, at).length + arrow.length + size.length + 5
  const room = Math.max(width - indent, 20)
  // A visible character takes at most four bytes, so four times the width is enough to fill the line from both ends.
  const spans = segments.map((segment) => spanOf(segment, detail === 'short' ? room * 4 : Infinity))
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

/** A piece of text in one colour. */
type Span = { text: string; hue?: Hue }

function spanOf({ kind, bytes }: Segment, mostBytes: number): Span {
  const text =
    bytes.length <= 2 * mostBytes
      ? visible(bytes)
      : visible(bytes.subarray(0, mostBytes)) + visible(bytes.subarray(bytes.length - mostBytes))
  if (kind === 'size' || kind === 'framing') return { text: `[${text}]`, hue: 'framing' }
  if (kind === 'last') return { text: `[last ${text}]`, hue: 'framing' }
  if (kind === 'head') return { text, hue: 'quiet' }
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
