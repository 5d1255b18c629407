import type { Arrival } from './arrival.ts'
import type { Entry } from './entry.ts'
import type { Observer } from './tap.ts'

/** Keeps what crossed the wire, as much as there is room for: the oldest goes first. */
export type Recorder = {
  /** For `tap()`. */
  readonly observer: Observer
  /** Records what the workshop itself did. */
  note(text: string): void
  /** The number of the newest entry, 0 before the first; and of the oldest that is kept. */
  readonly newest: number
  readonly oldest: number
  /** Kept entries behind number `n`, at most `most` of them. */
  after(n: number, most: number): Entry[]
  /** The arrival that entry `n` stands for, and what came before it on its connection. */
  arrival(n: number): { arrival: Arrival; before: Arrival[]; isWhole: boolean } | undefined
  /** Calls `changed` for each new entry. */
  listen(changed: () => void): () => void
}
