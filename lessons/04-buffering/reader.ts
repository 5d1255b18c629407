import type { Quake } from '#feed'

/** An event of the stream, as `parseEventStream()` from lesson 2 yields it. */
export type StreamEvent = { type: string; data: string }

/**
 * Yields the quakes of an event stream as they arrive, and returns at the event named "end".
 *
 * @throws if the events finish before that, because the server crashed or the connection was cut
 */
export async function* readQuakes(events: AsyncIterable<StreamEvent>): AsyncGenerator<Quake> {
  throw new Error('lesson 4, task 4.6: write readQuakes()')
}
