/** A timer that watches a process, which gives a sign of life every quarter of a second. */
export type Watchdog = {
  start(): void
  /** @param what says what the process is doing: `check 1.1a`, or `alive 17`, where the number counts its steps */
  sign(what: string): void
  stop(): void
}

/** The reason why a watchdog barks: there was no sign of life, there was no progress, or the run takes too long. */
export type Bark = 'silence' | 'waiting' | 'time'

/**
 * Creates a watchdog. The watchdog counts ticks of this process's own timer instead of measuring time, so that it
 * does not bark because a laptop was asleep or a machine is busy.
 *
 * @param bark called after ten seconds without a sign, after fifteen seconds in which the signs show no progress, after one
 *   minute without the first sign, or after five minutes in any case
 */
export function watchdog(bark: (why: Bark) => void): Watchdog {
  let turns = 0
  let turnsWithoutSign = 0
  let turnsWithoutProgress = 0
  let patience = STARTING
  let isAtWork = false
  let last = ''
  let timer: NodeJS.Timeout | undefined
  return {
    start() {
      turns = 0
      turnsWithoutSign = 0
      turnsWithoutProgress = 0
      isAtWork = false
      timer = setInterval(() => {
        turns += 1
        turnsWithoutSign += 1
        turnsWithoutProgress += 1
        if (turnsWithoutSign === patience) bark('silence')
        else if (isAtWork && turnsWithoutProgress === WAITING) bark('waiting')
        else if (turns === LIMIT) bark('time')
      }, TURN_MS)
    },
    sign(what) {
      turnsWithoutSign = 0
      patience = RUNNING
      // The packages are loaded before the learner's code, and may take a while.
      if (what === 'work') isAtWork = true
      if (what !== last) turnsWithoutProgress = 0
      last = what
    },
    stop: () => clearInterval(timer),
  }
}

const TURN_MS = 250
const STARTING = 240
const RUNNING = 40
const WAITING = 60
const LIMIT = 1200
