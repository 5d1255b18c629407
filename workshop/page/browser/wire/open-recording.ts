import { interpret } from '../../../../wire/interpret.ts'
import { arrivalInContext, type RecordedEntry } from '../../../../wire/entry.ts'
import { parseRecording } from '../../../../wire/recording.ts'
import { say } from '../state/request-action.ts'
import type { Crossing } from './ArrivalDetails.tsx'
import { wireLog } from './wire-log.ts'
import { showSaved } from './wire-view.ts'

let kept: RecordedEntry[] = []

/** Shows a recording from a file instead of the live one, or says why it cannot. */
export async function loadFile(file: File): Promise<void> {
  let from: number
  try {
    const saved = parseRecording(await file.text())
    kept = saved.entries
    from = saved.from
  } catch (error) {
    say((error as Error).message, true)
    return
  }
  const log = wireLog()
  // What was cleared away before it was saved only explains the rest.
  log.add(kept.map(({ entry }) => entry).filter(({ n }) => n >= from))
  log.stopClock(kept.at(-1)?.entry.at ?? 0)
  showSaved(log, file.name)
  say(`This is the saved recording ${file.name}.`)
}

/** The bytes of entry `n` of that file. */
export function savedArrival(n: number): Crossing | undefined {
  return crossingIn(kept, n)
}

/** The bytes of entry `n` of a recording, and what they are; undefined when it is no arrival. */
export function crossingIn(recording: readonly RecordedEntry[], n: number): Crossing | undefined {
  const found = arrivalInContext(recording, n)
  const entry = recording.find((each) => each.entry.n === n)?.entry
  if (!found || entry?.kind !== 'arrived') return undefined
  const { arrival, before, isWhole } = found
  return { entry, bytes: arrival.bytes, interpretation: interpret(arrival, before, isWhole) }
}
