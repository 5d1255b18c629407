import type { Quake } from '#feed'
import type { ResponseHead } from '../../../wire/message-head.ts'
import { deepEqual, tryParseJson } from '../equality.ts'
import { Failure, must } from '../failure.ts'
import { describeQuake } from '../quakes.ts'
import type { RawClient } from '../raw-client.ts'
import { excerpt, excerptJson, type Transcript } from '../transcript.ts'
import type { LateStory } from '../waiting.ts'

/** A rule as a record names it. */
export type Matching = { id: string; tag?: string }

export type Change = { version: number; added: string[]; deleted: string[] }

/** A line of the stream that is not a keep-alive. */
export type Message = { data?: Quake; matching_rules?: Matching[]; rules?: Change }

/** An open stream of a client, which reads it line by line. */
export class RecordStream {
  readonly client: RawClient
  readonly head: ResponseHead
  /** The number of keep-alives that have been read. */
  keepAlives = 0
  readonly #transcript: Transcript
  readonly #decoder = new TextDecoder()
  #text = ''
  #lastId: string | undefined

  constructor(client: RawClient, head: ResponseHead, transcript: Transcript) {
    this.client = client
    this.head = head
    this.#transcript = transcript
  }

  get status(): number {
    return this.head.status
  }

  /** Returns the next line, which may be a keep-alive. */
  line(story: LateStory): Promise<string> {
    return this.#find(() => true, story)
  }

  /** Returns the next line that is not a keep-alive. */
  async next(story: LateStory): Promise<Message> {
    return parsed(await this.#find((line) => line !== '', story))
  }

  /** Returns the next line for which `isWanted` is true, without its line end. Keep-alives do not prolong the wait. */
  async #find(isWanted: (line: string) => boolean, story: LateStory): Promise<string> {
    try {
      const line = await this.client.read((bytes) => {
        this.#text += this.#decoder.decode(bytes, { stream: true })
        for (let lf = this.#text.indexOf('\n'); lf !== -1; lf = this.#text.indexOf('\n')) {
          const first = this.#text.slice(0, lf).replace(/\r$/, '')
          this.#text = this.#text.slice(lf + 1)
          if (first === '') this.keepAlives += 1
          if (isWanted(first)) return first
        }
        return undefined
      }, story)
      const { name } = this.client
      this.#transcript.step(
        `${name} read ${line === '' ? 'an empty line' : `the line  ${excerpt(line, 90)}`}`,
        { at: 'server', to: name, label: nameLine(line) },
      )
      return line
    } catch (error) {
      throw this.#withRest(error)
    }
  }

  /** Adds the unfinished line to a failure, because perhaps only the line feed is missing. */
  #withRest(error: unknown): unknown {
    if (!(error instanceof Failure) || this.#text === '') return error
    const { seen, expected } = error.story
    return new Failure({
      seen: `${seen} The client got ${excerpt(this.#text, 90)} without a line feed.`,
      expected,
      cause: 'a line is complete only when its line feed arrives.',
    })
  }

  /** Requires that the next message is the record of this quake, with these rules. */
  async mustBeRecord(quake: Quake, rules: readonly Matching[], often?: string): Promise<void> {
    const { data, matching_rules, ...message } = await this.next({
      seen: `${describeQuake(quake)} happened and a rule matched it, but no record reached the client.`,
      expected: 'Expected the record to be sent at once.',
      often,
    })
    const isAgain = data !== undefined && data.id === this.#lastId && data.id !== quake.id
    must(data?.id === quake.id, {
      seen: `The client got ${describeMessage({ data, matching_rules, ...message })}${isAgain ? ' a second time' : ''}.`,
      expected: `Expected the record of ${describeQuake(quake)}, which matches ${rulesText(rules)}.`,
      often: isAgain ? undefined : often,
    })
    this.#lastId = data.id
    must(deepEqual(data, quake), {
      seen: `The "data" of the record was ${excerptJson(data, 120)}`,
      expected: `Expected the quake as it happened: ${excerptJson(quake, 120)}`,
    })
    const [named, wanted] = [normalRules(matching_rules), normalRules(rules)]
    const isPart =
      named.length < wanted.length &&
      named.every((one) => wanted.some((other) => deepEqual(one, other)))
    must(deepEqual(named, wanted), {
      seen: `The record of ${describeQuake(quake)} had the "matching_rules" ${excerptJson(matching_rules, 120)}`,
      expected: `Expected ${excerptJson(wanted, 120)}, because the quake matches ${rules.length === 1 ? 'this rule' : 'each of these rules'}.`,
      often: isPart
        ? 'your handler sends a record for each rule that matches, or stops at the first rule that matches.'
        : often,
    })
  }

  /** Requires that the next message acknowledges this change. */
  async mustBeAcknowledgement(change: Change, often?: string): Promise<void> {
    const message = await this.next({
      seen: `POST changed the rules to version ${change.version}, but no acknowledgement reached the open stream of ${this.client.name}.`,
      expected: `Expected the line ${excerptJson({ rules: change }, 120)}`,
      often,
    })
    must(message.rules !== undefined, {
      seen: `POST changed the rules to version ${change.version}, and then the client got ${describeMessage(message)}.`,
      expected: 'Expected the acknowledgement of the change first.',
      often,
    })
    must(deepEqual(normal(message.rules), normal(change)), {
      seen: `The "meta" of the answer to POST was ${excerptJson(change, 120)}, but the stream acknowledged ${excerptJson(message.rules, 120)}`,
      expected: 'Expected both to be equal, so that a client knows which change has taken effect.',
      often,
    })
  }
}

/** Names a line for a picture: `the acknowledgement of version 1`. */
function nameLine(line: string): string {
  if (line === '') return 'an empty line'
  const message = tryParseJson(line)
  return message instanceof Object ? describeMessage(message) : excerpt(line, 90)
}

export function describeMessage(message: Message): string {
  if (message.rules) return `the acknowledgement of version ${message.rules.version}`
  const { data, matching_rules: rules } = message
  if (!data?.place || !Array.isArray(rules)) return `the line ${excerptJson(message, 120)}`
  return `the record of ${describeQuake(data)}, with ${rulesText(rules)}`
}

export function rulesText(rules: readonly Matching[]): string {
  const ids = rules.map(({ id }) => `"${id}"`).join(' and ')
  return `${rules.length === 1 ? 'the rule' : 'the rules'} ${ids}`
}

function parsed(line: string): Message {
  const message = tryParseJson(line)
  must(typeof message === 'object' && message !== null && !Array.isArray(message), {
    seen: `The client read the line ${excerpt(line, 120)}, which is not a JSON object.`,
    expected: 'Expected each line to be a JSON object, or empty.',
    often: /^(data|event|id|retry)?:/.test(line)
      ? 'your handler writes server-sent events. In this lesson, each record is a line of JSON.'
      : undefined,
  })
  return message as Message
}

/** Returns the `matching_rules` in a form that can be compared, because their order does not matter. */
function normalRules(rules: readonly Matching[] | undefined): Matching[] {
  if (!Array.isArray(rules)) return []
  return (rules as Matching[])
    .map(({ id, tag }) => ({ id, ...(tag !== undefined && { tag }) }))
    .toSorted((one, other) => (one.id < other.id ? -1 : 1))
}

/** Sorts the IDs in an acknowledgement, because their order does not matter. */
function normal({ version, added, deleted }: Change): object {
  return { version, added: added?.toSorted(), deleted: deleted?.toSorted() }
}
