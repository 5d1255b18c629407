import { EventSource } from 'eventsource'
import type { Quake } from '#feed'

export type Watcher = {
  /** Called for each quake. */
  onQuake(quake: Quake): void
  /** Called once, when the EventSource has given up because the server ended the stream or refused the request. */
  onOver(): void
}

/**
 * Watches an event stream of quakes, and reconnects when the connection is lost. Skips data that is not JSON.
 *
 * @param url the URL of an event stream, such as `http://127.0.0.1:3102/events`
 * @returns a function that stops watching
 */
export function watchQuakes(url: string, { onQuake, onOver }: Watcher): () => void {
  throw new Error('lesson 2, task 2.7: write watchQuakes()')
}
