// fails: 2.6b
// says: a listener that throws
import { EventSource } from 'eventsource'
import type { Quake } from '#feed'

export type Watcher = {
  onQuake(quake: Quake): void
  onOver(): void
}

export function watchQuakes(url: string, { onQuake, onOver }: Watcher): () => void {
  const source = new EventSource(url)
  source.addEventListener('message', ({ data }) => {
    onQuake(JSON.parse(data))
  })
  source.addEventListener('error', () => {
    if (source.readyState === EventSource.CLOSED) onOver()
  })
  return () => source.close()
}
