import type { Recorder } from '../../wire/recorder.ts'
import type { Action, Answer, PageState } from '../../protocol/page.ts'

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
