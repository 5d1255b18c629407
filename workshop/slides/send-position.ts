import type { ServerResponse } from 'node:http'
import { encodeEvent } from '../../solutions/02-server-sent-events/encode.ts'
import type { Leader, SlidePosition } from './position.ts'

/** What a follower is told: the data of one event each. */
export type PositionMessage =
  | { type: 'position'; position: SlidePosition }
  /** Now and then, so that a follower can tell a dead connection from an instructor who talks. */
  | { type: 'alive' }

/**
 * Tells one follower where the instructor is, until it leaves.
 *
 * Only the newest position counts: who was away, or does not read, gets that one and none of those between.
 *
 * @param options.epoch tells this start of the deck, which counts moves anew, from others
 * @param options.lastEventId what the follower says that it has
 */
export function sendPosition({
  leader,
  epoch,
  lastEventId,
  res,
}: {
  leader: Leader
  epoch: string
  lastEventId: string | undefined
  res: ServerResponse
}): void {
  // It left before it was heard: then 'close' has been, too.
  if (res.destroyed) return
  let sent = lastEventId === `${epoch}.${leader.moves}` ? leader.moves : -1
  res.writeHead(200, {
    'Content-Type': 'text/event-stream',
    'Cache-Control': 'no-store, no-transform',
    'X-Accel-Buffering': 'no',
  })
  res.write(encodeEvent({ retry: 1000 }))
  tell()

  function tell(): void {
    if (sent === leader.moves || res.writableNeedDrain) return
    sent = leader.moves
    const id = `${epoch}.${sent}`
    write({ type: 'position', position: leader.position }, id)
  }

  function write(message: PositionMessage, id?: string): void {
    res.write(encodeEvent({ data: JSON.stringify(message), ...(id && { id }) }))
  }

  const stopListening = leader.listen(tell)
  res.on('drain', tell)
  const alive = setInterval(() => res.writableNeedDrain || write({ type: 'alive' }), ALIVE_EVERY_MS)
  res.once('close', () => {
    stopListening()
    clearInterval(alive)
  })
}

const ALIVE_EVERY_MS = 5000
