import { EventSource } from 'eventsource'
import type { Quake } from '#feed'

export type Watcher = { onQuake: (quake: Quake) => void; onOver: () => void }

/** Adds the listeners with one signal, so that stopping removes them all. */
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
