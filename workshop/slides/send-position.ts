import type { ServerResponse } from 'node:http'
import { encodeEvent } from '../../solutions/02-server-sent-events/encode.ts'
import type { Leader, Stage } from './position.ts'

/** A message to a follower, which is sent as the data of one server-sent event. */
export type StageMessage =
  /** `now` is the time on this machine's clock, because a follower's clock may differ. */
  | { type: 'stage'; stage: Stage; now: number }
  /** Sent regularly, so that a follower can distinguish a dead connection from an instructor who stays on a slide. */
  | { type: 'alive' }

/**
 * Sends what the instructor's deck shows to one follower, until the follower disconnects.
 *
 * Only the newest stage counts. A follower that reconnects or reads slowly skips the ones in between. After a restart, a
 * follower keeps its slide until the instructor's deck has reconnected.
 *
 * @param options.epoch identifies this start of the deck, because each start counts moves from 0
 * @param options.lastEventId the follower's `Last-Event-ID`
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
  // Already disconnected: 'close' will not fire again.
  if (res.destroyed) return
  let sent = lastEventId === `${epoch}.${leader.moves}` ? leader.moves : 0
  res.writeHead(200, {
    'Content-Type': 'text/event-stream',
    'Cache-Control': 'no-store, no-transform',
    'X-Accel-Buffering': 'no',
  })
  res.write(encodeEvent({ retry: 1000 }))
  write({ type: 'alive' })
  tell()

  function tell(): void {
    if (sent === leader.moves || res.writableNeedDrain) return
    sent = leader.moves
    const id = `${epoch}.${sent}`
    write({ type: 'stage', stage: leader.stage, now: Date.now() }, id)
  }

  function write(message: StageMessage, id?: string): void {
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
