/** One event, as it is said: every part may be left out. `retry` is in milliseconds. */
export type EventFields = {
  data?: string
  event?: string
  id?: string
  retry?: number
}

/**
 * One event as it goes over the wire, with the blank line that ends it.
 *
 * Any of CR LF, LF and CR ends a line of an event stream, so `data` gets a field for each of its lines; the
 * reader gets them back joined by LF.
 *
 * @throws TypeError when `event` or `id` holds a line end, which would begin another field; when `id` holds
 *   U+0000, which makes a client ignore it; when `retry` is not a whole number of milliseconds
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
 */
export function encodeEvent({ data, event, id, retry }: EventFields): string {
  throw new Error('lesson 2, task 2.1: write encodeEvent()')
}
