import { openStream, post, type OpenStream } from './stream-client.ts'
import type { StreamServer } from './stream-server.ts'

/** The tools of a client that changes which networks it watches. */
export type Lab = {
  server: StreamServer
  /** For each change, the networks to watch from then on. */
  changes: string[][]
  /** Opens a stream whose quakes are counted. */
  open(path: string): Promise<OpenStream>
  /** Makes quakes happen in the middle of a change. */
  quakesHappen(): void
  /** Resolves when the last quake so far has arrived on the stream. */
  lastArrives(stream: OpenStream): Promise<void>
  /** Makes one more quake happen after the change, and resolves when it has arrived on the stream. */
  oneMoreArrives(stream: OpenStream): Promise<void>
}

/** The server keeps the rules, and a POST changes them while the stream stays open. */
export async function overRules({ server, changes, open, quakesHappen, oneMoreArrives }: Lab) {
  const stream = await open('/stream?networks=us')
  for (const networks of changes) {
    const posted = post(`${server.url}/rules`, networks)
    quakesHappen()
    const change = await posted
    await stream.seen(({ changed }) => changed === change)
    await oneMoreArrives(stream)
  }
}

/** The event stream begins with the address of its session, and a POST to that address changes only this stream. */
export async function overControlChannel({
  server,
  changes,
  open,
  quakesHappen,
  oneMoreArrives,
}: Lab) {
  const stream = await open('/events?networks=us')
  const { session } = await stream.seen((message) => message.session !== undefined)
  for (const networks of changes) {
    const posted = post(server.url + session, networks)
    quakesHappen()
    const change = await posted
    await stream.seen(({ changed }) => changed === change)
    await oneMoreArrives(stream)
  }
}

/** The client opens the new stream first, and then closes the old one. */
export async function makeBeforeBreak({
  server,
  changes,
  open,
  quakesHappen,
  lastArrives,
  oneMoreArrives,
}: Lab) {
  let stream = await open('/stream?networks=us')
  for (const networks of changes) {
    const next = await open(`/stream?networks=${networks}`)
    quakesHappen()
    await lastArrives(stream)
    const closed = server.streamClosed()
    stream.close()
    await closed
    stream = next
    await oneMoreArrives(stream)
  }
}

/** The client closes the old stream first, and then opens the new one. */
export async function reconnect({ server, changes, open, quakesHappen, oneMoreArrives }: Lab) {
  let stream = await open('/stream?networks=us')
  for (const networks of changes) {
    const closed = server.streamClosed()
    stream.close()
    await closed
    quakesHappen()
    stream = await open(`/stream?networks=${networks}`)
    await oneMoreArrives(stream)
  }
}
