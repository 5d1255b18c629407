import type { Response } from 'express'
import type { SpaceTimeEvent } from '../../../protocol/space-time.ts'
import { blockSocket } from '../block-socket.ts'
import { EventClient } from '../event-client.ts'
import type { StreamEvent } from '../event-stream-parser.ts'
import { must, type Story } from '../failure.ts'
import type { RawClient } from '../raw-client.ts'
import { capitalised } from '../reconnection/wording.ts'
import { excerpt, SILENT, type Transcript } from '../transcript.ts'
import { tryParseJson, deepEqual } from '../equality.ts'
import type { LateStory } from '../waiting.ts'

/** An item that the sources delivered, with the number that the server must give it. */
export type Happened = { id: number; source: string; quake: { id: string } }

/** A client of the fan-out, which can stop reading. */
export type Viewer = {
  readonly name: string
  readonly client: RawClient
  /** The response as the server has it. */
  readonly response: Response
  /** The number of times that the server wrote while the response was full. */
  readonly writesWhileFull: number
  /** Whether something has arrived that the check has not read. */
  readonly hasMore: boolean
  /** Stops reading, and fills every buffer between server and client. */
  hold(): void
  letGo(): void
  /** Makes the picture show the following items in a row of their own. */
  startRow(): void
  /** Calls `act` when the server writes a text that contains `mark`, or ends the response with it, before that text is written. */
  onWrite(mark: string, act: () => void): void
  /** Returns the next event. Adds it to the picture, but not to the steps. */
  next(story: LateStory): Promise<StreamEvent>
  /** Reads the next event, which must be this item. */
  gets(item: Happened, when: string, often?: string | Causes): Promise<void>
}

/** The likely causes if no event arrives, and if another event arrives. */
type Causes = { ifNone: string; ifOther: string }

export function viewer(transcript: Transcript, client: RawClient, response: Response): Viewer {
  const { name } = client
  const subject = nameOf(name)
  const events = new EventClient(client, SILENT)
  const marks = new Map<string, () => void>()
  const write = response.write.bind(response) as (...args: unknown[]) => boolean
  let writesWhileFull = 0
  let isHeld = false
  let unblock = (): void => {}
  const row = itemsRow(transcript, name)
  response.write = (...args: unknown[]): boolean => {
    if (response.writableNeedDrain) writesWhileFull += 1
    if (isHeld) drawHeld(args[0])
    lookForMarks(args[0])
    return write(...args)
  }
  const end = response.end.bind(response) as (...args: unknown[]) => Response
  response.end = (...args: unknown[]): Response => {
    lookForMarks(args[0])
    return end(...args)
  }

  function drawHeld(bytes: unknown): void {
    // The number of heartbeats depends on the machine.
    if (String(bytes).startsWith(':')) return
    const label = response.writableNeedDrain ? 'a write to the full response' : 'a write'
    transcript.draw({ at: 'server', to: name, label, held: true, isCall: true })
  }

  function lookForMarks(bytes: unknown): void {
    if (typeof bytes !== 'string' && !(bytes instanceof Uint8Array)) return
    for (const [mark, act] of marks) {
      if (!Buffer.from(bytes).includes(mark)) continue
      marks.delete(mark)
      act()
    }
  }

  return {
    name,
    client,
    response,
    get writesWhileFull() {
      return writesWhileFull
    },
    get hasMore() {
      return events.unexpected !== undefined || client.unread() !== ''
    },
    hold() {
      transcript.step(`${name} stops reading, and every buffer between server and client is full`, {
        at: name,
        label: 'stops reading, and every buffer is full',
      })
      row.start()
      isHeld = true
      unblock = blockSocket(response.socket!)
    },
    letGo() {
      transcript.step(`${name} resumes reading`, { at: name, label: 'resumes reading' })
      isHeld = false
      unblock()
    },
    onWrite: (mark, act) => void marks.set(mark, act),
    startRow: row.start,
    async next(story) {
      const event = await events.next(story)
      row.add(event)
      return event
    },
    async gets(item, when, often) {
      const { id, source, quake } = item
      const expected = `Expected ${subject} to get item ${id}, from source "${source}".`
      const seen = `${when}, but ${subject} got no event.`
      const { ifNone, ifOther } =
        typeof often === 'object' ? often : { ifNone: often, ifOther: often }
      const event = await this.next({ seen, expected, often: ifNone })
      const isItem =
        event.type === 'message' && deepEqual(tryParseJson(event.data), { source, quake })
      must(isItem && event.lastEventId === String(id), {
        seen: `${when}. Then ${subject} got ${describeGot(event)}.`,
        expected,
        often: isItem ? 'your server numbers the items separately for each client.' : ifOther,
      })
    },
  }
}

/** Draws the events that a client gets. Consecutive items share a row. */
function itemsRow(
  { draw }: Transcript,
  name: string,
): { start(): void; add(event: StreamEvent): void } {
  let row: { drawn: SpaceTimeEvent; first: number; last: number } | undefined
  return {
    start() {
      row = undefined
    },
    add(event) {
      const { type, data } = event
      const label =
        type === 'message'
          ? describeGot(event)
          : `event named "${excerpt(type, 24)}"  ${excerpt(data, 48)}`
      const number = Number(/^item (\d+)$/.exec(label)?.[1])
      if (row && number === row.last + 1) {
        row.last = number
        row.drawn.label = `items ${row.first} to ${number}`
        return
      }
      const drawn = { at: 'server', to: name, label }
      draw(drawn)
      row = Number.isNaN(number) ? undefined : { drawn, first: number, last: number }
    },
  }
}

/** Reads the next event, which must have this name, and returns its data. */
export async function mustBeNamed(
  { name, next }: Viewer,
  type: string,
  { seen, ...story }: Story,
): Promise<unknown> {
  const event = await next({ ...story, seen: `${seen}, but no event arrived.` })
  const data = tryParseJson(event.data)
  must(event.type === type && typeof data === 'object' && data !== null, {
    ...story,
    seen: `${seen}. Then ${nameOf(name)} got ${describeGot(event)}.`,
  })
  return data
}

/** Describes an event of the fan-out: `item 3`, or `an event named "gap" with the data {"dropped":3}`. */
export function describeGot({ type, data, lastEventId }: StreamEvent): string {
  const { quake } = (tryParseJson(data) ?? {}) as Partial<Happened>
  const number = /^q(\d+)$/.exec(quake?.id ?? '')?.[1]
  if (type === 'message' && number === lastEventId) return `item ${number}`
  if (type === 'message' && number) return `item ${number} with the ID "${lastEventId}"`
  const id = type === 'message' ? `the ID "${lastEventId}" and ` : ''
  return `an event named "${excerpt(type, 24)}" with ${id}the data ${excerpt(data, 48)}`
}

/** Returns a name for the beginning of a sentence: `Client A`, or `The slow client`. */
export function subjectOf(name: string): string {
  return capitalised(nameOf(name))
}

/** Returns a name for the middle of a sentence: `client A`, or `the slow client`. */
function nameOf(name: string): string {
  return / (?:[A-Z]|\d+)$/.test(name) ? name : `the ${name}`
}
