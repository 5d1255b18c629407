/** The fields of one event, all optional. `retry` is in milliseconds. */
export type EventFields = {
  data?: string
  event?: string
  id?: string
  retry?: number
}

/**
 * Returns the text of one event, including the blank line that ends it.
 *
 * CRLF, LF and CR each end a line of an event stream. So `data` is written as one field per line, and the client joins
 * the lines with LF.
 *
 * @throws TypeError if `event` or `id` contains a line end, which would begin another field; if `id` contains U+0000,
 *   because clients ignore such an ID; if `retry` is not a whole number of milliseconds
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
 */
export function encodeEvent({ data, event, id, retry }: EventFields): string {
  throw new Error('lesson 2, task 2.1: write encodeEvent()')
}
