import type { ServerResponse } from 'node:http'
import type { Leader, Stage } from './position.ts'
import { sendNewest } from './send-newest.ts'

/** A message to a follower, which is sent as the data of one server-sent event. */
export type StageMessage =
  /** `now` is the time on this machine's clock, because a follower's clock may differ. */
  | { type: 'stage'; stage: Stage; now: number }
  /** Sent regularly, so that a follower can distinguish a dead connection from an instructor who stays on a slide. */
  | { type: 'alive' }

/**
 * Sends what the instructor's deck shows to one follower, until the follower disconnects.
 *
 * After a restart, a follower keeps its slide until the instructor's deck has reconnected.
 *
 * @param options.epoch identifies this start of the deck, because each start counts moves from 0
 * @param options.lastEventId the follower's `Last-Event-ID`
 */
export function sendPosition({
  leader,
  ...to
}: {
  leader: Leader
  epoch: string
  lastEventId: string | undefined
  res: ServerResponse
}): void {
  sendNewest<StageMessage>({
    ...to,
    source: {
      get version() {
        return leader.moves
      },
      message: () => ({ type: 'stage', stage: leader.stage, now: Date.now() }),
      listen: leader.listen,
    },
  })
}
