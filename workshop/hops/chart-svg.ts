import type { Comparison } from './comparison.ts'
import { duration, printable } from './format.ts'
import { firstShown } from './lanes.ts'
import { html, type Html } from './html.ts'

/** Draws both arrivals of each event, with the marks of lesson 4's chart. A table with the same content has to be next to it. */
export function chartSvg({ events, streams, watchedMs }: Comparison, most: number): Html {
  const first = firstShown(events.length, most)
  const shown = events.slice(first, first + most)
  const times = shown.flatMap(({ direct, delay }) => [
    direct,
    delay === undefined ? watchedMs : direct + delay,
  ])
  const from = first > 0 ? Math.min(...times) : 0
  const until = Math.max(...times, from + 1)
  const x = (time: number): string =>
    (LEFT + ((time - from) / (until - from)) * (RIGHT - LEFT)).toFixed(1)
  const heads = [streams.direct.headMs, streams.publicAsBrowser.headMs] as const
  const headRows = first === 0 ? 1 : 0
  const y = (row: number): number => TOP + row * ROW
  const height = y(shown.length + headRows) + 8
  return html`<svg
    width="${WIDTH}"
    height="${height}"
    viewBox="0 0 ${WIDTH} ${height}"
    role="img"
    aria-label="When each event arrived at the direct address and at the public one. The table below has the same times."
  >
    ${[0, 0.25, 0.5, 0.75, 1].map((part) => {
      const time = from + part * (until - from)
      return html`<line
          class="grid"
          x1="${x(time)}"
          x2="${x(time)}"
          y1="${TOP - 6}"
          y2="${height}"
        />
        <text x="${x(time)}" y="${TOP - 12}" text-anchor="middle"
          >${(time / 1000).toFixed(2)} s</text
        > `
    })}
    ${headRows === 0 ? html`` : headRow()}
    ${shown.map((event, n) => {
      const { direct, delay, id } = event
      const middle = y(n + headRows) + ROW / 2
      const end = delay === undefined ? until : direct + delay
      return html`<text class="name" x="0" y="${middle + 4}"
          >${id === undefined ? `${first + n + 1}` : printable(`id ${id}`, 14)}</text
        >
        <line
          class="transit${delay === undefined ? ' missing' : ''}"
          x1="${x(direct)}"
          x2="${x(end)}"
          y1="${middle + 3}"
          y2="${middle + 3}"
        />
        <line
          class="direct"
          x1="${x(direct)}"
          x2="${x(direct)}"
          y1="${middle - 8}"
          y2="${middle + 3}"
        />
        ${delay === undefined ? html`` : html`<circle class="public" cx="${x(end)}" cy="${middle + 3}" r="4" />`}
        <text class="late" x="${WIDTH}" y="${middle + 4}"
          >${delay === undefined ? 'not yet' : duration(delay)}</text
        > `
    })}
  </svg>`

  function headRow(): Html {
    const middle = TOP + ROW / 2
    const [direct, away] = heads
    const mark = (time: number | undefined, place: string): Html =>
      time === undefined || time > until
        ? html``
        : html`<path class="head ${place}" d="M${x(time)} ${middle - 6}l5 9h-10z" />`
    const late = direct === undefined || away === undefined ? 'not yet' : duration(away - direct)
    return html`<text class="name" x="0" y="${middle + 4}">head</text>
      ${mark(direct, 'direct')}${mark(away, 'public')}
      <text class="late" x="${WIDTH}" y="${middle + 4}">${late}</text>`
  }
}

const WIDTH = 900
const LEFT = 130
const RIGHT = 800
const TOP = 30
const ROW = 24
