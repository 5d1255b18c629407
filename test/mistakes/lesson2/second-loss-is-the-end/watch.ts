// fails: 2.6c
// says: it comes back once
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
  let losses = 0
  source.addEventListener('error', () => {
    losses += 1
    if (losses > 1) source.close()
    if (source.readyState === EventSource.CLOSED) onOver()
  })
  return () => source.close()
}
