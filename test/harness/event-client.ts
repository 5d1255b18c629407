import type { RawClient } from './raw-client.ts'
import { Failure, type Story } from './failure.ts'
import { eventStreamParser, type StreamEvent } from './event-stream-parser.ts'
import { excerpt, type Transcript } from './transcript.ts'

/** A client that reads the body of its response as an event stream. */
export type EventClient = {
  /** The next event, as soon as its blank line is here. */
  next(story: Story): Promise<StreamEvent>
  /** Waits for the first bytes of the body. */
  firstBytes(story: Story): Promise<void>
  /** Waits for a field `retry` that a client understands. */
  retry(story: Story): Promise<number>
  /** Waits for `count` lines that are not blank, or events: whatever a server may take for a heartbeat. */
  heartbeats(count: number, story: Story): Promise<void>
  /** An event that came while nobody waited for one. */
  readonly unexpected: StreamEvent | undefined
  /** How many lines were comments, of what was read. */
  readonly comments: number
  /** How many were neither blank nor comments. */
  readonly fields: number
  /** Whether a field `retry` came before any event. */
  readonly beganWithRetry: boolean
  /** The id that the client would send as Last-Event-ID now. */
  readonly lastEventId: string
}

/** @param name how the transcript calls the client, where there is more than one */
export function eventClient(
  client: RawClient,
  { transcript, name = 'client' }: { transcript: Transcript; name?: string },
): EventClient {
  const reader = eventStreamParser()
  const events: StreamEvent[] = []
  let hasBegun = false

  function read<T>(look: () => T | undefined, story: Story): Promise<T> {
    return client.read((bytes) => {
      if (bytes.length > 0) hasBegun = true
      events.push(...reader.push(bytes))
      return look()
    }, story)
  }

  return {
    async next(story) {
      try {
        const event = await read(() => events.shift(), story)
        transcript.step(`${name} read an event  ${describeEvent(event)}`)
        return event
      } catch (error) {
        throw withLines(error)
      }
    },
    async firstBytes(story) {
      await read(() => (hasBegun ? true : undefined), story)
      transcript.step(`${name} read the first bytes of the body`)
    },
    async retry(story) {
      const retry = await read(() => reader.retry, story)
      transcript.step(`${name} read retry: ${retry}`)
      return retry
    },
    async heartbeats(count, story) {
      const lines = (): number => reader.comments + reader.fields
      const before = lines()
      await read(() => (lines() >= before + count ? true : undefined), story)
      transcript.step(`${name} saw signs of life while the feed was silent`)
    },
    get unexpected() {
      return events[0]
    },
    get comments() {
      return reader.comments
    },
    get fields() {
      return reader.fields
    },
    get beganWithRetry() {
      return reader.retry !== undefined && reader.eventsBeforeRetry === 0
    },
    get lastEventId() {
      return reader.lastEventId
    },
  }

  /** What looks right on the wire and is no event: lines without their blank line, and lines without data. */
  function withLines(error: unknown): unknown {
    if (!(error instanceof Failure)) return error
    const { often: _, ...story } = error.story
    if (/^data(:|$)/m.test(reader.unfinished)) {
      return new Failure({
        ...story,
        seen: `${story.seen} It has ${excerpt(reader.unfinished)} and no blank line behind it.`,
        cause: 'an event is complete with its blank line. Until then nobody can tell that it is.',
      })
    }
    if (reader.dropped === '') return error
    return new Failure({
      ...story,
      seen: `${story.seen} It has "${excerpt(reader.dropped)}" and a blank line, and no field data.`,
      cause: 'without a field data there is no event: a client drops the other fields.',
    })
  }
}

/** `id "us7000abcd", data "{"id":…}"`: what it means, not what it looked like. */
export function describeEvent({ type, data, lastEventId }: StreamEvent): string {
  const parts = [
    ...(type === 'message' ? [] : [`event "${excerpt(type, 24)}"`]),
    ...(lastEventId === '' ? [] : [`id "${excerpt(lastEventId, 24)}"`]),
    `data "${excerpt(data, 40)}"`,
  ]
  return parts.join(', ')
}
