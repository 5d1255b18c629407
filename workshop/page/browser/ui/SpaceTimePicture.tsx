import type { SpaceTimeEvent } from '../../../../protocol/space-time.ts'
import type { ShownPicture } from '../../../verdict/space-time.ts'
import { VisibleText } from './VisibleText.tsx'

/** Shows what happened at and between the parties of a check. To a screen reader, it is a list of sentences. */
export function SpaceTimePicture({ parties, before, yours, reference }: ShownPicture) {
  const lanes = lanesOf(parties)
  return (
    <div className="space-time" style={{ '--lanes': `${lanes.width}px` } as object}>
      <svg className="names" width={lanes.width} height={ROW} aria-hidden="true">
        {parties.map((name) => (
          <text key={name} x={lanes.xOf(name)} y={MIDDLE + 4}>
            {name}
          </text>
        ))}
      </svg>
      <Events events={before} lanes={lanes} />
      {yours.length > 0 && <h4>yours</h4>}
      <Events events={yours} lanes={lanes} />
      {reference.length > 0 && <h4>reference</h4>}
      <Events events={reference} lanes={lanes} />
    </div>
  )
}

function Events({ events, lanes }: { events: readonly SpaceTimeEvent[]; lanes: Lanes }) {
  if (events.length === 0) return null
  return (
    <ol>
      {events.map((event, index) => (
        // The events of a picture never change their order.
        // oxlint-disable-next-line react/no-array-index-key
        <li key={index}>
          <Row event={event} lanes={lanes} />
          <span className="only-heard">{whoSpeaks(event)}</span>
          <VisibleText text={event.label} />
          {event.lost && <span className="fate"> lost</span>}
          {event.held && <span className="fate"> held</span>}
        </li>
      ))}
    </ol>
  )
}

function whoSpeaks({ at, to }: SpaceTimeEvent): string {
  if (at === undefined) return ''
  return to === undefined ? `${at}: ` : `${at} to ${to}: `
}

/** Draws the lanes, with a dot where something happened, or an arrow from lane to lane. */
function Row({ event: { at, to, lost, held }, lanes }: { event: SpaceTimeEvent; lanes: Lanes }) {
  const { width, xOf, all } = lanes
  return (
    <svg width={width} aria-hidden="true">
      {all.map((x) => (
        <line key={x} className="lane" x1={x} x2={x} y1="0" y2="100%" />
      ))}
      {at !== undefined && to === undefined && <circle cx={xOf(at)} cy={MIDDLE} r="4" />}
      {at !== undefined && to !== undefined && (
        <Arrow from={xOf(at)} to={xOf(to)} lost={lost} held={held} />
      )}
    </svg>
  )
}

type Ends = { from: number; to: number; lost: true | undefined; held: true | undefined }

/** Draws an arrow. A message that did not arrive ends in the middle of its way, in a cross or at a barrier. */
function Arrow({ from, to, lost, held }: Ends) {
  const forward = Math.sign(to - from)
  const end = lost || held ? (from + to) / 2 : to - forward
  const shaft = <line className="shaft" x1={from} x2={end} y1={MIDDLE} y2={MIDDLE} />
  const head = lost
    ? `M${end - 5} ${MIDDLE - 5}l10 10m0 -10l-10 10`
    : held
      ? `M${end} ${MIDDLE - 6}v12m${forward * 4} -12v12`
      : `M${end} ${MIDDLE}l${-7 * forward} -4v8z`
  return (
    <g className={lost ? 'lost' : undefined}>
      {shaft}
      <path className={lost || held ? 'shaft' : undefined} d={head} />
    </g>
  )
}

type Lanes = { width: number; all: number[]; xOf(party: string): number }

function lanesOf(parties: readonly string[]): Lanes {
  const longest = Math.max(...parties.map(({ length }) => length))
  const pitch = Math.max(NARROWEST, longest * CHARACTER + 12)
  const all = parties.map((_, n) => Math.round(pitch * (n + 0.5)) + 0.5)
  return { width: pitch * parties.length, all, xOf: (party) => all[parties.indexOf(party)]! }
}

/** The height of a row and the y coordinate of its arrow, in pixels. A row whose text is wrapped is higher. */
const ROW = 22
const MIDDLE = 11
/** The smallest distance between two lanes, and the width of a character of their names. */
const NARROWEST = 64
const CHARACTER = 7
