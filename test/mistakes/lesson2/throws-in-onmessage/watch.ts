// fails: 2.6b
// says: ends the connection
// seen in: EventSource/eventsource 4.1.1
import { EventSource } from 'eventsource'
import type { Quake } from '#feed'

export type Watcher = {
  onQuake(quake: Quake): void
  onOver(): void
}

export function watchQuakes(url: string, { onQuake, onOver }: Watcher): () => void {
  const source = new EventSource(url)
  source.onmessage = ({ data }) => onQuake(JSON.parse(data))
  source.addEventListener('error', () => {
    if (source.readyState === EventSource.CLOSED) onOver()
  })
  return () => source.close()
}
