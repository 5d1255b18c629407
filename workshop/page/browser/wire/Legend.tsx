import type { ReactNode } from 'react'

/** Shows the legend of the chart. */
export function Legend() {
  return (
    <details className="legend">
      <summary>Legend</summary>
      <Marks />
    </details>
  )
}

/** Lists the marks of the chart. */
export function Marks() {
  return (
    <ul className="marks">
      {MARKS.map(([words, shape]) => (
        <li key={words}>
          <svg width="22" height="24" viewBox="0 0 22 24" aria-hidden="true">
            {shape}
          </svg>
          {words}
        </li>
      ))}
    </ul>
  )
}

const LINE = <path className="lane" d="M0 14.5H22" />

const MARKS: [string, ReactNode][] = [
  [
    'opened',
    <>
      {LINE}
      <path className="hollow" d="M8 9.5L13 14.5L8 19.5Z" />
    </>,
  ],
  [
    'response: the taller, the more bytes',
    <>
      {LINE}
      <path d="M11 14.5V5" />
      <circle className="full" cx="11" cy="5" r="3.2" />
    </>,
  ],
  [
    'request',
    <>
      {LINE}
      <path d="M11 14.5V20" />
      <rect className="hollow" x="8.3" y="17.3" width="5.4" height="5.4" />
    </>,
  ],
  [
    'closed: the longer bar is on the side that closed',
    <>
      {LINE}
      <path className="bar" d="M11 7.5V21.5" />
    </>,
  ],
  [
    'cut in the middle of a response',
    <>
      {LINE}
      <path className="cut" d="M6.5 10L15.5 19M6.5 19L15.5 10" />
    </>,
  ],
  ['an action of the workshop', <path key="note" className="note" d="M11.5 1V24" />],
  [
    'selected',
    <>
      {LINE}
      <path className="selected" d="M11 1V24" />
      <path className="selected full" d="M6 1H16L11 8Z" />
    </>,
  ],
]
