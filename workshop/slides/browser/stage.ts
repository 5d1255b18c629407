import { store } from '../../page/browser/state/store.ts'
import { subscribe } from '../../page/browser/state/reconnecting-stream.ts'
import type { CountdownState, Stage } from '../position.ts'
import type { StageMessage } from '../send-position.ts'

/** Whether this deck is blanked. */
export const isBlank = store(false)

/** The scene whose program runs on the instructor's deck. */
export const runs = store<string | undefined>(undefined)

/** The instructor's countdown, with the time of its end on this machine's clock. */
export const countdown = store<CountdownState | undefined>(undefined)

/**
 * Follows the instructor's deck: updates `runs` and `countdown`, and passes the stage on.
 *
 * @param onLiveChange called with whether the stream is connected
 */
export function followStage({
  onStage = () => {},
  onLiveChange = () => {},
}: {
  onStage?(stage: Stage): void
  onLiveChange?(isLive: boolean): void
} = {}): void {
  void subscribe<StageMessage>({
    url: './position',
    onLiveChange,
    onMessage(message) {
      if (message.type !== 'stage') return
      const { stage, now } = message
      runs.set(stage.runs)
      countdown.set(stage.countdown && onThisClock(stage.countdown, now))
      onStage(stage)
    },
  })
  // Never unsubscribe, because the deck stays for as long as the page is open.
}

function onThisClock({ endsAt, ...rest }: CountdownState, now: number): CountdownState {
  return { ...rest, ...(endsAt !== undefined && { endsAt: endsAt - now + Date.now() }) }
}
