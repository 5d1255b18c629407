import { pathToFileURL } from 'node:url'
import type { Quake } from '#feed'
import type { FollowOptions } from '../../solutions/05-reconnection/client.ts'
import type { RuntimeMessage } from '../../protocol/runtime.ts'

/**
 * Runs the `followQuakes()` that a client.ts exports, and reports its quakes, gaps and states. The client of an exhibit
 * exports `connect()` instead, and prints its own messages.
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
    onState: (state) => tell({ kind: 'connection', state }),
    onGap: () => tell({ kind: 'gap' }),
  })
  for await (const quake of quakes) tell({ kind: 'quake', quake })
}

/**
 * How long the stream may be silent. The value is low, because two or three quakes happen every second, and a learner who
 * stalls the connection wants to see the timeout soon.
 */
const STALL_MS = 10_000
