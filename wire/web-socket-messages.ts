import type { Arrival } from './arrival.ts'
import type { Decompressor, OpenDecompressor } from './body.ts'
import { newestItems, type Item, type Items } from './body-items.ts'
import { hexDump } from './hex-dump.ts'
import { concat, type FrameFacts } from './segment.ts'

/** A frame that begins, or a piece of the content of the last frame in this direction. */
export type FramePiece = { at: number; direction: Arrival['direction'] } & (
  | { frame: FrameFacts }
  | { bytes: Uint8Array }
)

/** Joins WebSocket frames into messages, and decompresses them (RFC 6455, section 5.4, and RFC 7692). */
export async function webSocketMessages(
  pieces: readonly FramePiece[],
  open: OpenDecompressor,
): Promise<Items> {
  const kept = newestItems()
  const sides = { request: side(open), response: side(open) }
  for (const piece of pieces) {
    const { at, direction } = piece
    const message = sides[direction].push(piece)
    if (message) kept.add({ at, direction, ...(await sides[direction].read(message)) })
  }
  for (const { close } of Object.values(sides)) close()
  return kept.items()
}

type Message = { opcode: string; isCompressed: boolean; pieces: Uint8Array[] }

/** Follows what one side sends. */
function side(open: OpenDecompressor) {
  let decompressor: Decompressor | undefined
  let fragments: Message | undefined
  /** The current frame. A control frame may come between two fragments. */
  let message: Message | undefined
  let left = 0
  let isLast = true

  return {
    /** Returns the message that a piece completes. */
    push(piece: FramePiece): Message | undefined {
      if ('frame' in piece) {
        const { opcode, isCompressed, length } = piece.frame
        const begun = { opcode, isCompressed, pieces: [] }
        message = opcode === 'continued' ? (fragments ?? begun) : begun
        ;({ isLast } = piece.frame)
        left = length
      } else if (message) {
        message.pieces.push(piece.bytes)
        left -= piece.bytes.length
      }
      if (left > 0 || !message) return undefined
      const complete = message
      message = undefined
      if (!isLast) fragments = complete
      else if (complete === fragments) fragments = undefined
      return isLast ? complete : undefined
    },
    async read({ opcode, isCompressed, pieces }: Message): Promise<Omit<Item, 'at'>> {
      const bytes = concat(pieces)
      if (!isCompressed) return { kind: opcode, text: textOf(opcode, bytes) }
      try {
        // One decompressor for all messages, because a message may refer to those before it.
        decompressor ??= open('deflate-raw')
        const plain = await decompressor.push(concat([bytes, END_OF_COMPRESSED]))
        return { kind: opcode, text: textOf(opcode, plain), note: `from ${bytes.length} B` }
      } catch {
        return { kind: opcode, text: '', note: 'cannot be decompressed' }
      }
    },
    close: () => decompressor?.close(),
  }
}

/** The end that senders leave out (RFC 7692, section 7.2.1). */
const END_OF_COMPRESSED = Uint8Array.of(0, 0, 0xff, 0xff)

function textOf(opcode: string, bytes: Uint8Array): string {
  if (opcode === 'text') return new TextDecoder().decode(bytes)
  if (opcode !== 'close') return hexDump(bytes.subarray(0, MOST_HEX))
  if (bytes.length < 2) return ''
  return `${bytes[0]! * 256 + bytes[1]!} ${new TextDecoder().decode(bytes.subarray(2))}`.trim()
}

const MOST_HEX = 512
