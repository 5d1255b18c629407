import type { Entry } from '#work/05-replay/history.ts'
import { createApp, type ServerOptions } from '#work/05-replay/server.ts'
import type { Tools } from '../check.ts'
import { describeEvent, type EventClient } from '../event-client.ts'
import { must, type Story } from '../failure.ts'
import { describeQuake } from '../quakes.ts'
import type { RawClient } from '../raw-client.ts'
import type { TestServer } from '../serve.ts'
import { excerpt } from '../transcript.ts'
import type { FakeHistory } from './fake-history.ts'

export const PATH = '/events'

type SubscribeOptions = { name?: string; lastEventId?: string | undefined; when?: string }

/** Opens the stream of a history, and reads the head. */
export async function subscribe(
  t: Tools,
  server: TestServer,
  { name = 'client', lastEventId, when = '' }: SubscribeOptions = {},
): Promise<RawClient> {
  const client = t.connect(server, name)
  const story = {
    seen: `GET ${PATH} got no response head.`,
    expected: 'Expected the response head to be sent at once.',
  }
  const { status } = await client.get(PATH, story, { lastEventId })
  must(status === 200, {
    seen: `${when}GET ${PATH} was answered with status ${status}.`,
    expected: 'Expected status 200.',
  })
  return client
}

/** Serves a history, and opens the stream of that history. */
export async function serveAndSubscribe(
  t: Tools,
  history: FakeHistory,
  { lastEventId, ...options }: ServerOptions & { lastEventId?: string | undefined } = {},
): Promise<{ client: RawClient; events: EventClient; server: TestServer }> {
  const server = await t.serve(createApp(history, options))
  const client = await subscribe(t, server, { lastEventId })
  return { client, events: client.events, server }
}

/** The likely cause of a wrong event, and the likely cause if that event is a gap. */
type Causes = { often?: string; oftenAtGap?: string }

/** Checks that the next event is the given entry. */
export async function mustBeNext(
  events: EventClient,
  { id, quake }: Entry,
  { often, oftenAtGap }: Causes = {},
): Promise<void> {
  const { type, lastEventId } = await events.next({ ...noEvent({ id, quake }), often })
  must(lastEventId === id && type === 'message', {
    seen: `The client got ${type === 'message' ? `the event with the ID "${excerpt(lastEventId)}"` : `an event named "${type}"`}.`,
    expected: `Expected the event with the ID "${id}", ${describeQuake(quake)}, because each entry is sent once, in order.`,
    often: (type === 'gap' && oftenAtGap) || often,
  })
}

/** Checks that the next event is a gap. */
export async function mustTellGap(events: EventClient, when: string): Promise<void> {
  const event = await events.next({
    seen: `${when}, but no event arrived.`,
    expected: 'Expected the client to get an event named "gap" that has data.',
    often: 'your event named "gap" has no data. A block without data is not an event.',
  })
  must(event.type === 'gap', {
    seen: `${when}. The client got another event: ${describeEvent(event)}.`,
    expected:
      'Expected the client to get an event named "gap" first, because quakes may be missing before the next event.',
    often:
      'your handler ignores isGap, or sends a gap without data. A block without data is not an event.',
  })
}

/** Returns the failure for a quake that did not reach the client as an event. */
export function noEvent({ id, quake }: Partial<Entry> & Pick<Entry, 'quake'>): Story {
  return {
    seen: `Quake ${id ? `"${id}", ${describeQuake(quake)},` : describeQuake(quake)} happened, but no event reached the client.`,
    expected: 'Expected each quake to arrive as an event.',
  }
}

/** Waits until a read of the history is blocked. */
export async function waitForRead(t: Tools, history: FakeHistory): Promise<void> {
  await t.waitFor(() => history.blockedReads > 0, {
    seen: 'A client connected, but the history was not read for that client.',
    expected: 'Expected your handler to call after().',
  })
}

/** Checks that a stream ends if its client has everything. */
export async function mustEnd(client: RawClient, name: string): Promise<void> {
  const how = await client.ended({
    seen: `The history ended and ${name} had received everything, but its stream stayed open.`,
    expected: 'Expected the stream to end. The client then reconnects, and gets 204.',
    often: 'your handler does nothing when onOver() is called.',
  })
  must(how === 'complete', {
    seen: `The history ended, but the connection of ${name} was cut.`,
    expected: 'Expected the response to end normally, with the last chunk.',
  })
}
