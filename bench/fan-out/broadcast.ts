import type { Feed, Quake } from '#feed'

/** A feed whose quakes are published by hand. Its cost counts as the server's, so it does as little as possible. */
export type Broadcast = Feed & { publish(quake: Quake): void }

export function createBroadcast(): Broadcast {
  const readers = new Set<(quake: Quake) => void>()
  return {
    publish(quake) {
      for (const give of readers) give(quake)
    },
    open: (signal) => ({
      [Symbol.asyncIterator]() {
        const waiting: Quake[] = []
        let wake = (): void => {}
        const give = (quake: Quake): void => {
          waiting.push(quake)
          wake()
        }
        readers.add(give)
        signal.addEventListener('abort', () => {
          readers.delete(give)
          wake()
        })
        return {
          async next() {
            while (waiting.length === 0 && !signal.aborted) {
              await new Promise<void>((resolve) => (wake = resolve))
            }
            const value = waiting.shift()
            return value && !signal.aborted ? { value } : { value: undefined, done: true }
          },
        }
      },
    }),
  }
}
