import { isFirstSighting } from '../../wire/arrival.ts'
import type { Observer } from '../../wire/tap.ts'
import type { Screen } from './screen.ts'
import { collapseBursts } from './collapse-bursts.ts'
import { wireLines, type Line } from './wire-lines.ts'

/** The wire on the screen: `short` prints one line per arrival, `whole` all of its bytes. */
export type WireView = {
  readonly observer: Observer
  readonly shows: Shows
  /** Switches to the next mode, and prints which one that is. */
  next(): void
  /** Prints the summary of an unfinished burst, and then nothing more. */
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
    // Hidden arrivals are still parsed, because a response can only be understood from its beginning.
    if (detail === 'hidden' || isOver) return
    burst.show(() => line({ width: out.width, detail, paint: out.paint }), bytes)
  }
  return {
    observer: {
      opened: (connection) => show(lines.opened(connection)),
      arrived(connection, arrival) {
        // The terminal shows each arrival once, at the first hop. The page shows the other hops.
        if (isFirstSighting(arrival)) show(lines.arrived(connection, arrival), arrival)
      },
      closed: (connection, closing) => show(lines.closed(connection, closing)),
    },
    get shows() {
      return shows
    },
    next() {
      shows = NEXT[shows]
      // The status line of a narrow window may be too short to show the mode.
      out.print(out.paint('quiet', `From here on, ${SHOWN[shows]}.`))
    },
    close() {
      burst.flush()
      isOver = true
    },
  }
}

const NEXT: Record<Shows, Shows> = { short: 'whole', whole: 'hidden', hidden: 'short' }

const SHOWN: Record<Shows, string> = {
  short: 'the wire shows one line per arrival',
  whole: 'the wire shows every byte',
  hidden: 'the wire is hidden',
}
