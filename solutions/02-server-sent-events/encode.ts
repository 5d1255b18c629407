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
  // A client removes one space after the colon, and must not remove the first space of the value.
  if (data !== undefined) for (const line of data.split(LINE_END)) lines.push(`data: ${line}`)
  return `${lines.join('\n')}\n\n`
  // #endregion
}
