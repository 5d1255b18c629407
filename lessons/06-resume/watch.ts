import { EventSource } from 'eventsource'
import type { Quake } from '#feed'

export type Watcher = {
  /** Called for each quake. */
  onQuake(quake: Quake): void
  /** Called when quakes may be missing between the last one and the next. */
  onGap(): void
  /** Called with each new state of the connection. The state `closed` is final. */
  onState(state: 'connecting' | 'open' | 'closed'): void
}

/**
 * Follows the stream with an `EventSource`, which reconnects by itself, with the ID of the last event.
 *
 * @returns a function that closes the `EventSource`
 */
export function watchQuakes(url: string, { onQuake, onGap, onState }: Watcher): () => void {
  throw new Error('lesson 6, task 6.4: write watchQuakes()')
}
