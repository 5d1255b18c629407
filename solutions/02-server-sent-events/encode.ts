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
  // #region 2.1 encodeEvent()
  const LINE_END = /\r\n|\n|\r/
  if (event !== undefined && LINE_END.test(event)) {
    throw new TypeError(`event must be one line, got ${JSON.stringify(event)}`)
  }
  if (id !== undefined && (LINE_END.test(id) || id.includes('\0'))) {
    throw new TypeError(`id must be one line without U+0000, got ${JSON.stringify(id)}`)
  }
  if (retry !== undefined && !(Number.isSafeInteger(retry) && retry >= 0)) {
    throw new TypeError(`retry must be a whole number of milliseconds, got ${retry}`)
  }
  const lines: string[] = []
  if (event !== undefined) lines.push(`event: ${event}`)
  if (id !== undefined) lines.push(`id: ${id}`)
  if (retry !== undefined) lines.push(`retry: ${retry}`)
  // The space belongs to the field: a client takes one away, and a value that begins with a space keeps it.
  if (data !== undefined) for (const line of data.split(LINE_END)) lines.push(`data: ${line}`)
  return `${lines.join('\n')}\n\n`
  // #endregion
}
