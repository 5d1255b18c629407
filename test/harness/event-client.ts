import { EventStreamParser, type StreamEvent } from './event-stream-parser.ts'
import { Failure } from './failure.ts'
import { excerpt, type Transcript } from './transcript.ts'
import type { LateStory } from './waiting.ts'

/** A client that can read the bytes of its response. */
type BodyReader = {
  readonly name: string
  read<T>(take: (bytes: Uint8Array) => T | undefined, story: LateStory): Promise<T>
}

/** A client that parses the body of its response as an event stream. */
export class EventClient {
  readonly #client: BodyReader
  readonly #transcript: Transcript
  readonly #parser = new EventStreamParser()
  readonly #events: StreamEvent[] = []
  #hasBegun = false

  constructor(client: BodyReader, transcript: Transcript) {
    this.#client = client
    this.#transcript = transcript
  }

  /** Returns the next event as soon as its blank line has arrived. */
  async next(story: LateStory): Promise<StreamEvent> {
    try {
      const event = await this.#read(() => this.#events.shift(), story)
      this.#step(`read an event  ${describeEvent(event)}`, nameEvent(event))
      return event
    } catch (error) {
      throw this.#withLines(error)
    }
  }

  /** Waits for the first bytes of the body. */
  async firstBytes(story: LateStory): Promise<void> {
    await this.#read(() => this.#hasBegun || undefined, story)
    this.#step('read the first bytes of the body', 'first bytes of the body')
  }

  /** Waits for a valid `retry` field and returns its value. */
  async retry(story: LateStory): Promise<number> {
    const retry = await this.#read(() => this.#parser.retry, story)
    this.#step(`read retry: ${retry}`, `retry: ${retry}`)
    return retry
  }

  /** Waits for `count` more comments or fields, because a server may send either as a heartbeat. */
  async heartbeats(count: number, story: LateStory): Promise<void> {
    const lines = (): number => this.comments + this.fields
    const wanted = lines() + count
    await this.#read(() => lines() >= wanted || undefined, story)
    this.#step('saw signs of life while the feed was silent', 'signs of life')
  }

  /** An event that arrived while the check was not waiting for an event. */
  get unexpected(): StreamEvent | undefined {
    return this.#events[0]
  }

  /** The number of comments that the client has read. */
  get comments(): number {
    return this.#parser.comments
  }

  /** The number of lines that the client has read, except for blank lines and comments. */
  get fields(): number {
    return this.#parser.fields
  }

  /** Whether a `retry` field arrived before any event. */
  get beganWithRetry(): boolean {
    return this.#parser.retry !== undefined && this.#parser.eventsBeforeRetry === 0
  }

  /** The ID that the client would send as Last-Event-ID now. */
  get lastEventId(): string {
    return this.#parser.lastEventId
  }

  /** @param label what the server sent */
  #step(what: string, label: string): void {
    const { name } = this.#client
    this.#transcript.step(`${name} ${what}`, { at: 'server', to: name, label })
  }

  #read<T>(look: () => T | undefined, story: LateStory): Promise<T> {
    return this.#client.read((bytes) => {
      if (bytes.length > 0) this.#hasBegun = true
      this.#events.push(...this.#parser.push(bytes))
      return look()
    }, story)
  }

  /** Adds to a failure the lines that look right on the wire, but form no event because a blank line or the data is missing. */
  #withLines(error: unknown): unknown {
    if (!(error instanceof Failure)) return error
    const { unfinished, dropped } = this.#parser
    const { often: _, seen, ...story } = error.story
    if (/^data(:|$)/m.test(unfinished)) {
      return new Failure({
        ...story,
        seen: `${seen} The client got ${excerpt(unfinished)} without a blank line after it.`,
        cause: 'an event is complete only when its blank line arrives.',
      })
    }
    if (dropped === '') return error
    return new Failure({
      ...story,
      seen: `${seen} The client got "${excerpt(dropped)}" and a blank line, but no "data" field.`,
      cause: 'a block without a "data" field is not an event, so a client dispatches nothing.',
    })
  }
}

/** Names an event for a picture: `event "q-999"`, or `event named "gap"`. */
export function nameEvent({ type, data, lastEventId }: StreamEvent): string {
  if (type !== 'message') return `event named "${excerpt(type, 24)}"`
  return lastEventId === '' ? `event ${excerpt(data, 40)}` : `event "${excerpt(lastEventId, 24)}"`
}

/** Describes the meaning of an event, not its bytes: `id "us7000abcd", data "{"id":…}"`. */
export function describeEvent({ type, data, lastEventId }: StreamEvent): string {
  const parts = [
    ...(type === 'message' ? [] : [`event "${excerpt(type, 24)}"`]),
    ...(lastEventId === '' ? [] : [`id "${excerpt(lastEventId, 24)}"`]),
    `data "${excerpt(data, 40)}"`,
  ]
  return parts.join(', ')
}
