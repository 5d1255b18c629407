import type { Closing } from './arrival.ts'
import { conversation, type Conversation, type Turn } from './conversation.ts'
import { isAtClient, type Entry, type RecordedEntry } from './entry.ts'
import { exchangesIn, type Exchange } from './exchange.ts'
import { latin1 } from './message-head.ts'
import type { Emit } from './segment.ts'

/** An exchange of a recording, with everything that the client sent and received. */
export type Message = {
  exchange: Exchange
  request: Head & { body: Piece[]; version: string; lastAt: number }
  response?: Head & { body: Piece[]; version: string; isUntilClose: boolean }
  /** The frames after an upgrade to WebSocket, in both directions. */
  frames: Frame[]
  /** The close of the connection, if the exchange was still open. */
  closing?: Pick<Closing, 'by' | 'how'>
}

/** A head, with its headers as sent: in their order, with duplicates, and with the names as the sender wrote them. */
type Head = { firstLine: string; fields: Field[]; headSize: number }

export type Field = { name: string; value: string }

/** The part of a body that arrived together, without the framing. */
export type Piece = { at: number; bytes: Uint8Array }

/** A frame of a WebSocket, as far as it has arrived. `at` is the time of its last bytes. */
export type Frame = Piece & {
  direction: 'request' | 'response'
  opcode: number
  isLast: boolean
  isCompressed: boolean
}

/** Returns the exchanges of a recording with their contents, in the order in which they began. */
export function messagesIn(entries: readonly RecordedEntry[]): Message[] {
  const talks = new Map<number, Listener>()
  const heard: Heard[] = []
  for (const { entry, bytes } of entries) {
    if (entry.kind === 'note') continue
    if (entry.kind === 'opened') talks.set(entry.connection, listener(heard))
    if (entry.kind === 'closed') talks.get(entry.connection)?.closed(entry)
    if (entry.kind === 'arrived' && bytes && isAtClient(entry.hop)) {
      talks.get(entry.connection)?.arrived(entry, bytes)
    }
  }
  // Exchanges are numbered in the order in which they begin.
  return exchangesIn(entries).map((exchange) => messageOf(heard[exchange.id - 1]!, exchange))
}

/** Returns the message to which entry `n` of a recording belongs, or undefined. */
export function messageAt(entries: readonly RecordedEntry[], n: number): Message | undefined {
  const wanted = entries.find(({ entry }) => entry.n === n)?.entry
  if (wanted?.kind !== 'arrived') return undefined
  const { connection } = wanted
  // An earlier tap may have had a connection with the same number.
  const opening = entries.findLast(
    ({ entry }) => entry.kind === 'opened' && entry.connection === connection && entry.n < n,
  )
  const first = opening?.entry.n ?? n
  const own = entries.filter(
    ({ entry }) => entry.kind !== 'note' && entry.connection === connection && entry.n >= first,
  )
  return messagesIn(own).findLast(({ exchange }) => exchange.firstEntry <= n)
}

export function joinPieces(pieces: readonly Pick<Piece, 'bytes'>[]): Uint8Array {
  return concat(pieces.map(({ bytes }) => bytes))
}

type Parts = { n: number; at: number; parts: Uint8Array[] }

type Heard = {
  turn: Turn
  requestHead: Uint8Array
  requestBody: Parts[]
  requestAt: number
  responseHead?: Uint8Array
  responseBody: Parts[]
  frames: (Parts & Omit<Frame, 'bytes'>)[]
  closing?: Pick<Closing, 'by' | 'how'>
}

type Listener = {
  arrived(entry: Entry & { kind: 'arrived' }, bytes: Uint8Array): void
  closed(closing: Pick<Closing, 'by' | 'how'>): void
}

/** Listens to one connection, and adds what it hears of each turn to `heard`. */
function listener(heard: Heard[]): Listener {
  const turns = new Map<Turn, Heard>()
  let newest: Heard | undefined
  const talk: Conversation = conversation((turn) => {
    if (turns.has(turn)) return
    newest = {
      turn,
      requestHead: new Uint8Array(),
      requestBody: [],
      requestAt: 0,
      responseBody: [],
      frames: [],
    }
    turns.set(turn, newest)
    heard.push(newest)
  })
  return {
    arrived({ n, at, direction }, bytes) {
      talk.push({ direction, bytes }, (kind, whole, from, to, more) => {
        // A client may pipeline, so its bytes belong to the newest request, but those of the server to the oldest open one.
        const one = direction === 'request' ? newest : talk.turn && turns.get(talk.turn)
        if (!one) return
        if (direction === 'request') one.requestAt = at
        if (one.turn.protocol && kind !== 'head') {
          addFrame(one, { n, at, direction }, kind, whole, from, to, more)
        } else if (kind === 'head') {
          one[`${direction}Head`] = whole.subarray(from, to)
        } else if (kind === 'data') {
          add(one[`${direction}Body`], n, at, whole.subarray(from, to))
        }
      })
    },
    closed({ by, how }) {
      for (const one of turns.values()) if (!one.turn.isComplete) one.closing = { by, how }
    },
  }
}

/** Adds bytes to the piece of the same arrival. A stream may have thousands of chunks in one arrival. */
function add(pieces: Parts[], n: number, at: number, bytes: Uint8Array): void {
  const last = pieces.at(-1)
  if (last?.n === n) last.parts.push(bytes)
  else pieces.push({ n, at, parts: [bytes] })
}

function addFrame(
  { turn, frames }: Heard,
  when: { n: number; at: number; direction: 'request' | 'response' },
  ...[kind, whole, from, to, more]: Parameters<Emit>
): void {
  if (turn.protocol !== 'WebSocket') return
  if (kind === 'frame') {
    const first = whole[from]!
    frames.push({
      ...when,
      parts: [],
      opcode: first & 0x0f,
      isLast: first >= 0x80,
      isCompressed: (first & 0x40) !== 0,
    })
  }
  if (kind !== 'data') return
  const frame = frames.findLast(({ direction }) => direction === when.direction)
  frame?.parts.push(more?.unmasked ?? whole.subarray(from, to))
  if (frame) frame.at = when.at
}

function messageOf(heard: Heard, exchange: Exchange): Message {
  const { turn, requestHead, requestAt, responseHead, frames, closing } = heard
  return {
    exchange,
    request: {
      ...headOf(requestHead),
      version: turn.request.version,
      body: heard.requestBody.map(pieceOf),
      lastAt: requestAt,
    },
    ...(turn.response &&
      responseHead && {
        response: {
          ...headOf(responseHead),
          version: turn.response.version,
          isUntilClose: turn.isUntilClose,
          body: heard.responseBody.map(pieceOf),
        },
      }),
    frames: frames.map(({ at, direction, opcode, isLast, isCompressed, parts }) => ({
      at,
      direction,
      opcode,
      isLast,
      isCompressed,
      bytes: concat(parts),
    })),
    ...(closing && { closing }),
  }
}

function headOf(bytes: Uint8Array): Head {
  const [firstLine = '', ...lines] = latin1(bytes).trimEnd().split(/\r?\n/)
  const fields = lines.map((line) => {
    const colon = line.indexOf(':')
    return { name: line.slice(0, colon), value: line.slice(colon + 1).trim() }
  })
  return { firstLine, fields, headSize: bytes.length }
}

function pieceOf({ at, parts }: Parts): Piece {
  return { at, bytes: concat(parts) }
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
