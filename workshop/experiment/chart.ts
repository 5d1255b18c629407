import * as Plot from '@observablehq/plot'
import { Window } from 'happy-dom'
import type { Measurement } from './measure.ts'
import { nameOf } from './table.ts'

/** A picture of when each event was written and when it arrived, a row for each measurement, as SVG. */
export function chart(measurements: Measurement[]): string {
  const window = new Window()
  const marks = measurements.flatMap(({ row, events }) =>
    events.map(({ written, arrived }) => ({ written, arrived, row: nameOf(row) })),
  )
  const heads = measurements.map(({ row, head }) => ({ head, row: nameOf(row) }))
  const svg = Plot.plot({
    document: window.document as never,
    width: 1330,
    height: 74 + measurements.length * 26,
    marginLeft: 600,
    marginTop: 40,
    style: { background: 'white', color: '#222', fontSize: '12px' },
    x: {
      label: 'milliseconds since the head was written →',
      axis: 'top',
      grid: true,
      zero: true,
      insetLeft: 12,
    },
    y: { label: null, domain: measurements.map(({ row }) => nameOf(row)) },
    marks: [
      Plot.link(marks, {
        x1: 'written',
        x2: 'arrived',
        y1: 'row',
        y2: 'row',
        stroke: '#d55e00',
        strokeOpacity: 0.35,
      }),
      Plot.tickX(marks, { x: 'written', y: 'row', stroke: '#999', inset: 8 }),
      Plot.dot(marks, { x: 'arrived', y: 'row', r: 3, fill: '#0072b2' }),
      Plot.dot(heads, { x: 'head', y: 'row', r: 4, symbol: 'triangle', fill: '#009e73' }),
      Plot.text(
        [
          'grey line: an event is written · blue dot: it arrives · green triangle: the head arrives',
        ],
        { frameAnchor: 'bottom-right', dy: 22, fill: '#222' },
      ),
    ],
    marginBottom: 34,
  })
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  const text = svg.outerHTML
  void window.happyDOM.close()
  return text
}
