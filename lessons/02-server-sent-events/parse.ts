/** An event as a browser dispatches it. `lastEventId` is the id that was in force when it came. */
export type StreamEvent = { type: string; data: string; lastEventId: string }

/**
 * Reads an event stream as an EventSource does: an event at each blank line, as soon as that is here.
 * An event that the end of the stream cuts off is dropped. Leaving the loop cancels the request.
 *
 * @param body the response's, as `fetch` gives it: bytes, cut anywhere
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export async function* parseEventStream(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<StreamEvent> {
  throw new Error('lesson 2, task 2.5: write parseEventStream()')
}
