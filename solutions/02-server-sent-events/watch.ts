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
  // #region 2.6 watchQuakes()
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
    // While it is CONNECTING it is already trying again, and close() would end that. Only CLOSED is final.
    if (source.readyState === EventSource.CLOSED) onOver()
  })
  return () => source.close()
  // #endregion
}
