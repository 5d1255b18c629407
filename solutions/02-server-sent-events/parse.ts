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
  // #region 2.5 parseEventStream()
  let type = ''
  let data: string[] = []
  let id = ''

  // Leaving this loop, by `break`, `return` or `throw`, cancels the body.
  for await (const line of readLines(body)) {
    if (line === '') {
      if (data.length > 0) {
        yield { type: type || 'message', data: data.join('\n'), lastEventId: id }
      }
      type = ''
      data = []
      continue
    }
    const [name, value] = fieldOf(line)
    if (name === 'data') data.push(value)
    if (name === 'event') type = value
    // The ID also applies to later events. An ID with U+0000 is ignored.
    if (name === 'id' && !value.includes('\0')) id = value
  }
  // #endregion
}

// #region 2.5
/** Yields each line of a body, without its line end, as soon as the line end arrives. Drops an unfinished last line. */
async function* readLines(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let begun = ''
  let endedByCr = false

  for await (const chunk of body) {
    // `stream` keeps the bytes of a character that continues in the next chunk. The decoder removes a byte order mark.
    const text = decoder.decode(chunk, { stream: true })
    // A CR ends its line at once. An LF that follows it, even in the next chunk, belongs to the same line end.
    const rest = endedByCr && text.startsWith('\n') ? text.slice(1) : text
    if (text !== '') endedByCr = text.endsWith('\r')
    const lines = rest.split(/\r\n|\n|\r/)
    lines[0] = begun + lines[0]
    begun = lines.pop()!
    yield* lines
  }
}
// #endregion

// #region 2.6
/** Splits `name: value`. One space after the colon is not part of the value. Without a colon, the value is empty. */
function fieldOf(line: string): [name: string, value: string] {
  const colon = line.indexOf(':')
  if (colon === -1) return [line, '']
  const value = line.slice(colon + 1)
  return [line.slice(0, colon), value.startsWith(' ') ? value.slice(1) : value]
}
// #endregion
