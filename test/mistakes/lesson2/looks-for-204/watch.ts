// fails: 2.6e
// says: readyState CLOSED says it for all
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
  source.addEventListener('error', (event) => {
    if (event.code === 204) onOver()
  })
  return () => source.close()
}
