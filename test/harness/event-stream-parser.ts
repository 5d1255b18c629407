import { eventLines, type Dispatched } from '../../wire/event-lines.ts'

/** An event as a client dispatches it. Its `lastEventId` is the last event ID at the time of the dispatch. */
export type StreamEvent = Dispatched

/** Parses an event stream incrementally. */
export class EventStreamParser {
  readonly #stream = eventLines()
  #id = ''
  #block: string[] = []

  /** The number of lines that were comments. */
  comments = 0
  /** The number of lines that were neither blank nor comments. */
  fields = 0
  /** The ID that a client would send as Last-Event-ID now. */
  lastEventId = ''
  /** The time that a client would wait before it reconnects, or undefined if the stream has not sent a value. */
  retry: number | undefined
  /** The number of events that were complete before the first `retry` field. */
  eventsBeforeRetry = 0
  /** The lines of the last block that looked like an event but was dropped because it had no data. */
  dropped = ''

  /** Returns the events that these bytes complete. */
  push(bytes: Uint8Array | string): StreamEvent[] {
    const events: StreamEvent[] = []
    for (const { text, line, event } of this.#stream.push(bytes)) {
      if (!line) this.#endBlock(event)
      else if (line.isComment) this.comments += 1
      else this.#addField(text, line)
      if (event) events.push(event)
    }
    return events
  }

  /** The lines of the unfinished block, without comments, followed by the unfinished line. */
  get unfinished(): string {
    const { begun } = this.#stream
    return [...this.#block, begun.startsWith(':') ? '' : begun].join('\n')
  }

  #addField(text: string, { field, value }: { field: string; value: string }): void {
    this.#block.push(text)
    this.fields += 1
    if (field === 'id' && !value.includes('\0')) this.#id = value
    if (field === 'retry' && /^[0-9]+$/.test(value)) this.retry = Number(value)
  }

  #endBlock(event: StreamEvent | undefined): void {
    this.lastEventId = this.#id
    if (event && this.retry === undefined) this.eventsBeforeRetry += 1
    if (event) this.dropped = ''
    else if (this.#block.some((text) => !/^(id|retry)(:|$)/.test(text))) {
      this.dropped = this.#block.join('\n')
    }
    this.#block = []
  }
}

/** Parses a whole stream. */
export function parseEvents(stream: string): { events: StreamEvent[]; parser: EventStreamParser } {
  const parser = new EventStreamParser()
  return { events: parser.push(stream), parser }
}
