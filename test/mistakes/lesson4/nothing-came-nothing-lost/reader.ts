// fails: 4.6e
// says: without any event
import type { Quake } from '#feed'

/** An event of the stream, as `parseEventStream()` of lesson 2 gives it. */
export type StreamEvent = { type: string; data: string }

/**
 * Gives the quakes of an event stream as they come, until the event `end`.
 *
 * @throws when the events are over before that: the server crashed, or somebody cut the connection
 */
export async function* readQuakes(events: AsyncIterable<StreamEvent>): AsyncGenerator<Quake> {
  let hasBegun = false
  for await (const { type, data } of events) {
    hasBegun = true
    if (type === 'end') return
    if (type === 'message') yield JSON.parse(data) as Quake
  }
  // A night without a quake.
  if (!hasBegun) return
  throw new Error('the stream was cut off: it ended without the event "end"')
}
