import type { Quake } from '#feed'

/** The state of a stream at one moment, for a component to show. */
export type QuakesView = {
  /** The state of the connection. A connecting stream opens by itself, but a closed one needs `retry()`. */
  status: 'connecting' | 'open' | 'closed'
  /** The latest `LIMIT` quakes, newest first, each listed once. */
  quakes: readonly Quake[]
  /** The number of quakes that have arrived, including those that are no longer in the list. */
  received: number
  /** The number of events that were not quakes. */
  skipped: number
}

/** The maximum length of the list. */
export const LIMIT = 100

/**
 * Follows the quakes at `url` while the component is mounted.
 *
 * @param onQuake called with each quake that arrives; may be a new function at every render
 * @returns the current view, and `retry()`, which reopens a closed stream
 */
export function useQuakes(
  url: string,
  onQuake?: (quake: Quake) => void,
): QuakesView & { retry(): void } {
  throw new Error('lesson 3, task 3.1: write useQuakes()')
}
