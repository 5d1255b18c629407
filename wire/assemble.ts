import type { Arrival } from './arrival.ts'
import { readBody, type Body, type OpenDecompressor } from './body.ts'
import { newestItems, type Items, type Piece } from './body-items.ts'
import { conversation, type Turn } from './conversation.ts'
import { latin1 } from './message-head.ts'
import { webSocketMessages, type FramePiece } from './web-socket-messages.ts'
import { legible } from './visible.ts'

/** One request and its response, assembled from their arrivals. */
export type Assembled = {
  request: AssembledMessage
  response: AssembledMessage
  /** What both sides have sent after an upgrade, such as the messages of a WebSocket. */
  messages?: Items
}

/** The head, with the interim heads before it, and the body. Both are absent if they have not arrived. */
type AssembledMessage = { head?: string; body?: Body }

/**
 * Assembles the `nth` request of a connection and its response, as far as they have arrived. Returns undefined if the
 * beginning of the connection was not recorded, because without it nothing is known about the rest.
 *
 * @param recorded the arrivals on the connection at the client, and whether they begin with the first one
 */
export async function assemble(
  { arrivals, isWhole }: { arrivals: readonly Arrival[]; isWhole: boolean },
  nth: number,
  open: OpenDecompressor,
): Promise<Assembled | undefined> {
  if (!isWhole) return undefined
  const { turn, request, response, pieces, frames } = await partsOf(arrivals, nth)
  if (!turn) return undefined
  return {
    request: {
      head: headOf(request.heads),
      ...(await bodyIn(turn.request.headers, request.data, true, open)),
    },
    response: {
      ...(response.heads.length > 0 && { head: headOf(response.heads) }),
      ...(turn.response &&
        (await bodyIn(turn.response.headers, response.data, turn.isComplete, open))),
    },
    ...(turn.protocol === 'WebSocket' && { messages: await webSocketMessages(pieces, open) }),
    ...(turn.protocol === 'HTTP/2' && { messages: frames }),
  }
}

type Parts = { heads: Uint8Array[]; data: Piece[] }

/** Returns the heads and the content of one turn. */
async function partsOf(arrivals: readonly Arrival[], nth: number) {
  const turns = new Set<Turn>()
  let newest: Turn | undefined
  let turn: Turn | undefined
  const parts: Record<Arrival['direction'], Parts> = {
    request: { heads: [], data: [] },
    response: { heads: [], data: [] },
  }
  /** The frames of a WebSocket, and those of HTTP/2. */
  const pieces: FramePiece[] = []
  const frames = newestItems()
  const talk = conversation((changed) => {
    if (turns.has(changed)) return
    newest = changed
    turns.add(changed)
    if (turns.size === nth) turn = changed
  })
  for (const [index, { at, direction, bytes }] of arrivals.entries()) {
    if (index % MOST_AT_ONCE === MOST_AT_ONCE - 1) await otherWork()
    talk.push({ direction, bytes }, (kind, whole, from, to, { label, frame, unmasked } = {}) => {
      const current = direction === 'request' ? newest : talk.turn
      if (!turn || current !== turn) return
      const piece = unmasked ?? whole.subarray(from, to)
      if (kind === 'head' || kind === 'interim') parts[direction].heads.push(piece)
      else if (frame) pieces.push({ at, direction, frame })
      else if (label !== undefined) frames.add({ at, direction, kind: 'frame', text: label })
      else if (kind !== 'data') return
      else if (turn.protocol === 'WebSocket') pieces.push({ at, direction, bytes: piece })
      else if (turn.protocol !== 'HTTP/2') parts[direction].data.push({ at, bytes: piece })
    })
  }
  return { turn, ...parts, pieces, frames: frames.items() }
}

/** Lets other work go first, because a stream may have a hundred thousand arrivals. */
function otherWork(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve))
}

const MOST_AT_ONCE = 2000

function headOf(heads: readonly Uint8Array[]): string {
  return legible(heads.map(latin1).join('')).trimEnd()
}

async function bodyIn(
  ...[headers, pieces, isWhole, open]: Parameters<typeof readBody>
): Promise<{ body?: Body }> {
  const body = await readBody(headers, pieces, isWhole, open)
  return body ? { body } : {}
}
