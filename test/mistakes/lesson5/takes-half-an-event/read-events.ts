// fails: 5.5d
// says: was cut off before its blank line
/** What stands between two blank lines of an event stream. Without `data` it is no event, and counts all the same. */
export type Block = { type: string; data?: string; id?: string; retry?: number }

/**
 * Reads an event stream, as `parseEventStream()` of lesson 2 does, and tells what that leaves out: `retry`, and
 * ids that come without data. A block that the end cuts off is dropped, its id too.
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
      const [, name, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line)!
      if (name === 'event') block.type = value || 'message'
      if (name === 'data') block.data = block.data === undefined ? value : `${block.data}\n${value}`
      if (name === 'id' && !value.includes('\0')) block.id = value
      if (name === 'retry' && /^[0-9]+$/.test(value)) block.retry = Number(value)
    }
  }
  if (block.data !== undefined) yield block
}

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
