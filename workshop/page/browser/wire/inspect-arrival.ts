import type { Crossing } from './ArrivalDetails.tsx'
import { view } from './wire-view.ts'
import { savedArrival } from './open-recording.ts'

/** The bytes of entry `n`, from the workshop or from the recording that was loaded; a sentence when they are gone. */
export async function bytesOf(n: number, signal: AbortSignal): Promise<Crossing | string> {
  if (view.get().saved) return savedArrival(n) ?? 'The file does not have these bytes.'
  try {
    const response = await fetch(`/wire/${n}`, { signal })
    if (!response.ok) return (await response.text()).trim()
    const { entry, bytes, interpretation } = await response.json()
    return { entry, interpretation, bytes: Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0)) }
  } catch {
    return 'The workshop does not answer. Is it running?'
  }
}
