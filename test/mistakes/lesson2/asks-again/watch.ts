// fails: 2.6e
// says: a new EventSource is made there
import { EventSource } from 'eventsource'
import type { Quake } from '#feed'

export type Watcher = {
  onQuake(quake: Quake): void
  onOver(): void
}

export function watchQuakes(url: string, { onQuake, onOver }: Watcher): () => void {
  let source = connect()
  return () => source.close()

  function connect(): EventSource {
    const made = new EventSource(url)
    made.addEventListener('message', ({ data }) => {
      let quake: Quake
      try {
        quake = JSON.parse(data)
      } catch {
        return
      }
      onQuake(quake)
    })
    made.addEventListener('error', () => {
      if (made.readyState !== EventSource.CLOSED) return
      onOver()
      source = connect()
    })
    return made
  }
}
