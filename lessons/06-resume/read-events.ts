/** The lines between two blank lines. A block without `data` is not an event, but its `id` and `retry` count. */
export type Block = { type: string; data?: string; id?: string; retry?: number }

/**
 * Parses an event stream like `parseEventStream()` of lesson 2, but also yields the `retry` field, and IDs without data.
 * Drops an incomplete block at the end, together with its ID.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export async function* readEvents(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Block> {
  const decoder = new TextDecoder()
  const linesIn = lineCutter()
  let block: Block = { type: 'message' }

  for await (const chunk of chunks) {
    for (const line of linesIn(decoder.decode(chunk, { stream: true }))) {
      if (line === '') {
        yield block
        block = { type: 'message' }
        continue
      }
      const [name, value] = fieldOf(line)
      if (name === 'event') block.type = value || 'message'
      if (name === 'data') block.data = block.data === undefined ? value : `${block.data}\n${value}`
      if (name === 'id' && !value.includes('\0')) block.id = value
      if (name === 'retry' && /^[0-9]+$/.test(value)) block.retry = Number(value)
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
