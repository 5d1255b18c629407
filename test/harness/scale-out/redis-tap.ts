import { connect, createServer, type Socket } from 'node:net'
import { listenOnFreePort } from '../../../wire/listen.ts'
import { respReader, type RespFrame } from '../../../wire/resp.ts'
import type { Tools } from '../toolbox.ts'
import { drawCommands } from './draw-commands.ts'
import { REDIS } from './lanes.ts'
import type { TapCommand, TapEvent } from './tap-events.ts'

/** A tap between the learner's code and Redis. It names every command, and can cut, refuse and freeze connections. */
export type RedisTap = {
  readonly port: number
  readonly url: string
  /** Everything that has arrived at the tap, in order. */
  readonly events: readonly TapEvent[]
  /** The commands among the events. */
  readonly commands: readonly TapCommand[]
  /** The commands that Redis has not answered yet: an XREAD that blocks, for example. */
  unanswered(): TapCommand[]
  /** The number of connections that are open now. */
  readonly openConnections: number
  /** Closes all connections, as a crash of Redis or of the network would. */
  cut(): void
  /** Closes each new connection immediately, until it is called with `false`. */
  refuse(on: boolean): void
  /** Passes nothing on, but closes no connection, until it is called with `false`. */
  freeze(on: boolean): void
  /** Calls `listener` with each event, before the event is passed on. Passes it on when the listener has finished. */
  onEvent(listener: (event: TapEvent) => unknown): void
}

/**
 * Starts a tap before Redis. Each connection to it leads to the port that Redis has at that time.
 *
 * @param process the name of the process that connects to it
 */
export async function tapRedis(
  t: Tools,
  redis: { readonly port: number },
  process = 'process A',
): Promise<RedisTap> {
  const events: TapEvent[] = []
  const listeners: ((event: TapEvent) => unknown)[] = []
  const links = new Set<Link>()
  let connections = 0
  let isRefusing = false
  let frozen: { until: Promise<void>; thaw(): void } | undefined

  const server = createServer((client) => {
    const connection = (connections += 1)
    client.on('error', () => {})
    if (isRefusing) {
      void note({ kind: 'refused', connection })
      client.resetAndDestroy()
      return
    }
    const link: Link = {
      client,
      upstream: connect({ port: redis.port, host: '127.0.0.1' }),
      unanswered: [],
    }
    links.add(link)
    void note({ kind: 'opened', connection })
    client.setNoDelay()
    link.upstream.setNoDelay().on('error', () => {})
    client.on('data', readCommands(connection, link))
    link.upstream.on('data', readReplies(connection, link))
    link.upstream.on('close', () => void whenThawed().then(() => client.destroy()))
    client.on('close', () => {
      link.upstream.destroy()
      links.delete(link)
      void note({ kind: 'closed', connection })
    })
  })

  function readCommands(connection: number, link: Link): (bytes: Buffer) => void {
    const reader = respReader()
    const queue = inOrder()
    return (bytes) => {
      for (const frame of reader.push(bytes)) {
        const command = commandIn(frame, connection)
        const noted = note(command)
        link.unanswered.push(command)
        queue(async () => {
          await noted
          await whenThawed()
          link.upstream.write(frame.bytes)
        })
      }
    }
  }

  function readReplies(connection: number, link: Link): (bytes: Buffer) => void {
    const reader = respReader()
    const queue = inOrder()
    return (bytes) => {
      for (const frame of reader.push(bytes)) {
        // A push of RESP 3 answers no command.
        const command = frame.bytes[0] === PUSH ? undefined : link.unanswered.shift()
        const noted = command && note({ kind: 'reply', connection, command, value: frame.value })
        queue(async () => {
          await noted
          await whenThawed()
          link.client.write(frame.bytes)
        })
      }
    }
  }

  const draw = drawCommands(t.transcript, process)

  /** Adds an event. Resolves when every listener has finished. */
  async function note(event: TapEvent): Promise<void> {
    events.push(event)
    draw(event)
    await Promise.all(listeners.map((listener) => listener(event)))
  }

  async function whenThawed(): Promise<void> {
    while (frozen) await frozen.until
  }

  function cut(): void {
    for (const { client, upstream } of links) {
      client.resetAndDestroy()
      upstream.destroy()
    }
  }

  function freeze(on: boolean): void {
    if (on === (frozen !== undefined)) return
    if (!on) {
      const { thaw } = frozen!
      frozen = undefined
      return thaw()
    }
    let thaw = (): void => {}
    const until = new Promise<void>((resolve) => {
      thaw = resolve
    })
    frozen = { until, thaw }
  }

  const port = await listenOnFreePort(server)
  t.atEnd(() => {
    freeze(false)
    const stopped = new Promise<void>((resolve) => server.close(() => resolve()))
    cut()
    return stopped
  })
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    events,
    get commands() {
      return events.filter((event) => event.kind === 'command')
    },
    unanswered: () => [...links].flatMap((link) => link.unanswered),
    get openConnections() {
      return links.size
    },
    cut() {
      const label = 'the connections are cut'
      t.transcript.step('the connections to Redis are cut', { at: REDIS, label })
      cut()
    },
    refuse(on) {
      const label = on ? 'refuses connections' : 'accepts connections again'
      t.transcript.step(`Redis ${label}`, { at: REDIS, label })
      isRefusing = on
    },
    freeze(on) {
      const label = on ? 'freezes: nothing passes, nothing closes' : 'answers again'
      t.transcript.step(`Redis ${label}`, { at: REDIS, label })
      freeze(on)
    },
    onEvent: (listener) => void listeners.push(listener),
  }
}

/** One connection of the learner's code, and the tap's own connection to Redis. */
type Link = {
  client: Socket
  upstream: Socket
  unanswered: TapCommand[]
}

/** The first byte of a push of RESP 3. */
const PUSH = 0x3e

function commandIn({ value }: RespFrame, connection: number): TapCommand {
  const [name = '', ...args] = (value as unknown[]).map(String)
  return { kind: 'command', connection, name: name.toUpperCase(), args }
}

/** Returns a function that runs each task when the tasks before it have finished. */
function inOrder(): (task: () => Promise<void>) => void {
  let last: Promise<void> = Promise.resolve()
  return (task) => {
    last = last.then(task)
  }
}
