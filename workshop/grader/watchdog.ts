/** A timer that watches a process, which gives a sign of life every quarter of a second. */
export type Watchdog = { start(): void; sign(): void; stop(): void }

/** The reason why a watchdog barks: there was no sign of life, or the run takes too long. */
export type Bark = 'silence' | 'time'

/**
 * Creates a watchdog. The watchdog counts ticks of this process's own timer instead of measuring time, so that it
 * does not bark because a laptop was asleep or a machine is busy.
 *
 * @param bark called after ten seconds without a sign, after one minute without the first sign, or after five minutes in
 *   any case
 */
export function watchdog(bark: (why: Bark) => void): Watchdog {
  let turns = 0
  let turnsWithoutSign = 0
  let patience = STARTING
  let timer: NodeJS.Timeout | undefined
  return {
    start() {
      turns = 0
      turnsWithoutSign = 0
      timer = setInterval(() => {
        turns += 1
        turnsWithoutSign += 1
        if (turnsWithoutSign === patience) bark('silence')
        else if (turns === LIMIT) bark('time')
      }, TURN_MS)
    },
    sign() {
      turnsWithoutSign = 0
      patience = RUNNING
    },
    stop: () => clearInterval(timer),
  }
}

const TURN_MS = 250
const STARTING = 240
const RUNNING = 40
const LIMIT = 1200
