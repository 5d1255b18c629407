import { EventSource } from 'eventsource'
import type { Quake } from '#feed'

export type Watcher = { onQuake: (quake: Quake) => void; onOver: () => void }

/** Listeners that go with one signal. Stopping leaves nothing that could call anybody. */
export function watchQuakes(url: string, { onQuake, onOver }: Watcher): () => void {
  const source = new EventSource(new URL(url))
  const stopped = new AbortController()
  const listen = { signal: stopped.signal }

  source.addEventListener(
    'message',
    (message) => {
      let quake: Quake | undefined
      try {
        quake = JSON.parse(message.data) as Quake
      } catch (error) {
        console.warn('left out:', (error as Error).message)
      }
      if (quake !== undefined) onQuake(quake)
    },
    listen,
  )
  source.addEventListener(
    'error',
    () => {
      if (source.readyState !== EventSource.CLOSED) return
      stopped.abort()
      onOver()
    },
    listen,
  )

  return () => {
    stopped.abort()
    source.close()
  }
}
