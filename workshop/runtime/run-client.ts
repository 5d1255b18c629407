import { basename } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Quake } from '#feed'
import type { Watcher } from '../../solutions/02-server-sent-events/watch.ts'
import type { FollowOptions } from '../../solutions/06-resume/client.ts'
import type { followStream as FollowStream } from '../../solutions/07-filtered-stream/client.ts'
import type { RuntimeMessage } from '../../protocol/runtime.ts'
import { addFirstRule, AUTHORIZATION, FILTERED_STREAM } from './filtered-stream.ts'
import { quakeIn } from './quake-in.ts'

/**
 * Runs `followQuakes()` or `followStream()` of a client.ts, or `watchQuakes()` of a watch.ts, and reports quakes, gaps
 * and states. The client of an exhibit exports `connect()` instead, and prints what it does.
 */
export async function runClient(
  { file, url }: { file: string; url: string },
  tell: (message: RuntimeMessage) => void,
): Promise<void> {
  const { followQuakes, followStream, watchQuakes, connect } = (await import(
    pathToFileURL(file).href
  )) as {
    followQuakes?: (url: string, options: FollowOptions) => AsyncIterable<Quake>
    followStream?: typeof FollowStream
    watchQuakes?: WatchQuakes
    connect?: (url: string) => void
  }
  if (connect) return connect(url)
  if (watchQuakes) return watch(watchQuakes, url, tell)
  if (followStream) return filter(followStream, url, tell)
  if (!followQuakes) {
    throw new Error(`${basename(file)} exports no function that follows a stream`)
  }
  const quakes = followQuakes(url, {
    signal: new AbortController().signal,
    stallMs: STALL_MS,
    maxMs: MAX_MS,
    onState: (state) => tell({ kind: 'connection', state }),
    onGap: () => tell({ kind: 'gap' }),
  })
  for await (const data of quakes) tell({ kind: 'quake', quake: quakeIn(data) })
}

/** Runs a client of a filtered stream, and makes sure that its account has a rule whenever it has connected. */
async function filter(
  followStream: typeof FollowStream,
  url: string,
  tell: (message: RuntimeMessage) => void,
): Promise<void> {
  const matches = followStream(url, {
    signal: new AbortController().signal,
    init: { headers: AUTHORIZATION },
    keepAliveMs: FILTERED_STREAM.keepAliveMs,
    onState(state) {
      tell({ kind: 'connection', state })
      // The server may not have any rules yet, or may already be down again.
      if (state.name === 'open') addFirstRule(url).catch(() => {})
    },
    onGap: () => tell({ kind: 'gap' }),
  })
  for await (const { data } of matches) tell({ kind: 'quake', quake: data })
}

/**
 * How long the stream may be silent. The value is low, because two or three quakes happen every second, and a learner who
 * stalls the connection wants to see the timeout soon.
 */
const STALL_MS = 10_000

/**
 * The longest pause before a reconnect. It is short, because the server may have been down for a while when a learner
 * mends and saves it.
 */
const MAX_MS = 5000

/**
 * Reports the quakes and the end of the stream. Lost connections stay unknown, because the EventSource inside
 * `watchQuakes()` reconnects by itself.
 */
function watch(
  watchQuakes: WatchQuakes,
  url: string,
  tell: (message: RuntimeMessage) => void,
): void {
  watchQuakes(url, {
    onQuake: (quake) => tell({ kind: 'quake', quake }),
    onOver: () => tell({ kind: 'connection', state: { name: 'over' } }),
  })
}

type WatchQuakes = (url: string, watcher: Watcher) => () => void
