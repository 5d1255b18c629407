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
  // #region 2.5 parseEventStream()
  const decoder = new TextDecoder()
  const linesIn = lineCutter()
  let type = ''
  let data: string[] = []
  let id = ''

  // Leaving this loop, by `break`, `return` or `throw`, cancels the body.
  for await (const chunk of body) {
    // `stream` keeps the bytes of a character that the chunk cuts in two. A byte order mark is dropped.
    for (const line of linesIn(decoder.decode(chunk, { stream: true }))) {
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
      // The id stays for the events after this one. A value with U+0000 is no id at all.
      if (name === 'id' && !value.includes('\0')) id = value
    }
  }
  // #endregion
}

// #region 2.5
/** Cuts a text that comes in pieces into lines: gives those that a piece completes. */
function lineCutter(): (piece: string) => string[] {
  let begun = ''
  let endedByCr = false
  return (piece) => {
    // A CR ends its line at once. If a LF comes next, here or in the next piece, it belongs to that CR.
    const rest = endedByCr && piece.startsWith('\n') ? piece.slice(1) : piece
    if (piece !== '') endedByCr = piece.endsWith('\r')
    const lines = rest.split(/\r\n|\n|\r/)
    lines[0] = begun + lines[0]
    begun = lines.pop()!
    return lines
  }
}

/** `name: value`. One space behind the colon is no part of the value; without a colon there is none. */
function fieldOf(line: string): [name: string, value: string] {
  const colon = line.indexOf(':')
  if (colon === -1) return [line, '']
  const value = line.slice(colon + 1)
  return [line.slice(0, colon), value.startsWith(' ') ? value.slice(1) : value]
}
// #endregion
