import type { Quake } from '#feed'

/** What a component knows of the stream at one moment. */
export type QuakesView = {
  /** Of the connection: about to open or to open again, open, or closed for good. */
  status: 'connecting' | 'open' | 'closed'
  /** The quakes that came last, the last one first, each once, at most `LIMIT`. */
  quakes: readonly Quake[]
  /** How many quakes have come. */
  received: number
  /** How many events were no quake. */
  skipped: number
}

/** How many quakes are kept. */
export const LIMIT = 100

/**
 * Follows the quakes at `url` for as long as the component is there.
 *
 * @param onQuake called with each quake that comes; it may be another function at each render
 * @returns the view of the moment, and `retry()`, which opens a closed stream again
 */
export function useQuakes(
  url: string,
  onQuake?: (quake: Quake) => void,
): QuakesView & { retry(): void } {
  throw new Error('lesson 3, task 3.1: write useQuakes()')
}
