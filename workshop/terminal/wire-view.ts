import { isFirstSighting } from '../../wire/arrival.ts'
import type { Observer } from '../../wire/tap.ts'
import type { Screen } from './screen.ts'
import { collapseBursts } from './collapse-bursts.ts'
import { wireLines, type Line } from './wire-lines.ts'

/** Prints the wire on the screen: in the mode `short`, one line per arrival; in the mode `whole`, all of its bytes. */
export type WireView = {
  readonly observer: Observer
  readonly shows: Shows
  /**
   * Switches to the next mode and prints its name. If the wire is paused, resumes it in its current mode instead of
   * switching.
   */
  next(): void
  /** Prints nothing until `resume()` or `next()` is called, so that earlier output stays on the screen. */
  pause(): void
  /** Shows the wire again, and prints how many lines were left out. */
  resume(): void
  /** Prints the summary of an unfinished burst, and prints nothing after it. */
  close(): void
}

export type Shows = 'short' | 'whole' | 'hidden' | 'paused'

export function wireView(out: Screen): WireView {
  const lines = wireLines()
  const burst = collapseBursts((text) => out.print(text))
  let shows: Exclude<Shows, 'paused'> = 'short'
  let isPaused = false
  let leftOut = 0
  let isOver = false

  const show = (line: Line, bytes?: Parameters<typeof burst.show>[1]): void => {
    const detail = shows
    // Hidden arrivals are still parsed, because a response can only be understood from its beginning.
    if (detail === 'hidden' || isOver) return
    if (isPaused) leftOut += 1
    else burst.show(() => line({ width: out.width, detail, paint: out.paint }), bytes)
  }

  function resume(): void {
    if (!isPaused) return
    isPaused = false
    const skipped = `${leftOut} ${leftOut === 1 ? 'line was' : 'lines were'}`
    out.print(out.paint('quiet', `The wire is shown again. ${skipped} left out.`))
    leftOut = 0
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
      return isPaused ? 'paused' : shows
    },
    pause() {
      if (shows === 'hidden') return
      burst.flush()
      isPaused = true
    },
    resume,
    next() {
      if (isPaused) {
        resume()
        return
      }
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

const NEXT: Record<Exclude<Shows, 'paused'>, Exclude<Shows, 'paused'>> = {
  short: 'whole',
  whole: 'hidden',
  hidden: 'short',
}

const SHOWN: Record<Exclude<Shows, 'paused'>, string> = {
  short: 'the wire shows one line per arrival',
  whole: 'the wire shows every byte',
  hidden: 'the wire is hidden',
}
