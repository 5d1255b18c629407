import { arrivalInContext, type Entry, type RecordedEntry } from '../../../../wire/entry.ts'
import { interpret, type Interpretation } from '../../../../wire/interpret.ts'
import { view } from './wire-view.ts'

/** What is known of an arrival: its first bytes, and what they are. */
export type InspectedArrival = {
  entry: Entry & { kind: 'arrived' }
  bytes: Uint8Array
  interpretation: Interpretation
}

/** Inspects entry `n` of a recording; undefined when it is not an arrival. */
export function inspectArrival(
  recording: readonly RecordedEntry[],
  n: number,
): InspectedArrival | undefined {
  const found = arrivalInContext(recording, n)
  const entry = recording.find((each) => each.entry.n === n)?.entry
  if (!found || entry?.kind !== 'arrived') return undefined
  const { arrival, before, isWhole } = found
  return { entry, bytes: arrival.bytes, interpretation: interpret(arrival, before, isWhole) }
}

/** Loads entry `n` from the workshop, or from the recording that is looked at; a sentence when its bytes are gone. */
export async function loadArrival(
  n: number,
  signal: AbortSignal,
): Promise<InspectedArrival | string> {
  const { saved } = view.get()
  if (saved) return inspectArrival(saved.entries, n) ?? 'The file does not have these bytes.'
  try {
    const response = await fetch(`/wire/${n}`, { signal })
    if (!response.ok) return (await response.text()).trim()
    const { entry, bytes, interpretation } = await response.json()
    return { entry, interpretation, bytes: Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0)) }
  } catch {
    return 'The workshop does not answer. Is it running?'
  }
}
