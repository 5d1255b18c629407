// fails: 2.6d
// says: close() is called only when readyState is OPEN
import { EventSource } from 'eventsource'
import type { Quake } from '#feed'

export type Watcher = {
  onQuake(quake: Quake): void
  onOver(): void
}

export function watchQuakes(url: string, { onQuake, onOver }: Watcher): () => void {
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
    if (source.readyState === EventSource.CLOSED) onOver()
  })
  return () => {
    if (source.readyState === EventSource.OPEN) source.close()
  }
}
