/** Watches a process that sends a sign of life every quarter of a second. */
export type Watchdog = { start(): void; sign(): void; stop(): void }

/** Why it barks: there was no sign of life, or the run takes too long. */
export type Bark = 'silence' | 'time'

/**
 * @param bark called after ten seconds without a sign, after a minute without a first sign, and after five minutes in any
 *   case. The time is counted in turns of this process, so a laptop that sleeps or a busy machine does not end a run.
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
