import type { SpaceTime, SpaceTimeEvent } from '../../protocol/space-time.ts'

/** Draws the space-time picture of a check while the check runs. */
export type Drawing = {
  /**
   * Says that the check has a picture, and which lanes come first, from left to right. The lanes of other parties follow
   * in the order in which they speak.
   */
  parties(...names: string[]): void
  /**
   * Draws something that is not a step, such as a call between two parties. The event may be changed later, for example
   * if more items follow the first one.
   */
  draw(event: SpaceTimeEvent): void
  /** Returns the picture so far, or undefined if there is none. */
  picture(): SpaceTime | undefined
}

/** The drawing of a transcript, which adds its steps to it. */
type OwnDrawing = Drawing & { addStep(text: string, drawn?: SpaceTimeEvent | 'already'): void }

export function newPicture(): OwnDrawing {
  const first: string[] = []
  const events: SpaceTimeEvent[] = []
  let isTooLong = false

  function add(event: SpaceTimeEvent): void {
    isTooLong ||= events.length === MOST_EVENTS
    if (!isTooLong) events.push(event)
  }

  return {
    parties: (...names) => void first.push(...names),
    draw(event) {
      // A server that polls draws the same call again and again.
      const { at, to, label } = events.at(-1) ?? {}
      if (event.at !== at || event.to !== to || event.label !== label) add(event)
    },
    addStep(text, drawn) {
      // A picture takes the place of the steps, so it must not leave one out.
      if (drawn !== 'already') add(drawn ?? { label: text })
    },
    picture() {
      if (first.length === 0 || isTooLong) return undefined
      const speaking = events.flatMap(({ at, to }) => [at ?? [], to ?? []].flat())
      const parties = [...new Set([...first, ...speaking])].filter((name) =>
        speaking.includes(name),
      )
      return parties.length > MOST_LANES ? undefined : { parties, events: [...events] }
    },
  }
}

/** More lanes would not fit next to each other. */
const MOST_LANES = 8

/** More events than a check draws, unless the learner's code calls something in a busy loop. */
const MOST_EVENTS = 10_000
