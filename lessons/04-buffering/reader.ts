import type { Quake } from '#feed'

/** An event of the stream, as `parseEventStream()` of lesson 2 gives it. */
export type StreamEvent = { type: string; data: string }

/**
 * Gives the quakes of an event stream as they come, until the event `end`.
 *
 * @throws when the events are over before that: the server crashed, or somebody cut the connection
 */
export async function* readQuakes(events: AsyncIterable<StreamEvent>): AsyncGenerator<Quake> {
  throw new Error('lesson 4, task 4.6: write readQuakes()')
}
