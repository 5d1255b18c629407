/** An event as a browser dispatches it. `lastEventId` is the last ID received, with this event or an earlier one. */
export type StreamEvent = { type: string; data: string; lastEventId: string }

/**
 * Parses an event stream as an EventSource does, and yields each event as soon as its blank line arrives.
 * Drops an event whose blank line is missing when the stream ends. Leaving the loop cancels the request.
 *
 * @param body the body of a `fetch` response, whose chunks may be cut anywhere
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export async function* parseEventStream(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<StreamEvent> {
  throw new Error('lesson 2, task 2.5: write parseEventStream()')
}
