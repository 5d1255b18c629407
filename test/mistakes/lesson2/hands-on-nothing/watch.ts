// fails: 2.6b
// says: Expected nothing for that event
import { EventSource } from 'eventsource'
import type { Quake } from '#feed'

export type Watcher = {
  onQuake(quake: Quake): void
  onOver(): void
}

export function watchQuakes(url: string, { onQuake, onOver }: Watcher): () => void {
  const source = new EventSource(url)
  source.addEventListener('message', ({ data }) => {
    let quake
    try {
      quake = JSON.parse(data)
    } catch (error) {
      console.error(error)
    }
    onQuake(quake)
  })
  source.addEventListener('error', () => {
    if (source.readyState === EventSource.CLOSED) onOver()
  })
  return () => source.close()
}
