import { eventLines, type Dispatched } from '../../wire/event-lines.ts'

/** An event as a client dispatches it. `lastEventId` is the id in force when it came. */
export type StreamEvent = Dispatched

/** What the bytes of an event stream mean, as far as they have come. */
export class EventStreamParser {
  readonly #stream = eventLines()
  #id = ''
  #block: string[] = []

  /** How many lines were comments. */
  comments = 0
  /** How many lines were neither blank nor comments. */
  fields = 0
  /** What a client would send as Last-Event-ID now. */
  lastEventId = ''
  /** What a client would wait before it comes back; undefined when nobody told it. */
  retry: number | undefined
  /** How many events were complete before anybody told it. */
  eventsBeforeRetry = 0
  /** The lines that a blank line ended last, when they were meant for an event and had no data: that is none. */
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

  /** The lines that wait for a blank line, without comments, and the line that waits for its end. */
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
