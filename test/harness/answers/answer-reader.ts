import { eventLines } from '../../../wire/event-lines.ts'
import type { ResponseHead } from '../../../wire/message-head.ts'
import type { Tools } from '../check.ts'
import { deepEqual, tryParseJson } from '../equality.ts'
import { Failure, must } from '../failure.ts'
import type { RawClient } from '../raw-client.ts'
import { capitalised } from '../reconnection/wording.ts'
import { excerpt, excerptJson } from '../transcript.ts'
import type { LateStory } from '../waiting.ts'

/** An event of an answer. Unlike `lastEventId` of an `EventSource`, its `id` is the ID in the event itself. */
export type AnswerEvent = { id: string | undefined; event: string; data: string }

/** The likely causes if the event does not arrive in time, and if another event arrives instead. */
type Causes = { late?: Cause; wrong?: Cause }

/** The likely cause of a failure, or a function that finds it when the check fails. */
type Cause = string | (() => string | undefined)

/** Reads the answer to one request, event by event. */
export class AnswerReader {
  readonly client: RawClient
  /** The number of comments that have arrived. */
  comments = 0
  readonly #t: Tools
  readonly #lines = eventLines()
  readonly #events: AnswerEvent[] = []
  #id: string | undefined
  #head: ResponseHead | undefined

  constructor(t: Tools, client: RawClient) {
    this.#t = t
    this.client = client
  }

  /** The name of the client inside a sentence: `the late client`, but `client A`. */
  get #name(): string {
    const { name } = this.client
    return /^client [A-Z]$/.test(name) ? name : `the ${name}`
  }

  get #Name(): string {
    return capitalised(this.#name)
  }

  /** Returns the head of the response, and requires the status 200. */
  async head(story: LateStory = NO_HEAD): Promise<ResponseHead> {
    this.#head ??= await this.client.head(story)
    const { status } = this.#head
    must(status === 200, {
      seen: `${this.#Name} was answered with status ${status}.`,
      expected: 'Expected status 200 and an event stream.',
    })
    return this.#head
  }

  /** Returns the next event. */
  async next(story: LateStory): Promise<AnswerEvent> {
    await this.head(story)
    const { name } = this.client
    try {
      const event = await this.client.read((bytes) => {
        this.#push(bytes)
        return this.#events.shift()
      }, story)
      this.#t.transcript.step(`${name} read ${describeEvent(event)}`)
      return event
    } catch (error) {
      throw this.#withRest(error)
    }
  }

  /** Requires that the next event is token number `n`. */
  async mustBeToken(
    n: number,
    token: string,
    { late, wrong }: Causes = {},
    expected = 'Expected each token to arrive before the next one is generated.',
  ): Promise<void> {
    const event = await this.next({
      seen: `Token ${n}, ${excerptJson(token)}, was generated, but it did not reach ${this.#name}.`,
      expected,
      often: late,
    })
    const isToken = event.event === 'message' && event.id === String(n)
    must(isToken && tryParseJson(event.data) === token, {
      seen: `${this.#Name} got ${describeEvent(event)}.`,
      expected: `Expected token ${n} as "id: ${n}" and "data: ${excerpt(JSON.stringify(token))}", in an event without a name.`,
      often: typeof wrong === 'function' ? wrong() : wrong,
    })
  }

  /** Requires that the next events are these tokens, from the first one on. */
  async mustBeTokens(tokens: readonly string[], causes?: Causes): Promise<void> {
    for (const [n, token] of tokens.entries()) {
      const expected =
        'Expected a client without a cursor to get every token, from the first one on.'
      await this.mustBeToken(n + 1, token, causes, expected)
    }
  }

  /** Requires that the next event is the last one, with this name and these data, and that the response ends after it. */
  async mustEnd(
    name: string,
    data: object | undefined,
    { late, wrong }: Causes = {},
  ): Promise<AnswerEvent> {
    const wanted = `"event: ${name}"${data ? ` with "data: ${JSON.stringify(data)}"` : ''}`
    const event = await this.next({
      seen: `${this.#Name} got no event that says how the answer ended.`,
      expected: `Expected ${wanted}.`,
      often: late,
    })
    const isRight = event.event === name && (!data || deepEqual(tryParseJson(event.data), data))
    must(isRight, {
      seen: `${this.#Name} got ${describeEvent(event)}.`,
      expected: `Expected ${wanted}.`,
      often: typeof wrong === 'function' ? wrong() : wrong,
    })
    must(event.id === undefined, {
      seen: `The event named ${name} had the ID ${event.id}.`,
      expected: 'Expected it without an ID, because the IDs count the tokens.',
    })
    const how = await this.client.ended({
      seen: `${this.#Name} got the event named ${name}, but the response stayed open.`,
      expected: `Expected the response to end after "event: ${name}".`,
    })
    must(how === 'complete', {
      seen: `${this.#Name} got the event named ${name}, and then its connection was cut.`,
      expected: 'Expected the response to end normally.',
    })
    this.#push(Buffer.from(this.client.unread()))
    const [extra] = this.#events
    must(extra === undefined, {
      seen: `After the event named ${name}, ${this.#name} got ${extra && describeEvent(extra)}.`,
      expected: `Expected nothing after "event: ${name}".`,
    })
    return event
  }

  /** Waits until `count` comments have arrived. */
  async untilComments(count: number, story: LateStory): Promise<void> {
    await this.client.read((bytes) => {
      this.#push(bytes)
      return this.comments >= count || undefined
    }, story)
  }

  #push(bytes: Uint8Array): void {
    for (const { line, event } of this.#lines.push(bytes)) {
      if (line?.isComment) this.comments += 1
      if (line?.field === 'id') this.#id = line.value
      if (event) this.#events.push({ id: this.#id, event: event.type, data: event.data })
      if (!line) this.#id = undefined
    }
  }

  /** Adds an incomplete line to a failure, because perhaps only the line end is missing. */
  #withRest(error: unknown): unknown {
    const { begun } = this.#lines
    if (!(error instanceof Failure) || begun === '') return error
    const { seen, expected } = error.story
    return new Failure({
      seen: `${seen} The client got ${excerpt(begun)} without a line end.`,
      expected,
      cause: 'an event is complete only when its blank line arrives.',
    })
  }
}

const NO_HEAD = {
  seen: 'The question got no response head.',
  expected: 'Expected the head together with the first token.',
}

/** Describes an event for a message: `id: 2, data: "lo"`. */
export function describeEvent({ id, event, data }: AnswerEvent): string {
  const parts = [
    ...(id === undefined ? [] : [`id: ${excerpt(id, 24)}`]),
    ...(event === 'message' ? [] : [`event: ${excerpt(event, 24)}`]),
    `data: ${excerpt(data, 48)}`,
  ]
  return parts.join(', ')
}
