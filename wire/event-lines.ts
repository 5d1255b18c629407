/** A line of an event stream. Without a colon the value is empty; a comment has no field. */
export type EventLine = { field: string; value: string; isComment: boolean }

/** An event as a browser dispatches it. */
export type Dispatched = { type: string; data: string; lastEventId: string }

/** Reads an event stream piece by piece: the lines that a piece completes, and what they dispatch. */
export type EventLines = {
  push(bytes: Uint8Array): { lines: EventLine[]; dispatched: Dispatched[] }
}

/** @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation */
export function eventLines(): EventLines {
  const decoder = new TextDecoder()
  let begun = ''
  let endedByCr = false
  let type = ''
  let data: string[] = []
  let lastEventId = ''

  return {
    push(bytes) {
      const lines: EventLine[] = []
      const dispatched: Dispatched[] = []
      const piece = decoder.decode(bytes, { stream: true })
      // A LF after a CR belongs to it, even if it comes in the next piece.
      const rest = endedByCr && piece.startsWith('\n') ? piece.slice(1) : piece
      if (piece !== '') endedByCr = piece.endsWith('\r')
      const complete = (begun + rest).split(/\r\n|\n|\r/)
      begun = complete.pop()!

      for (const text of complete) {
        if (text === '') {
          if (data.length > 0) {
            dispatched.push({ type: type || 'message', data: data.join('\n'), lastEventId })
          }
          type = ''
          data = []
          continue
        }
        const line = lineOf(text)
        lines.push(line)
        if (line.field === 'data') data.push(line.value)
        if (line.field === 'event') type = line.value
        if (line.field === 'id' && !line.value.includes('\0')) lastEventId = line.value
      }
      return { lines, dispatched }
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
