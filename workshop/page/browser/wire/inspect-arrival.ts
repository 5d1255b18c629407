import { arrivalInContext, type Entry, type RecordedEntry } from '../../../../wire/entry.ts'
import { interpret, type Interpretation } from '../../../../wire/interpret.ts'
import { view } from './wire-view.ts'

/** An arrival's first bytes, and their interpretation. */
export type InspectedArrival = {
  entry: Entry & { kind: 'arrived' }
  bytes: Uint8Array
  interpretation: Interpretation
}

/** Interprets entry `n` of a recording. Returns undefined if the entry is not an arrival. */
export function inspectArrival(
  recording: readonly RecordedEntry[],
  n: number,
): InspectedArrival | undefined {
  const index = recording.findIndex((each) => each.entry.n === n)
  const found = arrivalInContext(recording, index)
  const entry = recording[index]?.entry
  if (!found || entry?.kind !== 'arrived') return undefined
  const { arrival, before, isWhole } = found
  return {
    entry,
    bytes: arrival.bytes.subarray(0, MOST_BYTES),
    interpretation: interpret(arrival, before, isWhole),
  }
}

/** The most bytes of an arrival that are shown, as in the workshop's own answers. */
const MOST_BYTES = 65_536

/** Loads entry `n` from the workshop or from the open recording. Returns a message if the bytes are not available. */
export async function loadArrival(
  n: number,
  signal: AbortSignal,
): Promise<InspectedArrival | string> {
  const { saved } = view.get()
  if (saved)
    return inspectArrival(saved.entries, n) ?? 'The recording does not contain these bytes.'
  try {
    const response = await fetch(`/wire/${n}`, { signal })
    if (!response.ok) return (await response.text()).trim()
    const { entry, bytes, interpretation } = await response.json()
    return { entry, interpretation, bytes: Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0)) }
  } catch {
    return 'The workshop does not answer. Is it running?'
  }
}
