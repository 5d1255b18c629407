import { useEffect, useRef, useState, type KeyboardEvent } from 'react'
import { useStore } from '../state/store.ts'
import { beat, follow, isShown, select, shownPart, view, type View } from './wire-view.ts'
import { number, seconds, whatHappened } from '../ui/format.ts'

/**
 * The last entries of the part that is shown, as a list to walk through. The newest is the first, and the style
 * sheet puts it at the bottom: so the list stays at its end without being scrolled.
 *
 * While somebody points at it, has the focus in it or has scrolled back in it, it holds still.
 */
export function LatestEntries() {
  useStore(beat, (now) => now)
  const shown = useStore(view, (now) => now)
  const { log, selected } = shown
  /** Up to where it is shown while it holds still. */
  const [held, setHeld] = useState<number>()
  const positions = latest(shown, held)
  const chosen = selected === undefined ? undefined : log.find(selected)
  const isListed = chosen !== undefined && positions.includes(chosen)
  const list = useRef<HTMLDivElement>(null)
  const cameSince = shown.stopped || held === undefined ? 0 : log.end - held

  useEffect(() => {
    if (shown.stopped) {
      list.current!.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' })
    } else {
      setHeld(undefined)
      list.current!.scrollTop = 0
    }
  }, [shown])

  /** What has come since this was drawn would push the rows away from under the pointer. */
  const { end } = log
  function hold(): void {
    // An empty list would hold the first ones back.
    if (positions.length > 0) setHeld((before) => before ?? end)
  }

  function release(): void {
    const element = list.current!
    const isWanted = element === document.activeElement || element.parentElement!.matches(':hover')
    // Scrolled back, it would run away from whoever reads there.
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
        aria-label="What came last"
        tabIndex={0}
        aria-activedescendant={isListed ? `entry-${chosen}` : undefined}
        onKeyDown={press}
        onFocus={hold}
        onBlur={release}
        onScroll={release}
        ref={list}
      >
        {positions.map((position) => {
          const entry = log.entry(position)
          const isBroken = entry.kind === 'closed' && entry.isFailure
          return (
            <div
              key={position}
              id={`entry-${position}`}
              role="option"
              aria-selected={position === chosen}
              className={entry.kind}
              onClick={() => select(position)}
            >
              <span>{seconds(entry.at)}</span>
              <span>{entry.kind === 'note' ? '' : `#${entry.connection}`}</span>
              {entry.kind === 'arrived' && <Hop name={entry.hop} />}
              <span className={isBroken ? 'bad' : undefined}>
                {isBroken && '✕ '}
                {whatHappened(entry)}
              </span>
            </div>
          )
        })}
      </div>
      {cameSince > 0 && (
        <p className="held">
          holds still, {number(cameSince)} came since{' '}
          <button type="button" className="link" onClick={follow}>
            to the newest
          </button>
        </p>
      )}
    </div>
  )
}

function Hop({ name }: { name: string }) {
  const hue = ['server', 'client', 'workshop'].includes(name) ? name : 'between'
  return <span className={`hop-${hue}`}>{name}</span>
}

/** Positions to list, the newest first: the last ones in sight, and around the selected one when that is further back. */
function latest(shown: View, held: number | undefined): number[] {
  const { log, connection, selected, stopped } = shown
  const chosen = selected === undefined ? undefined : log.find(selected)
  const inSight = stopped ? log.firstFrom(shownPart(shown).to * 1000) : (held ?? log.end)
  const isFarBack = stopped && chosen !== undefined && inSight - chosen > MOST_LISTED
  const newest = isFarBack ? chosen + MOST_LISTED / 2 : inSight
  const positions: number[] = []
  for (let position = newest - 1; position >= log.begin; position -= 1) {
    if (!isShown(log, position, connection)) continue
    positions.push(position)
    if (positions.length === MOST_LISTED) break
  }
  return positions
}

const MOST_LISTED = 60
