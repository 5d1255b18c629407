import type { RequestHandler, Response } from 'express'
import type { Quake } from '#feed'
import type { Item } from '#work/08-many-sources/merge.ts'
import { createApp, type ServerOptions } from '#work/08-many-sources/server.ts'
import type { Tools } from '../check.ts'
import { turns } from '../event-loop.ts'
import { must } from '../failure.ts'
import { controlledSource, type ControlledSource } from '../merge/controlled-source.ts'
import { largeQuakes, quakes } from '../quakes.ts'
import type { TestServer } from '../serve.ts'
import { SILENT } from '../transcript.ts'
import { mustBeNamed, subjectOf, viewer, type Happened, type Viewer } from './viewer.ts'

/** A server with three sources, which the check controls. */
export type FanOut = {
  readonly server: TestServer
  readonly sources: readonly [ControlledSource, ControlledSource, ControlledSource]
  /** The number of calls of `encode()`. */
  readonly encoded: number
  /** Opens the stream, and reads the event named "policy". */
  view(name: string, options?: ViewOptions): Promise<Viewer>
  /**
   * Releases `count` large quakes, by default from each source in turn. Each of the `readers` gets an item before the next one is
   * released.
   */
  happen(count: number, options?: HappenOptions): Promise<Happened[]>
}

type HappenOptions = {
  readers?: readonly Viewer[]
  /** The source that delivers every item. */
  from?: number
  /** Whether the quakes are small, so that several of them fit into a response. */
  areSmall?: boolean
}

export type ViewOptions = { whenSlow?: string; lastEventId?: string }

type FanOutOptions = ServerOptions & { before?: RequestHandler }

/** Serves three sources. Its events are so large that a single one fills a response whose client has stopped reading. */
export async function fanOut(
  t: Tools,
  { before, ...options }: FanOutOptions = {},
): Promise<FanOut> {
  t.transcript.parties('sources', 'server')
  const sources = ['us', 'ci', 'ak'].map((name) => controlledSource(SILENT, name)) as unknown as [
    ControlledSource,
    ControlledSource,
    ControlledSource,
  ]
  const [large] = largeQuakes(1, FILLS_A_RESPONSE) as [Quake]
  const [small] = quakes(1)
  let encoded = 0
  let happened = 0
  const encode = (item: Item): string => {
    encoded += 1
    return 'quake' in item
      ? `data: ${JSON.stringify(item)}`
      : `event: source-failed\ndata: {"source":"${item.source}"}`
  }
  const app = createApp(sources, { encode, ...options })
  const responses: Response[] = []
  const viewers: Viewer[] = []
  const server = await t.serve(app, (request, response, next) => {
    responses.push(response)
    if (before) before(request, response, next)
    else next()
  })

  return {
    server,
    sources,
    get encoded() {
      return encoded
    },
    async view(name, { whenSlow, lastEventId } = {}) {
      const client = t.connect(server, name)
      const path = pathFor(whenSlow)
      const { status } = await client.get(path, NO_HEAD, { lastEventId })
      must(status === 200, {
        seen: `GET ${path} was answered with status ${status}.`,
        expected: 'Expected status 200.',
      })
      const one = viewer(t.transcript, client, responses.at(-1)!)
      viewers.push(one)
      await mustBeNamed(one, 'policy', {
        seen: `${subjectOf(name)} connected`,
        expected: 'Expected the stream to begin with an event named "policy".',
      })
      return one
    },
    async happen(count, { readers = [], from, areSmall = false } = {}) {
      const names = readers.map(({ name }) => name).join(', ')
      const which = from === undefined ? 'the sources' : `source "${sources[from]!.name}"`
      const all: Happened[] = []
      const numbers = (): string =>
        all.length === 1 ? `item ${happened}` : `items ${all[0]!.id} to ${happened}`
      const drawn = { at: 'sources', to: 'server', label: '' }
      for (const one of viewers) one.startRow()
      try {
        for (let n = 0; n < count; n += 1) {
          const source = sources[from ?? happened % sources.length]!
          happened += 1
          const quake = { ...(areSmall ? small : large), id: `q${happened}` }
          const item = { id: happened, source: source.name, quake }
          all.push(item)
          drawn.label = from === undefined ? numbers() : `${numbers()}, from ${which}`
          if (n === 0) t.transcript.draw(drawn)
          source.release(quake)
          for (const reader of readers) await reader.gets(item, `Item ${item.id} happened`)
          if (readers.length === 0) await mustBeTaken(source, item)
          await someTurns()
        }
      } finally {
        t.transcript.step(
          `${which} delivered ${numbers()}${names && `, one after another, to ${names}`}`,
          'already',
        )
      }
      return all
    },
  }

  /** Waits until the server has taken an item. Only then does the merge ask the source for its next quake. */
  async function mustBeTaken(source: ControlledSource, { id }: Happened): Promise<void> {
    await t.waitFor(() => source.pulls > source.released, {
      seen: `Source "${source.name}" delivered item ${id}, but your server did not ask it for its next quake.`,
      expected: 'Expected your server to read its sources, even if its clients do not read.',
      often:
        responses.length === 0
          ? 'your server opens the sources when the first client connects.'
          : 'your server waits for a client, such as for its "drain", before it asks the sources for the next quake.',
    })
  }
}

/** Returns the path of the stream with a policy. */
export function pathFor(whenSlow?: string): string {
  return whenSlow === undefined ? '/events' : `/events?when_slow=${whenSlow}`
}

/** Waits for everything that follows from the last step without waiting for anything else. */
export async function someTurns(): Promise<void> {
  await turns(10)
}

/** More bytes than a response buffers before `write()` returns false. */
const FILLS_A_RESPONSE = 80 * 1024

const NO_HEAD = {
  seen: 'The request got no response head.',
  expected: 'Expected the response head to be sent at once.',
}
