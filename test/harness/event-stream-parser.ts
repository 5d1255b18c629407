/** An event as a client dispatches it. `lastEventId` is the id in force when it came. */
export type StreamEvent = { type: string; data: string; lastEventId: string }

/** What the bytes of an event stream mean, as far as they have come. */
export type EventStreamParser = {
  /** The events that these bytes complete. */
  push(bytes: Uint8Array | string): StreamEvent[]
  /** How many lines were comments. */
  readonly comments: number
  /** How many lines were neither blank nor comments. */
  readonly fields: number
  /** What a client would send as Last-Event-ID now. */
  readonly lastEventId: string
  /** What a client would wait before it comes back; undefined when nobody told it. */
  readonly retry: number | undefined
  /** How many events were complete before anybody told it. */
  readonly eventsBeforeRetry: number
  /** The lines that wait for a blank line, without comments, and the line that waits for its end. */
  readonly unfinished: string
  /** The lines that a blank line ended last, when they were meant for an event and had no data: that is none. */
  readonly dropped: string
}

/**
 * Reads an event stream by the HTML standard, section 9.2.6, for grading: libraries deviate from it.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export function eventStreamParser(): EventStreamParser {
  const decoder = new TextDecoder()
  let line = ''
  let skipsLf = false
  let block: string[] = []
  let comments = 0
  let fields = 0
  let committedId = ''
  let retry: number | undefined
  let eventsBeforeRetry = 0
  let dropped = ''

  let type = ''
  let data = ''
  let id = ''

  /** The lines that `text` completes. */
  function* lines(text: string): Generator<string> {
    let start = 0
    for (const { index, 0: end } of text.matchAll(/[\r\n]/g)) {
      // The CR was the end of its line. A LF behind it, whenever it comes, is the other half of that CR.
      const isSecondHalf = skipsLf && end === '\n' && index === start && line === ''
      skipsLf = end === '\r'
      if (!isSecondHalf) {
        yield line + text.slice(start, index)
        line = ''
      }
      start = index + 1
    }
    if (start < text.length) skipsLf = false
    line += text.slice(start)
  }

  function blankLine(): StreamEvent[] {
    committedId = id
    const event = { type: type || 'message', data: data.slice(0, -1), lastEventId: id }
    const events = data === '' ? [] : [event]
    if (retry === undefined) eventsBeforeRetry += events.length
    const isMeant = block.some((text) => !/^(id|retry)(:|$)/.test(text))
    if (events.length > 0) dropped = ''
    else if (isMeant) dropped = block.join('\n')
    type = ''
    data = ''
    block = []
    return events
  }

  function field(text: string): void {
    block.push(text)
    fields += 1
    const [, name, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(text)!
    if (name === 'event') type = value
    if (name === 'data') data += `${value}\n`
    if (name === 'id' && !value.includes('\0')) id = value
    if (name === 'retry' && /^[0-9]+$/.test(value)) retry = Number(value)
  }

  return {
    push(bytes) {
      const text = typeof bytes === 'string' ? bytes : decoder.decode(bytes, { stream: true })
      const events: StreamEvent[] = []
      for (const complete of lines(text)) {
        if (complete === '') events.push(...blankLine())
        else if (complete.startsWith(':')) comments += 1
        else field(complete)
      }
      return events
    },
    get comments() {
      return comments
    },
    get fields() {
      return fields
    },
    get lastEventId() {
      return committedId
    },
    get retry() {
      return retry
    },
    get eventsBeforeRetry() {
      return eventsBeforeRetry
    },
    get unfinished() {
      return [...block, line.startsWith(':') ? '' : line].join('\n')
    },
    get dropped() {
      return dropped
    },
  }
}

/** What a whole stream means. */
export function parseEvents(stream: string): { events: StreamEvent[]; reader: EventStreamParser } {
  const reader = eventStreamParser()
  return { events: reader.push(stream), reader }
}
