/** An event of a stream. `id` is absent if the event has none, and `event` is `message` if it has no name. */
export type StreamEvent = { id?: string; event: string; data: string }

/**
 * Parses the body of a response as an event stream, like `readEvents()` of lesson 6, and yields its events. Drops an
 * incomplete event at the end. Throws if the connection is cut. Cancels the body when the caller leaves the loop.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export async function* readEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<StreamEvent> {
  const decoder = new TextDecoder()
  const linesIn = lineCutter()
  let id: string | undefined
  let event = 'message'
  let data: string | undefined

  for await (const chunk of body) {
    for (const line of linesIn(decoder.decode(chunk, { stream: true }))) {
      if (line === '') {
        if (data !== undefined) yield { ...(id !== undefined && { id }), event, data }
        id = undefined
        event = 'message'
        data = undefined
        continue
      }
      const [name, value] = fieldOf(line)
      if (name === 'event') event = value || 'message'
      if (name === 'data') data = data === undefined ? value : `${data}\n${value}`
      if (name === 'id' && !value.includes('\0')) id = value
    }
  }
}

/** Returns a function that takes the next piece of a text and returns the lines that this piece completes. */
function lineCutter(): (piece: string) => string[] {
  let begun = ''
  let endedByCr = false
  return (piece) => {
    // A CR ends its line at once, so an LF at the beginning of the next piece may belong to that CR.
    const rest = endedByCr && piece.startsWith('\n') ? piece.slice(1) : piece
    if (piece !== '') endedByCr = piece.endsWith('\r')
    const lines = rest.replaceAll('\r\n', '\n').replaceAll('\r', '\n').split('\n')
    lines[0] = begun + lines[0]
    begun = lines.pop()!
    return lines
  }
}

/** Splits `name: value`. One space after the colon is not part of the value. Without a colon, the value is empty. */
function fieldOf(line: string): [name: string, value: string] {
  const colon = line.indexOf(':')
  if (colon === -1) return [line, '']
  const value = line.slice(colon + 1)
  return [line.slice(0, colon), value.startsWith(' ') ? value.slice(1) : value]
}
