import type { Recorder } from '../../wire/recorder.ts'
import type { Action, Answer, PageState } from '../page/state.ts'

/** What the page's server needs of a running lesson, or of `npm run wire`. */
export type Session = {
  readonly state: PageState
  readonly recorder: Recorder
  /**
   * Calls `changed` with the name of each slice that has changed.
   *
   * @returns stops it
   */
  listen(changed: (slice: keyof PageState) => void): () => void
  act(action: Action): Promise<Answer>
}

/** Those who want to hear of changes. */
export type Listeners = {
  tell(slice: keyof PageState): void
  listen: Session['listen']
}

export function listeners(): Listeners {
  const all = new Set<(slice: keyof PageState) => void>()
  return {
    tell(slice) {
      for (const changed of all) changed(slice)
    },
    listen(changed) {
      all.add(changed)
      return () => all.delete(changed)
    },
  }
}
