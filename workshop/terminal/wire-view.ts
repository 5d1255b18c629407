import { isFirstSighting } from '../../wire/arrival.ts'
import type { Observer } from '../../wire/tap.ts'
import type { Screen } from './screen.ts'
import { collapseBursts } from './collapse-bursts.ts'
import { wireLines, type Line } from './wire-lines.ts'

/** The wire on the screen: `short` is a line for each arrival, `whole` shows all its bytes. */
export type WireView = {
  readonly observer: Observer
  readonly shows: Shows
  /** Goes on to the next way of showing it, and says so. */
  next(): void
  /** Prints what a burst has left to be printed, and nothing more. */
  close(): void
}

export type Shows = 'short' | 'whole' | 'hidden'

export function wireView(out: Screen): WireView {
  const lines = wireLines()
  const burst = collapseBursts((text) => out.print(text))
  let shows: Shows = 'short'
  let isOver = false

  const show = (line: Line, bytes?: Parameters<typeof burst.show>[1]): void => {
    const detail = shows
    // Hidden arrivals are followed all the same: a response is understood only from its beginning.
    if (detail === 'hidden' || isOver) return
    burst.show(() => line({ width: out.width, detail, paint: out.paint }), bytes)
  }
  return {
    observer: {
      opened: (connection) => show(lines.opened(connection)),
      arrived(connection, arrival) {
        // A line is what came, once; how it went on is for the page.
        if (isFirstSighting(arrival)) show(lines.arrived(connection, arrival), arrival)
      },
      closed: (connection, closing) => show(lines.closed(connection, closing)),
    },
    get shows() {
      return shows
    },
    next() {
      shows = NEXT[shows]
      // A narrow window has no room for it in the line that stays.
      out.print(out.paint('quiet', `The wire is ${SHOWN[shows]} from here on.`))
    },
    close() {
      burst.flush()
      isOver = true
    },
  }
}

const NEXT: Record<Shows, Shows> = { short: 'whole', whole: 'hidden', hidden: 'short' }

const SHOWN: Record<Shows, string> = {
  short: 'a line for each arrival',
  whole: 'shown whole',
  hidden: 'hidden',
}
