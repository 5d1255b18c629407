import { EventSource } from 'eventsource'
import type { Quake } from '#feed'

export type Watcher = {
  /** A quake has come. */
  onQuake(quake: Quake): void
  /** The stream is over for good: the server says so, or will not have us. */
  onOver(): void
}

/**
 * Watches an event stream of quakes, and goes on watching when the connection is lost. A payload that is
 * no JSON is left out.
 *
 * @param url of an event stream, such as `http://127.0.0.1:3102/events`
 * @returns stops watching
 */
export function watchQuakes(url: string, { onQuake, onOver }: Watcher): () => void {
  throw new Error('lesson 2, task 2.6: write watchQuakes()')
}
