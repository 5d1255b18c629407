import { turns } from './event-loop.ts'
import { Failure, type Story } from './failure.ts'
import type { Transcript } from './transcript.ts'

/** Waits for causes. A wait ends a check that cannot pass any more; it never decides one that can. */
export type Waiting = {
  /**
   * Waits for `promise`, and fails with the story when nothing has come of it for two seconds.
   *
   * @param giveUp tells the transcript so
   */
  withTimeout<T>(promise: Promise<T>, story: LateStory, giveUp?: () => void): Promise<T>
  /** Waits until `holds()` is true, looking at every turn of the event loop, and later every few milliseconds. */
  waitFor(holds: () => boolean, story: LateStory): Promise<void>
}

/** A story that tells how things are by then, where it is a function, or a part of it is. */
export type LateStory = (() => Story) | { [Part in keyof Story]: Story[Part] | (() => Story[Part]) }

/** Tells a story as things are now. */
export function toldNow(story: LateStory): Story {
  if (typeof story === 'function') return story()
  const parts = Object.entries(story).map(([name, part]) => [
    name,
    typeof part === 'function' ? part() : part,
  ])
  return Object.fromEntries(parts)
}

/** @param timeoutTurns how many turns of 50 ms it waits in vain: fewer only where somebody looks again */
export function waiting(transcript: Transcript, timeoutTurns = TIMEOUT_TURNS): Waiting {
  const nothing = (): void => transcript.step('… nothing for 2 s')

  async function withTimeout<T>(
    promise: Promise<T>,
    story: LateStory,
    giveUp = nothing,
  ): Promise<T> {
    let stop = (): void => {}
    const gaveUp = new Promise<never>((_, reject) => {
      stop = afterTurns(() => {
        giveUp()
        reject(new Failure(toldNow(story)))
      }, timeoutTurns)
    })
    try {
      return await Promise.race([promise, gaveUp])
    } finally {
      stop()
    }
  }

  async function waitFor(holds: () => boolean, story: LateStory): Promise<void> {
    let looking = true
    const look = async (): Promise<void> => {
      for (let turn = 0; looking && !holds(); turn += 1)
        await (turn < EAGER_TURNS ? turns() : pause())
    }
    try {
      await withTimeout(look(), story)
    } finally {
      looking = false
    }
  }

  return { withTimeout, waitFor }
}

// Taken before the work is loaded, which may do with the global ones what it likes.
const { clearInterval, setInterval, setTimeout } = globalThis

/** What has not come within so many turns is long in coming, and those who look all the time slow it down. */
const EAGER_TURNS = 1000

/** The pace of looking again. What is looked for decides, not the time. */
function pause(): Promise<void> {
  return new Promise((done) => void setTimeout(done, 5))
}

const TIMEOUT_TURNS = 40
const TURN_MS = 50

/**
 * Two seconds, counted in turns of the event loop and not on a clock: on a machine that is busy with
 * something else the turns come later, and so does the end.
 */
export function afterTurns(act: () => void, count: number): () => void {
  let turn = 0
  const timer = setInterval(() => {
    turn += 1
    if (turn === count) act()
  }, TURN_MS)
  return () => clearInterval(timer)
}
