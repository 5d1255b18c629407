import { turns } from './event-loop.ts'
import { Failure, type Story } from './failure.ts'
import { noteProgress } from './signs-of-life.ts'
import type { Transcript } from './transcript.ts'

/** The functions that wait for something to happen. Only a check that can no longer pass reaches a timeout. */
export type Waiting = {
  /**
   * Waits for `promise`, and fails with the story if it does not settle within two seconds.
   *
   * @param giveUp called on a timeout, to add a step to the transcript
   */
  withTimeout<T>(promise: Promise<T>, story: LateStory, giveUp?: () => void): Promise<T>
  /** Waits until `holds()` is true. At first, polls at every turn of the event loop, and later only every few milliseconds. */
  waitFor(holds: () => boolean, story: LateStory): Promise<void>
}

/** A story that may contain functions. They are called when the wait times out. */
export type LateStory = (() => Story) | { [Part in keyof Story]: Story[Part] | (() => Story[Part]) }

/** Calls the functions in a story, and returns the complete story. */
export function toldNow(story: LateStory): Story {
  if (typeof story === 'function') return story()
  const parts = Object.entries(story).map(([name, part]) => [
    name,
    typeof part === 'function' ? part() : part,
  ])
  return Object.fromEntries(parts)
}

/**
 * Creates the functions that wait.
 *
 * @param timeoutTurns the number of turns of 50 ms to wait; use fewer only if the caller tries again
 */
export function waiting(transcript: Transcript, timeoutTurns = TIMEOUT_TURNS): Waiting {
  const nothing = (): void => transcript.step('… nothing for 2 s')

  async function withTimeout<T>(
    promise: Promise<T>,
    story: LateStory,
    giveUp = nothing,
  ): Promise<T> {
    noteProgress()
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

// Save the functions before the learner's code is loaded, because that code may replace the global functions.
const { clearInterval, setInterval, setTimeout } = globalThis

/** The number of turns after which `waitFor()` polls less often, because constant polling would slow everything down. */
const EAGER_TURNS = 1000

/** Pauses before the next poll. The result of the check depends only on the condition, not on the length of the pause. */
function pause(): Promise<void> {
  return new Promise((done) => void setTimeout(done, 5))
}

const TIMEOUT_TURNS = 40
const TURN_MS = 50

/**
 * Calls `act` after `count` turns of 50 ms. The event loop counts the turns, not a clock, so the timeout comes later on a
 * busy machine.
 *
 * @param counts returns whether the present turn counts
 */
export function afterTurns(
  act: () => void,
  count: number,
  counts: () => boolean = () => true,
): () => void {
  let turn = 0
  const timer = setInterval(() => {
    if (!counts()) return
    turn += 1
    if (turn === count) act()
  }, TURN_MS)
  return () => clearInterval(timer)
}
