import { EventSource } from 'eventsource'
import type { Quake } from '#feed'

export type Watcher = {
  onQuake(quake: Quake): void
  onGap(): void
  onState(state: 'connecting' | 'open' | 'closed'): void
}

const STATES = ['connecting', 'open', 'closed'] as const

// One listener for both events that change the state.
export function watchQuakes(url: string, { onQuake, onGap, onState }: Watcher): () => void {
  const source = new EventSource(url)
  const show = (): void => onState(STATES[source.readyState]!)
  source.onopen = show
  source.onerror = show
  source.onmessage = (event) => {
    const quake = quakeOf(event.data)
    if (quake) onQuake(quake)
  }
  source.addEventListener('gap', () => onGap())
  show()
  return source.close.bind(source)
}

function quakeOf(data: string): Quake | undefined {
  try {
    return JSON.parse(data)
  } catch {
    return undefined
  }
}
