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
  // #region 5.8 watchQuakes()
  const source = new EventSource(url)
  onState('connecting')
  source.addEventListener('open', () => onState('open'))
  // While it is CONNECTING it is already trying again. Only CLOSED is final, and then it says nothing more.
  source.addEventListener('error', () =>
    onState(source.readyState === EventSource.CLOSED ? 'closed' : 'connecting'),
  )
  source.addEventListener('gap', onGap)
  source.addEventListener('message', ({ data }) => {
    let quake: Quake
    try {
      quake = JSON.parse(data)
    } catch {
      return
    }
    onQuake(quake)
  })
  return () => source.close()
  // #endregion
}
