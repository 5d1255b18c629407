import type { ComparedEvent, Comparison } from './comparison.ts'
import { duration, printable } from './format.ts'

/**
 * Draws two lanes for each event: a stroke for its arrival at the direct address, and below it a dot for its arrival at the
 * public address. The line to the dot is the delay, as in the chart of lesson 4.
 */
export function lanes(
  { events, streams, watchedMs }: Comparison,
  { width, most }: { width: number; most: number },
): string[] {
  const first = firstShown(events.length, most)
  const shown = events.slice(first, first + most)
  if (shown.length === 0) return []
  const labels = shown.map((event, n) => labelOf(event, first + n))
  const labelWidth = Math.max(...labels.map((label) => [...label].length))
  const delayWidth = 10
  const room = width - 2 - labelWidth - 1 - LANE - delayWidth
  const times = shown.flatMap((event) => [event.direct, arrivalOf(event) ?? watchedMs])
  const from = first > 0 ? Math.min(...times) : 0
  const until = Math.max(...times, from + 1)
  const at = (time: number): number => Math.round(((time - from) / (until - from)) * (room - 1))

  const lines = shown.flatMap((event, n) => {
    const arrived = arrivalOf(event)
    const start = at(event.direct)
    const direct = `${' '.repeat(start)}|`
    const end = at(arrived ?? until)
    const line = '─'.repeat(Math.max(0, end - start))
    const mark = arrived === undefined ? '…' : '●'
    const lane = `${' '.repeat(Math.min(start, end))}${line}${mark}`
    const delay = event.delay === undefined ? 'not yet' : duration(event.delay)
    return [
      `  ${labels[n]!.padEnd(labelWidth)} direct  ${direct}`.trimEnd(),
      `  ${' '.repeat(labelWidth)} public  ${lane.padEnd(room)}${delay.padStart(delayWidth)}`,
    ]
  })
  const begins = `${(from / 1000).toFixed(2)} s`
  const scale = begins + `${(until / 1000).toFixed(2)} s`.padStart(room - begins.length)
  const heads = headLanes()
  return [
    `${' '.repeat(3 + labelWidth + LANE)}${scale}${'delay'.padStart(delayWidth)}`,
    ...heads,
    ...lines,
  ]

  /** Draws when the two heads arrived, unless the chart begins after them. */
  function headLanes(): string[] {
    if (from > 0) return []
    const direct = streams.direct.headMs
    const away = streams.publicAsBrowser.headMs
    const lane = (time: number | undefined): string =>
      time === undefined || time > until ? '…'.padStart(room) : `${' '.repeat(at(time))}△`
    const late = direct === undefined || away === undefined ? 'not yet' : duration(away - direct)
    return [
      `  ${'head'.padEnd(labelWidth)} direct  ${lane(direct)}`,
      `  ${' '.repeat(labelWidth)} public  ${lane(away).padEnd(room)}${late.padStart(delayWidth)}`,
    ]
  }
}

/** Returns the first event to show: not the very first of a long stream, because that may begin with a history in one piece. */
export function firstShown(count: number, most: number): number {
  return count > 2 * most ? count - most : 0
}

/** The legend of the chart, with the marks of lesson 4. */
export const LANES_LEGEND = '△ head · | event at the direct address · ● at the public address'

function arrivalOf(event: ComparedEvent): number | undefined {
  return event.delay === undefined ? undefined : event.direct + event.delay
}

function labelOf({ id }: ComparedEvent, n: number): string {
  return id === undefined ? `${n + 1}` : printable(`id ${id}`, MOST_LABEL)
}

const LANE = 'direct  '.length
const MOST_LABEL = 14
