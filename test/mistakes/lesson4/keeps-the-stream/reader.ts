// fails: 4.6d
// says: the stream of events is still open
import type { Quake } from '#feed'

/** An event of the stream, as `parseEventStream()` of lesson 2 gives it. */
export type StreamEvent = { type: string; data: string }

/**
 * Gives the quakes of an event stream as they come, until the event `end`.
 *
 * @throws when the events are over before that: the server crashed, or somebody cut the connection
 */
export async function* readQuakes(events: AsyncIterable<StreamEvent>): AsyncGenerator<Quake> {
  const reader = events[Symbol.asyncIterator]()
  for (;;) {
    const { done, value } = await reader.next()
    if (done) break
    if (value.type === 'end') return
    if (value.type === 'message') yield JSON.parse(value.data) as Quake
  }
  throw new Error('the stream was cut off: it ended without the event "end"')
}
