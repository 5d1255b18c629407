import { recorder as makeRecorder } from '../../wire/recorder.ts'
import type { Destination, Observer, Tap } from '../../wire/tap.ts'
import { openTap } from './open-tap.ts'
import type { Problem } from '../lessons/args.ts'
import type { ServerState } from '../../protocol/page.ts'
import type { Session } from '../page/session.ts'
import { listeners } from './listeners.ts'
import { both } from './observers.ts'
import { wireActions } from './wire-actions.ts'

/** A server to watch: the URL as the user typed it, and the host and port to connect to. */
export type WatchedServer = { url: URL; destination: Extract<Destination, { port: number }> }

/** The wire between clients and somebody's own server. */
export type WireSession = Session & { readonly tap: Tap; readonly url: string }

export async function wireSession(
  { url, destination }: WatchedServer,
  observer: Observer,
): Promise<WireSession | Problem> {
  const recorder = makeRecorder()
  const { tell, listen } = listeners()
  const wire = wireActions({ recorder, changed: tell })
  const opened = await openTap(WIRE, {
    destination: async () => destination,
    observer: both(observer, recorder.observer),
  })
  if ('problem' in opened) return opened
  const { tap } = opened
  wire.begin(tap)
  const tapped = new URL(url)
  tapped.hostname = '127.0.0.1'
  tapped.port = String(tap.port)
  const server: ServerState = {
    state: 'running',
    what: `Watching ${url.origin}.`,
    url: tapped.href,
    watches: url.origin,
    printed: [],
  }
  return {
    state: { server, clients: [], faults: wire.faults, recording: wire.recording },
    recorder,
    listen,
    act: async (action) => wire.act(action) ?? { problem: 'This action is not available here.' },
    tap,
    url: tapped.href,
  }
}

/** Use 0 as the number of a lesson, so that the port is 3100, just below the ports of the lessons. */
const WIRE = 0
