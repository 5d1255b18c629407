import type { Closing } from './arrival.ts'
import { conversation, describeClose, type Conversation, type Turn } from './conversation.ts'
import { isAtClient, type RecordedEntry } from './entry.ts'

/**
 * One request and its response, as far as they have crossed the wire. Times are in milliseconds since the recording began, and
 * bytes are those of the bodies, without framing, as they crossed the wire.
 */
export type Exchange = {
  /** Counted from 1. */
  id: number
  connection: number
  /** The place of the request among those on its connection, counted from 1. */
  nth: number
  /** Increases with every change of any exchange. */
  version: number
  method: string
  target: string
  /** The Host that the client asked for. */
  host?: string
  status?: number
  /** The statuses of the heads that preceded the real one, such as 103. */
  interim: number[]
  /** The media type of the response, without parameters: `text/event-stream`. */
  type?: string
  /** The compression of the response: `gzip`. */
  encoding?: string
  /** The protocol that has taken over the connection. */
  protocol?: Turn['protocol']
  requestBytes: number
  responseBytes: number
  startedAt: number
  headAt?: number
  /** The time of the first byte of the response's body. */
  firstByteAt?: number
  /** The time of the end. Absent while the response is open. */
  endedAt?: number
  /** How the response ended: `complete`, or what happened to the connection. */
  end?: string
  /** Whether the response was cut off. */
  isFailure: boolean
  /** The numbers of the first and the last entry that belong to the exchange. */
  firstEntry: number
  lastEntry: number
}

/** A tracker for the exchanges of a recording. It keeps the newest ones. */
export type Exchanges = {
  /** Increases with every change. */
  readonly version: number
  /** Returns the exchanges that have changed since this version, at most `limit` of them. The oldest change comes first. */
  changedSince(version: number, limit?: number): Exchange[]
  find(id: number): Exchange | undefined
  opened(connection: number): void
  /** Follows bytes at the client. Returns what their heads begin and answer. */
  arrived(connection: number, entry: Sighting): Heads
  /** Returns what a close meant for the response in progress. */
  closed(
    connection: number,
    closing: Omit<Closing, 'at'>,
    entry: { n: number; at: number },
  ): ReturnType<typeof describeClose>
}

type Heads = { begun: Turn[]; answered: Turn[] }

type Sighting = { n: number; at: number; direction: 'request' | 'response'; bytes: Uint8Array }

/**
 * Creates an empty tracker.
 *
 * @param most the maximum number of exchanges
 */
export function exchanges(most = MOST_EXCHANGES): Exchanges {
  const rows = new Map<number, Row>()
  const talks = new Map<number, Talk>()
  let version = 0
  let count = 0
  /** What the conversation has said about the arrival that is being parsed. */
  let now: Sighting | undefined
  let heads: Heads = { begun: [], answered: [] }

  function changed(connection: number, talk: Talk, turn: Turn): void {
    // A server may answer before the body of the request has arrived. The rest of the body begins no other exchange.
    if (turn.isComplete && !talk.open.has(turn)) return
    version += 1
    const row = talk.open.get(turn) ?? begin(connection, talk, turn)
    const { at, n, direction } = now!
    row.version = version
    row.lastEntry = n
    if (direction === 'request') return
    if (turn.response && row.headAt === undefined) {
      row.headAt = at
      heads.answered.push(turn)
    }
    if (turn.responseBytes > 0) row.firstByteAt ??= at
    if (!turn.isComplete) return
    row.endedAt = at
    row.end = 'complete'
    talk.open.delete(turn)
  }

  function begin(connection: number, talk: Talk, turn: Turn): Row {
    const { at, n } = now!
    count += 1
    talk.begun += 1
    const row: Row = {
      id: count,
      connection,
      nth: talk.begun,
      turn,
      startedAt: at,
      isFailure: false,
      firstEntry: n,
      lastEntry: n,
      version,
    }
    rows.set(count, row)
    if (rows.size > most) rows.delete(count - most)
    talk.open.set(turn, row)
    heads.begun.push(turn)
    return row
  }

  return {
    get version() {
      return version
    },
    changedSince: (since, limit = Infinity) =>
      [...rows.values()]
        .filter((row) => row.version > since)
        .toSorted((a, b) => a.version - b.version)
        .slice(0, limit)
        .map(exchangeOf),
    find(id) {
      const row = rows.get(id)
      return row && exchangeOf(row)
    },
    opened(connection) {
      const talk: Talk = {
        parser: conversation((turn) => changed(connection, talk, turn)),
        open: new Map(),
        begun: 0,
      }
      talks.set(connection, talk)
    },
    arrived(connection, sighting) {
      now = sighting
      heads = { begun: [], answered: [] }
      talks.get(connection)?.parser.push(sighting)
      return heads
    },
    closed(connection, closing, { n, at }) {
      const talk = talks.get(connection)
      talks.delete(connection)
      const end = describeClose(closing, talk?.parser.turn)
      for (const row of talk?.open.values() ?? []) {
        version += 1
        const { text, isFailure } = describeClose(closing, row.turn)
        Object.assign(row, { endedAt: at, end: text, isFailure, lastEntry: n, version })
      }
      return end
    },
  }
}

/** Returns the exchanges of a recording from a file. */
export function exchangesIn(entries: readonly RecordedEntry[]): Exchange[] {
  const tracker = exchanges(entries.length)
  for (const { entry, bytes } of entries) {
    if (entry.kind === 'opened') tracker.opened(entry.connection)
    if (entry.kind === 'closed') tracker.closed(entry.connection, entry, entry)
    if (entry.kind === 'arrived' && bytes && isAtClient(entry.hop)) {
      tracker.arrived(entry.connection, { ...entry, bytes })
    }
  }
  return tracker.changedSince(0).toSorted((a, b) => a.id - b.id)
}

export const MOST_EXCHANGES = 2000

/** An open connection: its parser, the rows of the turns that have not ended, and the number of all turns. */
type Talk = { parser: Conversation; open: Map<Turn, Row>; begun: number }

type Row = { turn: Turn } & Pick<
  Exchange,
  | 'id'
  | 'connection'
  | 'nth'
  | 'version'
  | 'startedAt'
  | 'headAt'
  | 'firstByteAt'
  | 'endedAt'
  | 'end'
  | 'isFailure'
  | 'firstEntry'
  | 'lastEntry'
>

function exchangeOf({ turn, ...row }: Row): Exchange {
  const { request, response, interim, protocol, requestBytes, responseBytes } = turn
  const host = request.headers.get('host')
  const type = response?.headers.get('content-type')?.split(';')[0]!.trim()
  const encoding = response?.headers.get('content-encoding')
  return {
    ...row,
    method: request.method,
    target: request.target,
    ...(host !== undefined && { host }),
    ...(response && { status: response.status }),
    interim,
    ...(type && { type }),
    ...(encoding && { encoding }),
    ...(protocol && { protocol }),
    requestBytes,
    responseBytes,
  }
}
