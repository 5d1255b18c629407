// fails: 2.6d
// says: the listeners are taken away
import { EventSource } from 'eventsource'
import type { Quake } from '#feed'

export type Watcher = {
  onQuake(quake: Quake): void
  onOver(): void
}

export function watchQuakes(url: string, { onQuake, onOver }: Watcher): () => void {
  const source = new EventSource(url)
  const listener = ({ data }: MessageEvent) => {
    let quake: Quake
    try {
      quake = JSON.parse(data)
    } catch {
      return
    }
    onQuake(quake)
  }
  source.addEventListener('message', listener)
  source.addEventListener('error', () => {
    if (source.readyState === EventSource.CLOSED) onOver()
  })
  return () => source.removeEventListener('message', listener)
}
