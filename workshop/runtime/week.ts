import { recordedQuakes, replay, type Replay } from '#feed'

/**
 * Returns the recorded week of earthquakes, as if they were happening now, again and again.
 *
 * @param since the time at which an earlier replay started, if this replay continues it
 */
export function recordedWeek(since?: number): Replay {
  return replay(recordedQuakes(), {
    speed: SPEED,
    loop: true,
    ...(since !== undefined && { since }),
  })
}

/** The factor by which the quakes happen faster than in reality: two or three a second, so that the first one happens soon. */
const SPEED = 900
