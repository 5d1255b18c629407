import { EventSource } from 'eventsource'
import type { Quake } from '#feed'

export type Watcher = { onQuake(quake: Quake): void; onOver(): void }

export function watchQuakes(url: string, watcher: Watcher): () => void {
  const source = new EventSource(url)
  source.onmessage = (event) => {
    const quake = quakeIn(event.data)
    if (quake) watcher.onQuake(quake)
  }
  source.onerror = () => {
    switch (source.readyState) {
      case source.CLOSED:
        watcher.onOver()
        break
      case source.CONNECTING:
        // The EventSource tries again by itself.
        break
    }
  }
  return source.close.bind(source)
}

function quakeIn(text: string): Quake | null {
  try {
    const value: unknown = JSON.parse(text)
    return value !== null && typeof value === 'object' && 'magnitude' in value
      ? (value as Quake)
      : null
  } catch {
    return null
  }
}
