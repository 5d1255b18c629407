import { EventSource } from 'eventsource'
import type { Quake } from '#feed'

export type Watcher = {
  /** A quake has come. */
  onQuake(quake: Quake): void
  /** Quakes may be missing between the last one and the next. */
  onGap(): void
  /** Of the connection: about to open or to open again, open, or closed for good. */
  onState(state: 'connecting' | 'open' | 'closed'): void
}

/**
 * Follows the stream with an `EventSource`, which comes back by itself, with the id of the last event.
 *
 * @returns stops it
 */
export function watchQuakes(url: string, { onQuake, onGap, onState }: Watcher): () => void {
  throw new Error('lesson 5, task 5.8: write watchQuakes()')
}
