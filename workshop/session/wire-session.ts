import type { Turn } from '../../wire/conversation.ts'
import { startHttp2Bridge } from '../../wire/http2-bridge.ts'
import { recorder as makeRecorder } from '../../wire/recorder.ts'
import { connectTo, type ServerAddress } from '../../wire/server-address.ts'
import type { Observer, Tap } from '../../wire/tap.ts'
import { openTap } from './open-tap.ts'
import type { Problem } from '../lessons/args.ts'
import type { ServerState } from '../../protocol/page.ts'
import type { Session } from '../page/session.ts'
import { listeners } from './listeners.ts'
import { both } from './observers.ts'
import { wireActions } from './wire-actions.ts'

/** A server to watch. */
export type WatchedServer = {
  /** The URL as the user typed it. */
  url: URL
  address: ServerAddress
  /** Whether requests get the server's own name as their `Host`, and redirects lead through the wire. */
  isRenamed: boolean
  /** Whether the server speaks only HTTP/2. If undefined, TLS finds out. */
  speaksHttp2?: boolean
}

/** The wire between clients and somebody's own server. */
export type WireSession = Session & {
  readonly tap: Tap
  readonly url: string
  close(): Promise<void>
}

export async function wireSession(
  watched: WatchedServer,
  observer: Observer,
): Promise<WireSession | Problem> {
  const { url, address, isRenamed } = watched
  const { tell, listen } = listeners()
  const redirects = new Set<string>()
  const recorder = makeRecorder({ answered: (turn) => isRenamed || noteRedirect(turn) })
  const wire = wireActions({ recorder, changed: tell })
  const route = routeTo(watched)
  const opened = await openTap(WIRE, {
    destination: route.destination,
    observer: both(observer, recorder.observer),
    mayLoop: true,
    ...(isRenamed && { renames: url }),
  })
  if ('problem' in opened) return opened
  const { tap } = opened
  if (isThisMachine(address) && (address.port === tap.port || (await tap.leadsBack(address)))) {
    await tap.close()
    return {
      problem: `${url.origin} leads back to the wire itself, so each request would go round in circles.`,
    }
  }
  wire.begin(tap)
  const tapped = new URL(url)
  tapped.protocol = 'http:'
  tapped.hostname = '127.0.0.1'
  tapped.port = String(tap.port)
  const server: ServerState = {
    state: 'running',
    what: `Watching ${url.origin}.`,
    url: tapped.href,
    watches: url.origin,
    printed: [],
  }

  /** Says that a redirect leads past the wire, once for each place to which it leads. */
  function noteRedirect({ response }: Turn): void {
    const location = response?.headers.get('location')
    if (!location || !URL.canParse(location) || new URL(location).origin !== url.origin) return
    if (redirects.has(location)) return
    redirects.add(location)
    recorder.note(
      `This redirect leads past the wire, to ${location}. With the word "host", it leads through it`,
    )
  }

  return {
    state: { server, clients: [], faults: wire.faults, recording: wire.recording },
    recorder,
    listen,
    act: async (action) => wire.act(action) ?? { problem: 'This action is not available here.' },
    tap,
    url: tapped.href,
    async close() {
      await tap.close()
      await route.close()
    },
  }
}

/** Finds the way to a server, which leads over a bridge if the server speaks only HTTP/2. */
function routeTo({ address, speaksHttp2 }: WatchedServer): {
  destination(): Promise<ServerAddress>
  close(): Promise<void>
} {
  let isHttp2 = speaksHttp2 ?? (address.tls ? undefined : false)
  let bridge: ReturnType<typeof startHttp2Bridge> | undefined
  return {
    async destination() {
      isHttp2 ??= await agreesOnHttp2(address)
      if (!isHttp2) return address
      bridge ??= startHttp2Bridge(address)
      return { port: (await bridge).port }
    },
    async close() {
      await (await bridge)?.stop()
    },
  }
}

/** Returns whether a server with TLS chooses HTTP/2 although HTTP/1.1 is offered. Returns undefined if it cannot be reached. */
async function agreesOnHttp2(address: ServerAddress): Promise<boolean | undefined> {
  const { socket, isReady } = connectTo(address)
  socket.on('error', () => {})
  try {
    return (await isReady) === 'h2'
  } catch {
    return undefined
  } finally {
    socket.destroy()
  }
}

function isThisMachine({ host = '127.0.0.1' }: ServerAddress): boolean {
  return /^(localhost|127(\.\d+){3}|0\.0\.0\.0|::1?)$|\.localhost$/i.test(host)
}

/** Use 0 as the number of a lesson, so that the port is 3100, just below the ports of the lessons. */
const WIRE = 0
