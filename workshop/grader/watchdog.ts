/** Watches a process that says every quarter of a second that it is alive. */
export type Watchdog = { start(): void; sign(): void; stop(): void }

/** Why it barks: there was no sign, or it all takes too long. */
export type Bark = 'silence' | 'time'

/**
 * @param bark called when there was no sign for ten seconds, none within a minute from the start, or after five
 *   minutes in any case. They are counted in our own turns: a laptop that slept, or a machine that is busy,
 *   wakes no dog.
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
