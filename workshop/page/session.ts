import type { Recorder } from '../../wire/recorder.ts'
import type { Action, Answer, PageState } from '../../protocol/page.ts'

/** The interface through which the page's server uses a running lesson or `npm run wire`. */
export type Session = {
  readonly state: PageState
  readonly recorder: Recorder
  /**
   * Calls `changed` with the name of each slice that has changed.
   *
   * @returns a function that stops the calls
   */
  listen(changed: (slice: keyof PageState) => void): () => void
  act(action: Action): Promise<Answer>
}
