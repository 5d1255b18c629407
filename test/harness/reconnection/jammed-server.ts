import type { RequestHandler, Response } from 'express'
import { createApp } from '#work/05-replay/server.ts'
import { blockSocket } from '../block-socket.ts'
import type { Tools } from '../check.ts'
import { LARGE, largeQuakes } from '../quakes.ts'
import type { RawClient } from '../raw-client.ts'
import type { TestServer } from '../serve.ts'
import { SILENT } from '../transcript.ts'
import { fakeHistory } from './fake-history.ts'
import { someTurns } from './leftovers.ts'
import { subscribe, waitForRead } from './subscriber.ts'

/** A server whose clients can stop reading. */
export type JammedServer = {
  server: TestServer
  /** The responses in the order of their requests. */
  responses: readonly Response[]
  /** Stalls the client of the last request until `clear()` is called. */
  jam(): void
  clear(): void
  /** Returns the number of bytes that are queued in the response with the longest queue. */
  queued(): number
  /** Waits until a large quake is queued for a stalled client. Everything that is written later is queued after that quake. */
  mustQueue(): Promise<void>
}

export async function jammedServer(
  t: Tools,
  app: RequestHandler,
  before?: RequestHandler,
): Promise<JammedServer> {
  const responses: Response[] = []
  let unblock = (): void => {}
  const server = await t.serve(app, (request, response, next) => {
    responses.push(response)
    if (before) before(request, response, next)
    else next()
  })
  const queued = (): number => Math.max(0, ...responses.map(({ writableLength }) => writableLength))
  return {
    server,
    responses,
    queued,
    jam() {
      t.transcript.step(
        'the client stops reading, and every buffer between server and client is full',
      )
      unblock = blockSocket(responses.at(-1)!.socket!)
    },
    clear() {
      t.transcript.step('the client resumes reading')
      unblock()
    },
    async mustQueue() {
      await t.waitFor(() => queued() > LARGE / 2, {
        seen: 'The client stalled, but no bytes were queued for it.',
        expected: 'Expected an entry to be queued for that client.',
        often:
          'your handler stops when res.write() returns false. That value only means that you should wait for "drain".',
      })
      await someTurns()
    },
  }
}

/** Connects a stalled client to a history of `count` entries of 256 KB each. */
export async function pausedReplay(
  t: Tools,
  count = 64,
): Promise<JammedServer & { client: RawClient; ids: string[] }> {
  const history = fakeHistory(SILENT)
  const entries = history.append(...largeQuakes(count))
  t.transcript.step(`the history has ${entries.length} entries of 256 KB`)
  history.blockReads('as it was')
  const jammed = await jammedServer(t, createApp(history))
  const client = await subscribe(t, jammed.server)
  await waitForRead(t, history)
  jammed.jam()
  history.unblockReads()
  await jammed.mustQueue()
  return { ...jammed, client, ids: entries.map(({ id }) => id) }
}
