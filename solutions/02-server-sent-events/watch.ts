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
  // #region 2.7 watchQuakes()
  const source = new EventSource(url)
  source.addEventListener('message', ({ data }) => {
    let quake: Quake
    try {
      quake = JSON.parse(data)
    } catch {
      return
    }
    onQuake(quake)
  })
  source.addEventListener('error', () => {
    // If it is CONNECTING, the EventSource is already reconnecting. Only CLOSED is final.
    if (source.readyState === EventSource.CLOSED) onOver()
  })
  return () => source.close()
  // #endregion
}
