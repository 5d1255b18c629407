import { useEffect, useRef, useState, type KeyboardEvent } from 'react'
import type { Entry } from '../../../../wire/entry.ts'
import { useStore } from '../state/store.ts'
import { formatNumber, formatSeconds } from '../ui/format.ts'
import { describeEntry } from './describe-entry.ts'
import { exchangeAt, nameOf, type ExchangeLog } from './exchange-log.ts'
import { belongsTo, logTick, select, unpause, view, visibleRange, type View } from './wire-view.ts'

/**
 * Shows the last entries in the visible range as a list box. The newest entry comes first in the DOM, but the style sheet
 * puts it at the bottom, so that the list stays at its end without scrolling.
 *
 * While the pointer or the focus is in the list, or the list is scrolled back, no new entries are added.
 */
export function LatestEntries() {
  useStore(logTick)
  const current = useStore(view)
  const { log, selected } = current
  /** The end of the shown range while the list holds still. */
  const [held, setHeld] = useState<number>()
  const positions = latest(current, held)
  const chosen = selected === undefined ? undefined : log.find(selected)
  const isListed = chosen !== undefined && positions.includes(chosen)
  const list = useRef<HTMLDivElement>(null)
  const cameSince = current.paused || held === undefined ? 0 : log.end - held

  useEffect(() => {
    if (current.paused) {
      list.current!.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' })
    } else {
      setHeld(undefined)
      list.current!.scrollTop = 0
    }
  }, [current])

  /** Holds the list still, because new entries would push the rows away from under the pointer. */
  const { end } = log
  function hold(): void {
    // An empty list must not hold still, because it would never show the first entries.
    if (positions.length > 0) setHeld((before) => before ?? end)
  }

  function release(): void {
    const element = list.current!
    const isWanted = element === document.activeElement || element.parentElement!.matches(':hover')
    // Do not release a list that is scrolled back, because the reader is still reading there.
    if (!isWanted && element.scrollTop > -1) setHeld(undefined)
  }

  function press(event: KeyboardEvent): void {
    const by = { ArrowUp: 1, ArrowDown: -1 }[event.key]
    if (by === undefined || positions.length === 0) return
    event.preventDefault()
    const now = chosen === undefined ? -1 : positions.indexOf(chosen)
    select(positions[Math.min(positions.length - 1, Math.max(0, now + by))]!)
  }

  return (
    <div
      className="latest"
      onPointerMove={({ movementX, movementY }) => (movementX || movementY) && hold()}
      onPointerLeave={release}
    >
      <div
        className="list"
        role="listbox"
        aria-label="Latest entries"
        tabIndex={0}
        aria-activedescendant={isListed ? `entry-${chosen}` : undefined}
        onKeyDown={press}
        onFocus={hold}
        onBlur={release}
        onScroll={release}
        ref={list}
      >
        {positions.map((position) => (
          <Row
            key={position}
            position={position}
            entry={log.entry(position)}
            exchanges={current.exchanges}
            isSelected={position === chosen}
          />
        ))}
      </div>
      {cameSince > 0 && (
        <p className="held">
          {formatNumber(cameSince)} new {cameSince === 1 ? 'entry' : 'entries'} below{' '}
          <button type="button" className="link" onClick={unpause}>
            Show the newest
          </button>
        </p>
      )}
    </div>
  )
}

function Row({
  position,
  entry,
  exchanges,
  isSelected,
}: {
  position: number
  entry: Entry
  exchanges: ExchangeLog
  isSelected: boolean
}) {
  const isBroken = entry.kind === 'closed' && entry.isFailure
  const exchange = exchangeAt(exchanges, entry)
  return (
    <div
      id={`entry-${position}`}
      role="option"
      aria-selected={isSelected}
      className={entry.kind}
      onClick={() => select(position)}
    >
      <span>{formatSeconds(entry.at)}</span>
      <span title={exchange && nameOf(exchange)}>
        {entry.kind === 'note' ? '' : `#${entry.connection}`}
        {exchange && <span className="name"> {nameOf(exchange)}</span>}
      </span>
      {entry.kind === 'arrived' && <Hop name={entry.hop} />}
      <span className={isBroken ? 'bad' : undefined}>
        {isBroken && '✕ '}
        {describeEntry(entry)}
      </span>
    </div>
  )
}

function Hop({ name }: { name: string }) {
  const hue = ['server', 'client', 'workshop'].includes(name) ? name : 'between'
  return <span className={`hop-${hue}`}>{name}</span>
}

/**
 * Returns the positions to list, newest first: the last positions in the visible range or, if the selected entry is
 * further back, the positions around that entry.
 */
function latest(current: View, held: number | undefined): number[] {
  const { log, connection, selected, paused } = current
  const chosen = selected === undefined ? undefined : log.find(selected)
  const inSight = paused ? log.firstFrom(visibleRange(current).to * 1000) : (held ?? log.end)
  const isFarBack = paused && chosen !== undefined && inSight - chosen > MOST_LISTED
  const newest = isFarBack ? chosen + MOST_LISTED / 2 : inSight
  const positions: number[] = []
  for (let position = newest - 1; position >= log.begin; position -= 1) {
    if (!belongsTo(log, position, connection)) continue
    positions.push(position)
    if (positions.length === MOST_LISTED) break
  }
  return positions
}

const MOST_LISTED = 60
