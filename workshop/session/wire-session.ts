import { recorder as makeRecorder } from '../../wire/recorder.ts'
import type { Destination, Observer, Tap } from '../../wire/tap.ts'
import { openTap } from './open-tap.ts'
import type { Problem } from '../lessons/args.ts'
import type { ServerState } from '../../protocol/page.ts'
import type { Session } from '../page/session.ts'
import { listeners } from './listeners.ts'
import { both } from './observers.ts'
import { wireActions } from './wire-actions.ts'

/** Where the server is, and the part of the URL behind it. */
export type WatchedServer = { url: URL; destination: Extract<Destination, { port: number }> }

/** The wire before somebody's own server. */
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
    what: `Before ${url.origin}.`,
    url: tapped.href,
    printed: [],
  }
  return {
    state: { server, clients: [], faults: wire.faults, recording: wire.recording },
    recorder,
    listen,
    act: async (action) => wire.act(action) ?? { problem: 'This cannot be done here.' },
    tap,
    url: tapped.href,
  }
}

/** Its port is 3100, and next to it those of the lessons: as if it were lesson 0. */
const WIRE = 0
