import type { Arrival, Closing } from './arrival.ts'
import { advanceFrames, framed, type Framed, type FrameProtocol } from './frames.ts'
import { advance, httpFraming, type Borders } from './http-framing.ts'
import {
  parseRequestHead,
  parseResponseHead,
  type RequestHead,
  type ResponseHead,
} from './message-head.ts'
import { afterResponseHead, bodyOf } from './response.ts'
import type { Emit, Segment } from './segment.ts'

/** A request, and what has arrived of its response. Bytes are those of the bodies, without their framing. */
export type Turn = {
  request: RequestHead
  requestBytes: number
  /** The statuses of the heads that preceded the real one, such as 100 or 103. */
  interim: number[]
  response?: ResponseHead
  responseBytes: number
  /** Whether only a close ends the response. */
  isUntilClose: boolean
  /** Whether the response has ended as HTTP prescribes. */
  isComplete: boolean
  /** The protocol that has taken over the connection. */
  protocol?: FrameProtocol
}

type Bytes = Pick<Arrival, 'direction' | 'bytes'>

/**
 * A parser for what is said on one connection at one hop, arrival by arrival: HTTP/1 with several requests in a row or
 * pipelined, and the frames after an upgrade.
 */
export type Conversation = {
  /**
   * Parses bytes that have just arrived, which is cheap even for a stream of many small chunks.
   *
   * @param emit called with each segment that the bytes complete or continue; `turn` is the segment's turn meanwhile
   */
  push(arrival: Bytes, emit?: Emit): void
  /** Parses bytes that have just arrived, and returns the segments that they complete or continue. */
  segments(arrival: Bytes): Segment[]
  /** The kind of the next segment, and the number of its bytes that have already arrived. */
  next(direction: Arrival['direction']): { kind: Segment['kind']; waiting: number }
  /** The oldest turn whose response has not ended or, if there is none, the last turn. */
  readonly turn: Turn | undefined
}

/**
 * Creates a parser for a connection.
 *
 * @param changed called when a turn begins, and whenever more of it has arrived
 */
export function conversation(changed: (turn: Turn) => void = () => {}): Conversation {
  const request = httpFraming()
  let response = httpFraming()
  let frames: { request: Framed; response: Framed } | undefined
  /** The turns whose response has not ended, oldest first. */
  const open: Turn[] = []
  let newest: Turn | undefined
  let last: Turn | undefined

  const requests: Borders = {
    head(bytes) {
      const head = parseRequestHead(bytes)
      if (!head) return 'unknown'
      if (head.method === 'PRI' && head.version === 'HTTP/2.0') return become('HTTP/2')
      // If a close ends the last response, another request means that it has ended, because a proxy has opened a new
      // connection for this request.
      if (open[0]?.isUntilClose) open.shift()
      newest = turnOf(head)
      if (open.push(newest) === 1) response = httpFraming()
      changed(newest)
      return bodyOf(head.headers) ?? 'no body'
    },
    body(size) {
      newest!.requestBytes += size
      changed(newest!)
    },
    ended: () => 'head',
  }

  const responses: Borders = {
    head(bytes) {
      const turn = open[0]!
      const head = parseResponseHead(bytes)
      const after = afterResponseHead(head, turn.request.method)
      if (after === 'another head') turn.interim.push(head.status)
      else turn.response = head
      turn.isUntilClose = after === 'close'
      if (after === 'frames') {
        turn.protocol = protocolOf(head)
        become(turn.protocol)
        request.next = 'frame'
      }
      changed(turn)
      return after
    },
    body(size) {
      open[0]!.responseBytes += size
      changed(open[0]!)
    },
    ended() {
      last = open.shift()!
      last.isComplete = true
      changed(last)
      return open.length > 0 ? 'head' : 'extra'
    },
  }

  function become(protocol: FrameProtocol): 'frames' {
    frames = { request: framed(protocol), response: framed(protocol) }
    return 'frames'
  }

  function pushFrames(direction: Arrival['direction'], bytes: Uint8Array, emit?: Emit): void {
    advanceFrames(frames![direction], bytes, emit)
    const [turn] = open
    if (!turn) return
    turn[`${direction}Bytes`] += bytes.length
    changed(turn)
  }

  function push({ direction, bytes }: Bytes, emit?: Emit): void {
    const framing = direction === 'request' ? request : response
    if (direction === 'request' && !canBegin(framing, bytes)) framing.next = 'extra'
    // Nothing has been asked, so this is not an answer.
    if (direction === 'response' && open.length === 0) framing.next = frames ? 'frame' : 'extra'
    const rest = advance(framing, bytes, direction === 'request' ? requests : responses, emit)
    if (rest.length > 0) pushFrames(direction, rest, emit)
  }

  return {
    push,
    segments(arrival) {
      const segments: Segment[] = []
      push(arrival, (kind, whole, from, to, more) =>
        segments.push({ kind, bytes: whole.subarray(from, to), ...more }),
      )
      return segments
    },
    next(direction) {
      const framing = direction === 'request' ? request : response
      const { waiting } = framing.next === 'frame' ? frames![direction] : framing
      return { kind: framing.next, waiting: waiting.length }
    },
    get turn() {
      return open[0] ?? last
    },
  }
}

/** Describes what closing the connection meant for the response in progress. */
export function describeClose(
  { by, how, why }: Omit<Closing, 'at'>,
  turn: Turn | undefined,
): { text: string; isFailure: boolean } {
  if (why) return { text: `reset, because ${why}`, isFailure: true }
  const who = `${how === 'reset' ? 'reset' : 'closed'} by the ${by}`
  if (!turn || turn.isComplete) return { text: who, isFailure: false }
  if (turn.protocol) return { text: who, isFailure: how === 'reset' && by !== 'client' }
  if (by === 'client') {
    // A client may disconnect whenever it has seen enough, so this is not a failure.
    const where = turn.response ? ' in the middle of the response' : ' before the response'
    return { text: `${who}${where}`, isFailure: false }
  }
  if (!turn.response) return { text: `${who} without a response`, isFailure: true }
  if (turn.isUntilClose && how === 'ended') {
    return { text: `${who}, which ends this response`, isFailure: false }
  }
  return {
    text: `${who} in the middle of the response: the client sees a cut, not an end`,
    isFailure: true,
  }
}

function turnOf(request: RequestHead): Turn {
  return {
    request,
    requestBytes: 0,
    interim: [],
    responseBytes: 0,
    isUntilClose: false,
    isComplete: false,
  }
}

function protocolOf({ headers }: ResponseHead): FrameProtocol {
  const protocol = headers.get('upgrade')?.toLowerCase()
  return protocol === 'websocket' ? 'WebSocket' : protocol === 'h2c' ? 'HTTP/2' : 'tunnel'
}

/** Returns whether these bytes may begin a head, if that is what comes next. A method consists of letters. */
function canBegin(
  { next, waiting }: { next: string; waiting: Uint8Array },
  bytes: Uint8Array,
): boolean {
  return (
    next !== 'head' || waiting.length > 0 || /[\r\nA-Za-z]/.test(String.fromCharCode(bytes[0]!))
  )
}
