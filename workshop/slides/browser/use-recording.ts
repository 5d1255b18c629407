import { useEffect, useState } from 'react'
import type { RecordedEntry } from '../../../wire/entry.ts'
import { parseRecording } from '../../../wire/recording.ts'
import { endIn, type RunEnd } from '../run-end.ts'

/** A recorded wire. Its first entry is at 0. */
export type Recording = { entries: RecordedEntry[]; end?: RunEnd; problem?: string }

/** Loads the recording of a scene. Returns undefined until it has loaded. */
export function useRecording(name: string): Recording | undefined {
  const [recording, setRecording] = useState<Recording>()
  useEffect(() => {
    const loading = new AbortController()
    void load(name, loading.signal).then((loaded) => loading.signal.aborted || setRecording(loaded))
    return () => loading.abort()
  }, [name])
  return recording
}

async function load(name: string, signal: AbortSignal): Promise<Recording> {
  try {
    const response = await fetch(`./recordings/${name}.ndjson`, { signal })
    if (!response.ok)
      throw new Error(`There is no recording of ${name}: npm run slides record ${name}`)
    const text = await response.text()
    const end = endIn(text)
    return { entries: fromZero(parseRecording(text).entries), ...(end && { end }) }
  } catch (error) {
    return { entries: [], problem: (error as Error).message }
  }
}

/** Shifts the times so that the first entry is at 0. In the recording, 0 is the time when the program was started. */
function fromZero(entries: RecordedEntry[]): RecordedEntry[] {
  const first = entries[0]?.entry.at ?? 0
  return entries.map(({ entry, ...rest }) => ({
    entry: { ...entry, at: entry.at - first },
    ...rest,
  }))
}
