import * as Plot from '@observablehq/plot'
import type { Measured, Way } from '../../protocol/experiment.ts'
import { nameOf } from './table.ts'

/** The parts of a measurement that a chart shows. */
export type Charted = Pick<Measured, 'head' | 'events'> & { row: Way }

export type ChartColours = Record<'paper' | 'ink' | 'quiet' | 'written' | 'arrived', string>

/** The page's light colours, for a file that people may open anywhere. */
const ON_PAPER: ChartColours = {
  paper: '#fdfdfb',
  ink: '#1d2126',
  quiet: '#5c6269',
  written: '#00706e',
  arrived: '#a85400',
}

/**
 * Draws a chart of when each event was written and when it arrived, with one row per measurement.
 *
 * @param options.document creates the elements: a browser's document, or one that can only serialise SVG
 * @param options.width the width in pixels; if it is small, long names are wrapped
 * @returns a self-contained `<svg>`
 */
export function chart(
  measurements: Charted[],
  {
    document,
    width = 960,
    colours = ON_PAPER,
  }: { document: unknown; width?: number; colours?: ChartColours },
): ReturnType<typeof Plot.plot> {
  const names = measurements.map(({ row }) => nameOf(row))
  const events = measurements.flatMap((measurement, n) =>
    measurement.events.map((event) => ({ ...event, row: names[n] })),
  )
  const heads = measurements.map(({ head }, n) => ({ head, row: names[n] }))
  const room = width - 2 * MARGIN
  const lines = Math.max(1, ...names.map((name) => linesOf(name, room)))
  const height = lines * LINE + TRACK
  // Each row consists of a name and, below it, the track with the marks.
  const onTrack = { y: 'row', dy: (lines * LINE) / 2 }
  const legend = linesOf(LEGEND, room) * LINE
  const svg = Plot.plot({
    document: document as never,
    width,
    height: ABOVE + measurements.length * height + legend + MARGIN,
    marginTop: ABOVE,
    marginLeft: MARGIN,
    marginRight: MARGIN,
    marginBottom: legend + MARGIN,
    style: { background: colours.paper, color: colours.ink, fontSize: `${FONT}px` },
    x: {
      axis: 'top',
      label: 'milliseconds after the head was written',
      labelAnchor: 'center',
      labelArrow: false,
      zero: true,
    },
    y: { axis: null, domain: names, padding: 0 },
    marks: [
      Plot.gridX({ stroke: colours.quiet, strokeOpacity: 0.25 }),
      Plot.text(names, {
        y: (name: string) => name,
        text: (name: string) => name,
        frameAnchor: 'left',
        lineAnchor: 'bottom',
        lineWidth: room / FONT,
        lineHeight: LINE / FONT,
        dy: height / 2 - TRACK,
        fill: colours.ink,
      }),
      Plot.link(events, {
        ...onTrack,
        x1: 'written',
        x2: 'arrived',
        stroke: colours.arrived,
        strokeOpacity: 0.4,
      }),
      Plot.tickX(events, {
        ...onTrack,
        x: 'written',
        stroke: colours.written,
        insetTop: (height - TRACK) / 2 + 5,
        insetBottom: (height - TRACK) / 2 + 5,
      }),
      Plot.dot(heads, {
        ...onTrack,
        x: 'head',
        r: 4.5,
        symbol: 'triangle',
        fill: colours.paper,
        stroke: colours.arrived,
      }),
      Plot.dot(events, { ...onTrack, x: 'arrived', r: 3, fill: colours.arrived }),
      Plot.text([LEGEND], {
        frameAnchor: 'bottom-left',
        lineAnchor: 'top',
        lineWidth: room / FONT,
        lineHeight: LINE / FONT,
        dy: MARGIN / 2,
        fill: colours.quiet,
      }),
    ],
  })
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  // Present the chart to screen readers as a single image, because the table has the same content.
  for (const part of svg.querySelectorAll('[aria-label]')) part.removeAttribute('aria-label')
  svg.setAttribute('role', 'img')
  svg.setAttribute('aria-label', 'When each event was written, and when it arrived')
  // Remove Plot's style sheet, because it is not needed and the page's security policy does not allow inline styles.
  svg.querySelector('style')?.remove()
  return svg
}

const LEGEND =
  '| an event is written · ● the event arrives · △ the head arrives · line: the event is in transit'

const FONT = 12
const LINE = 16
const TRACK = 22
const MARGIN = 14
const ABOVE = 44

/** Estimates how many lines a text needs in the available width. */
function linesOf(text: string, room: number): number {
  return Math.ceil((text.length * FONT * 0.56) / room)
}
