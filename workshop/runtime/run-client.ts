import { pathToFileURL } from 'node:url'
import type { Quake } from '#feed'
import type { FollowOptions } from '../../solutions/06-resume/client.ts'
import type { RuntimeMessage } from '../../protocol/runtime.ts'

/**
 * Runs `followQuakes()` of a client.ts, and reports its quakes, gaps and states. The client of an exhibit exports
 * `connect()` instead, and prints what it does.
 */
export async function runClient(
  { file, url }: { file: string; url: string },
  tell: (message: RuntimeMessage) => void,
): Promise<void> {
  const { followQuakes, connect } = (await import(pathToFileURL(file).href)) as {
    followQuakes?: (url: string, options: FollowOptions) => AsyncIterable<Quake>
    connect?: (url: string) => void
  }
  if (connect) return connect(url)
  if (!followQuakes) throw new Error('client.ts does not export followQuakes()')
  const quakes = followQuakes(url, {
    signal: new AbortController().signal,
    stallMs: STALL_MS,
    maxMs: MAX_MS,
    onState: (state) => tell({ kind: 'connection', state }),
    onGap: () => tell({ kind: 'gap' }),
  })
  for await (const quake of quakes) tell({ kind: 'quake', quake })
}

/** Short, because two or three quakes happen every second, and a learner who stalls the connection wants to see the timeout soon. */
const STALL_MS = 10_000

/** Short, because the server may have been down for a while when a learner mends and saves it. */
const MAX_MS = 5000
