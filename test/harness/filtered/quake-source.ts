import type { Quake } from '#feed'
import type { QuakeSource } from '#work/07-filtered-stream/server.ts'
import { describeQuake, quakes } from '../quakes.ts'
import type { Transcript } from '../transcript.ts'

/** A source that the check controls. A quake happens when the check says so. */
export type ControlledSource = QuakeSource & {
  /** The number of listeners that are subscribed. */
  readonly listeners: number
  happen(...happened: Quake[]): void
}

export function controlledSource(transcript: Transcript): ControlledSource {
  transcript.parties('source', 'server')
  const listeners = new Set<{ onQuake: (quake: Quake) => void }>()
  return {
    subscribe(onQuake) {
      const listener = { onQuake }
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    get listeners() {
      return listeners.size
    },
    happen(...happened) {
      for (const quake of happened) {
        const label = `${describeQuake(quake)} happens`
        const heard = listeners.size > 0 && { to: 'server' }
        transcript.step(label, { at: 'source', ...heard, label })
        for (const { onQuake } of listeners) onQuake(quake)
      }
    },
  }
}

/** Returns a quake for each of these values. Quakes of the same call have different IDs. */
export function quakesWith(...values: Partial<Quake>[]): Quake[] {
  const made: Quake[] = quakes(values.length)
  return made.map((quake, n) => ({ ...quake, ...values[n] }))
}
