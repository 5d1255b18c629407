// fails: 2.6d
// says: the end is told in the function that is returned
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
    source.close()
    onOver()
  }
}
