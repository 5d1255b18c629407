import { latin1 } from './message-head.ts'
import { joined, NOTHING, type Emit, type FrameFacts } from './segment.ts'

/** The place of one direction of a connection in its frames. It is plain data, so that a copy continues on its own. */
export type Framed = {
  protocol: FrameProtocol
  /** The beginning of a frame's header. */
  waiting: Uint8Array
  /** The number of bytes of the current frame's content that have not arrived yet. */
  left: number
  /** Whether the content of the current frame is text or data, and not part of the protocol. */
  isContent: boolean
  /** The mask of the current frame, and the position in it. */
  mask?: Uint8Array
  masked: number
}

/**
 * A protocol that takes over a connection. In a `tunnel`, the bytes belong to a protocol of which the workshop knows nothing.
 */
export type FrameProtocol = 'WebSocket' | 'HTTP/2' | 'tunnel'

export function framed(protocol: FrameProtocol): Framed {
  return { protocol, waiting: NOTHING, left: 0, isContent: true, masked: 0 }
}

/** Advances by bytes that have just arrived, and emits each frame that begins, and each piece of a frame's content. */
export function advanceFrames(state: Framed, bytes: Uint8Array, emit?: Emit): void {
  if (state.protocol === 'tunnel') {
    emit?.('data', bytes, 0, bytes.length)
    return
  }
  const whole = joined(state.waiting, bytes)
  state.waiting = NOTHING
  let at = 0
  while (at < whole.length) {
    if (state.left > 0) {
      const to = Math.min(at + state.left, whole.length)
      if (emit) {
        const { mask } = state
        const piece = whole.subarray(at, to)
        const unmasked = mask && { unmasked: unmask(piece, mask, state.masked) }
        emit(state.isContent ? 'data' : 'frame', whole, at, to, unmasked)
      }
      state.masked += to - at
      state.left -= to - at
      at = to
      continue
    }
    const header = READERS[state.protocol](whole, at)
    if (!header) {
      state.waiting = whole.subarray(at)
      return
    }
    state.left = header.length
    state.isContent = header.isContent
    state.mask = header.mask
    state.masked = 0
    const { label, frame } = header
    emit?.('frame', whole, at, header.end, { label, ...(frame && { frame }) })
    at = header.end
  }
}

type FrameHeader = {
  /** The offset after the header. */
  end: number
  /** The number of bytes of the content. */
  length: number
  label: string
  isContent: boolean
  frame?: FrameFacts
  mask?: Uint8Array
}

const READERS = { WebSocket: webSocketHeader, 'HTTP/2': http2Header }

/** Reads the header of a frame (RFC 6455, section 5.2). Returns undefined if more bytes are needed. */
function webSocketHeader(bytes: Uint8Array, at: number): FrameHeader | undefined {
  if (bytes.length < at + 2) return undefined
  const first = bytes[at]!
  const second = bytes[at + 1]!
  const short = second & 0x7f
  const extra = short === 127 ? 8 : short === 126 ? 2 : 0
  const isMasked = second >= 0x80
  const end = at + 2 + extra + (isMasked ? 4 : 0)
  if (bytes.length < end) return undefined
  const length = extra === 0 ? short : bigEndian(bytes, at + 2, extra)
  const opcode = first & 0x0f
  const name = OPCODES[opcode] ?? `opcode ${opcode}`
  const isCompressed = (first & 0x40) !== 0
  const isLast = first >= 0x80
  const compressed = isCompressed ? ', compressed' : ''
  const more = isLast ? '' : ', to be continued'
  return {
    end,
    length,
    label: `${name}, ${length} B${compressed}${more}`,
    isContent: true,
    frame: { opcode: name, length, isCompressed, isLast },
    ...(isMasked && { mask: bytes.subarray(end - 4, end) }),
  }
}

const OPCODES: Record<number, string> = {
  0: 'continued',
  1: 'text',
  2: 'binary',
  8: 'close',
  9: 'ping',
  10: 'pong',
}

/** Reads the header of a frame (RFC 9113, section 4.1). Returns undefined if more bytes are needed. */
function http2Header(bytes: Uint8Array, at: number): FrameHeader | undefined {
  const preface = PREFACES.find((text) => bytes[at] === text.charCodeAt(0))
  if (preface) {
    const end = at + preface.length
    if (bytes.length < end) return undefined
    if (latin1(bytes.subarray(at, end)) === preface) {
      return { end, length: 0, label: 'HTTP/2 begins', isContent: false }
    }
  }
  if (bytes.length < at + 9) return undefined
  const length = bigEndian(bytes, at, 3)
  const type = bytes[at + 3]!
  const stream = bigEndian(bytes, at + 5, 4) & 0x7fffffff
  const name = HTTP2_TYPES[type] ?? `type ${type}`
  const where = stream === 0 ? '' : ` of stream ${stream}`
  return { end: at + 9, length, label: `${name}${where}, ${length} B`, isContent: type === 0 }
}

/**
 * The first bytes of a client that speaks HTTP/2 (RFC 9113, section 3.4), and what remains of them after their first half,
 * which looks like the head of a request.
 */
const PREFACES = ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'SM\r\n\r\n']

/** The types of HTTP/2 frames, by number (RFC 9113, section 6). */
const HTTP2_TYPES = [
  'DATA',
  'HEADERS',
  'PRIORITY',
  'RST_STREAM',
  'SETTINGS',
  'PUSH_PROMISE',
  'PING',
  'GOAWAY',
  'WINDOW_UPDATE',
  'CONTINUATION',
]

function bigEndian(bytes: Uint8Array, at: number, size: number): number {
  let value = 0
  for (const byte of bytes.subarray(at, at + size)) value = value * 256 + byte
  return value
}

function unmask(bytes: Uint8Array, mask: Uint8Array, from: number): Uint8Array {
  return bytes.map((byte, index) => byte ^ mask[(from + index) % 4]!)
}
