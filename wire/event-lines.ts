/** A line of an event stream. If the line has no colon, the value is empty. A comment has no field. */
export type EventLine = { field: string; value: string; isComment: boolean }

/** An event as a browser dispatches it. */
export type Dispatched = { type: string; data: string; lastEventId: string }

/** A complete line as it arrived. `line` is set for a field or comment, and `event` for a blank line that dispatches an event. */
export type ParsedLine = { text: string; line?: EventLine; event?: Dispatched }

/**
 * A parser for an event stream that arrives piece by piece. It returns the lines that each piece completes, with the events
 * that these lines dispatch.
 */
export type EventLines = {
  push(bytes: Uint8Array | string): ParsedLine[]
  /** The beginning of a line that is not complete yet. */
  readonly begun: string
}

/**
 * Creates a parser that follows section 9.2.6 of the HTML standard exactly, which libraries do not.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export function eventLines(): EventLines {
  const decoder = new TextDecoder()
  let begun = ''
  let endedByCr = false
  let type = ''
  let data: string[] = []
  let lastEventId = ''

  function blankLine(): ParsedLine {
    const event = { type: type || 'message', data: data.join('\n'), lastEventId }
    const isDispatched = data.length > 0
    type = ''
    data = []
    return { text: '', ...(isDispatched && { event }) }
  }

  function fieldOrComment(text: string): ParsedLine {
    const line = lineOf(text)
    if (line.field === 'data') data.push(line.value)
    if (line.field === 'event') type = line.value
    if (line.field === 'id' && !line.value.includes('\0')) lastEventId = line.value
    return { text, line }
  }

  return {
    push(bytes) {
      const piece = typeof bytes === 'string' ? bytes : decoder.decode(bytes, { stream: true })
      if (piece === '') return []
      // An LF after a CR belongs to the same line end, even if it arrives in the next piece.
      const rest = endedByCr && piece.startsWith('\n') ? piece.slice(1) : piece
      endedByCr = piece.endsWith('\r')
      const [first, ...others] = rest.split(/\r\n|\n|\r/)
      const texts = [begun + first!, ...others]
      begun = texts.pop()!
      return texts.map((text) => (text === '' ? blankLine() : fieldOrComment(text)))
    },
    get begun() {
      return begun
    },
  }
}

function lineOf(text: string): EventLine {
  const colon = text.indexOf(':')
  if (colon === 0) return { field: '', value: text.slice(1), isComment: true }
  if (colon === -1) return { field: text, value: '', isComment: false }
  const value = text.slice(colon + 1)
  return {
    field: text.slice(0, colon),
    value: value.startsWith(' ') ? value.slice(1) : value,
    isComment: false,
  }
}
