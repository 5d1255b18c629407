import { commandOf, type TapEvent } from './tap-events.ts'

/** Counts the moments of a run at which a process can be killed, and kills it at one of them. */
export type KillMoments = {
  /** The number of moments that have been reached. */
  readonly count: number
  readonly isKilled: boolean
  /** The moment of the kill, in words. */
  readonly killedAt: string
  /** Resolves when the process has been killed. */
  readonly killed: Promise<void>
  /** Counts a moment. If it is the one, kills the process, and resolves when the process has ended. */
  reach(when: string): Promise<void>
  /** Counts the moments in these bytes of a response. Returns how many bytes the process could send before it was killed. */
  inResponse(bytes: Buffer): number
  /** Kills the process, unless it has been killed. */
  killNow(when: string): Promise<void>
}

/** @param chosen the number of the moment, from 0 */
export function killMoments(chosen: number, kill: () => Promise<void>): KillMoments {
  let count = 0
  let killedAt = ''
  let isOver = false
  let sayKilled = (): void => {}
  const killed = new Promise<void>((resolve) => (sayKilled = resolve))
  const placesIn = responseReader()

  async function killNow(when: string): Promise<void> {
    if (isOver) return killed
    isOver = true
    killedAt = when
    await kill()
    sayKilled()
  }

  /** Counts a moment, and returns whether it is the one. */
  function isChosen(): boolean {
    if (isOver) return false
    count += 1
    return count > chosen
  }

  return {
    get count() {
      return count
    },
    get isKilled() {
      return isOver
    },
    get killedAt() {
      return killedAt
    },
    killed,
    async reach(when) {
      if (isChosen()) await killNow(when)
    },
    inResponse(bytes) {
      const place = placesIn(bytes).find(isChosen)
      if (!place) return bytes.length
      void killNow(place.when)
      return place.after
    },
    killNow,
  }
}

/** Returns whether an event is a command that reads or writes a stream, or the reply to it. */
export function isReading(event: TapEvent): boolean {
  return commandOf(event)?.name.startsWith('X') ?? false
}

/** Returns a function that finds the places of a response after its head, inside each event, and after each event. */
function responseReader(): (bytes: Buffer) => { after: number; when: string }[] {
  let hasHead = false
  /** The part of an event or the head that has arrived before. */
  let begun = ''
  return (bytes) => {
    const text = begun + bytes.toString('latin1')
    const before = begun.length
    const places: { after: number; when: string }[] = []
    let from = 0
    for (;;) {
      const mark = hasHead ? '\n\n' : '\r\n\r\n'
      const end = text.indexOf(mark, from)
      if (end === -1) break
      const to = end + mark.length
      if (hasHead) {
        const middle = Math.max(before, Math.floor((from + to) / 2))
        places.push({ after: middle - before, when: 'in the middle of an event' })
      }
      places.push({ after: to - before, when: hasHead ? 'after an event' : 'after the head' })
      hasHead = true
      from = to
    }
    begun = text.slice(from)
    return places
  }
}
