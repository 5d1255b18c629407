import type { RequestHandler } from 'express'
import type { Feed } from '#feed'
import type { Tools } from './check.ts'
import type { ControlledFeed } from './controlled-feed.ts'
import { deepEqual, tryParseJson } from './equality.ts'
import { must, type Story } from './failure.ts'
import { openStream, type OpenStream } from './open-stream.ts'
import { describeQuake, quakes } from './quakes.ts'
import type { TestServer } from './serve.ts'
import { excerpt } from './transcript.ts'
import { visitedServer, type VisitOptions } from './visits.ts'

/**
 * The state after many visits: a client that stayed connected, and a client that connected afterwards, with its feed.
 */
export type AfterVisits = {
  server: TestServer
  feed: ControlledFeed
  next: OpenStream
  stays: OpenStream
}

/**
 * Requires that after many visits no timer is left over, and that both the next client and a client that has stayed
 * connected get every quake.
 *
 * @param what the unit in which a quake arrives
 * @param read reads the JSON of the next quake
 */
export async function mustServeAfterVisits(
  t: Tools,
  createApp: (feed: Feed) => RequestHandler,
  options: VisitOptions,
  what: 'line' | 'event',
  read: (stream: OpenStream, story: Story) => Promise<string>,
): Promise<AfterVisits> {
  const timers = t.trackTimers()
  const visited = await visitedServer(t, createApp, options)
  const { server } = visited
  const calm = t.controlledFeed()
  visited.use(calm)
  const stays = await openStream(t, calm, server, options.path, 'client that stays')
  await visited.visit()
  // Timers that serve all clients may remain, and so may those of the client that is still connected.
  await t.waitFor(() => timers.alive() <= 2, {
    seen: () =>
      `Many clients had disconnected, but ${timers.alive()} of your timers were still running.`,
    expected: 'Expected your handler to clear the timers of a client that has disconnected.',
  })
  timers.stop()

  const feed = t.controlledFeed()
  visited.use(feed)
  const next = await openStream(t, feed, server, options.path, 'next client')
  const [first, ...more] = quakes(4)
  for (const quake of [first, ...more]) {
    feed.release(quake)
    const told = (how: string): Story => ({
      seen: `Many clients had disconnected. Then ${describeQuake(quake)} happened, but the next client ${how}`,
      expected: 'Expected the next client to be served like the first one.',
      often: 'your app keeps the state of one client in a variable outside the handler.',
    })
    const text = await read(next, told(`got no ${what}.`))
    must(deepEqual(tryParseJson(text), quake), told(`read ${excerpt(text)}`))
  }
  calm.release(first)
  await read(stays, {
    seen: `Many clients had disconnected. Then a quake happened, but the client that had stayed connected got no ${what}.`,
    expected: 'Expected that client to keep getting every quake.',
  })
  return { server, feed, next, stays }
}
