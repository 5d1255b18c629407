import { recordedQuakes } from '#feed'
import { makeBeforeBreak, overControlChannel, overRules, reconnect, type Lab } from './four-ways.ts'
import { openStream, type OpenStream } from './stream-client.ts'
import { streamServer } from './stream-server.ts'

/** A way to change which networks a client watches. */
export type Way = 'rules' | 'control channel' | 'make before break' | 'reconnect'

/** The connections that the client opened, the quakes that it never got, and the quakes that it got twice. */
export type Measured = { connections: number; lost: number; twice: number }

/** Changes what a client watches twenty times, in each of the four ways. No result depends on time. */
export async function measureAll(): Promise<Record<Way, Measured>> {
  return {
    rules: await measure(overRules),
    'control channel': await measure(overControlChannel),
    'make before break': await measure(makeBeforeBreak),
    reconnect: await measure(reconnect),
  }
}

/** Counts what arrives of the network `us`, which the client watches before, during and after each change. */
async function measure(way: (lab: Lab) => Promise<void>): Promise<Measured> {
  const server = await streamServer()
  const quakes = recordedQuakes().filter(({ network }) => network === 'us')
  const streams: OpenStream[] = []
  let happened = 0
  let changed = 0

  function happen(count: number): void {
    for (const quake of quakes.slice(happened, happened + count)) server.happen(quake)
    happened += count
  }

  /** A stream keeps its order, so the last quake shows that the quakes before it have arrived, or never will. */
  async function lastArrives(stream: OpenStream): Promise<void> {
    const last = quakes[happened - 1]
    if (last) await stream.seen(({ quake }) => quake?.id === last.id)
  }

  await way({
    server,
    changes: Array.from({ length: CHANGES }, (_, n) => (n % 2 === 0 ? ['us', 'ci'] : ['us'])),
    async open(path) {
      const stream = await openStream(server.url + path)
      streams.push(stream)
      return stream
    },
    // Zero, one or two quakes.
    quakesHappen: () => happen(changed++ % 3),
    lastArrives,
    oneMoreArrives(stream) {
      happen(1)
      return lastArrives(stream)
    },
  })
  server.close()

  const ids = streams.flatMap((stream) => stream.ids)
  const different = new Set(ids).size
  return {
    connections: server.connections,
    lost: happened - different,
    twice: ids.length - different,
  }
}

const CHANGES = 20
