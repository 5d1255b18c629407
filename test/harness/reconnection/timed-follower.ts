import type { ConnectionState, FollowOptions } from '#work/06-resume/client.ts'
import type { Tools } from '../check.ts'
import { must } from '../failure.ts'
import { scriptedServer, type ScriptedServer } from '../scripted-server.ts'
import { ControlledClock, WATCHDOG_MS } from './controlled-clock.ts'
import { Follower, type Options } from './follower.ts'

/** Follows a scripted server, with a clock that stands still until the check advances it. */
export async function followTimed(
  t: Tools,
  { server, ...options }: Options & { clock?: ControlledClock } = {},
): Promise<TimedFollower> {
  const timing = {
    clock: new ControlledClock(t.transcript),
    stallMs: WATCHDOG_MS,
    random: () => 0.5,
    ...options,
  }
  return new TimedFollower(t, server ?? (await scriptedServer(t)), timing)
}

type Timing = Omit<FollowOptions, 'signal'> & { clock: ControlledClock }

/** A follower whose waits and watchdog run on a controlled clock. */
export class TimedFollower extends Follower {
  readonly clock: ControlledClock
  readonly #t: Tools

  constructor(t: Tools, server: ScriptedServer, timing: Timing) {
    super(t, server, timing)
    this.clock = timing.clock
    this.#t = t
  }

  get #waits(): ConnectionState[] {
    return this.states.filter(({ name }) => name === 'waiting')
  }

  /** Waits until the client sleeps before its `count`-th reconnect. Returns the `ms` that the client reported. */
  backsOff = async (count = 1, lost = 'The connection was lost'): Promise<number> => {
    const isAsleep = (): boolean =>
      this.states.at(-1)?.name === 'waiting' && this.clock.nextDueMs !== undefined
    await this.#t.waitFor(() => this.#waits.length === count && isAsleep(), {
      seen: () =>
        this.#waits.length < count
          ? `${lost}, but onState() was not called with the state "waiting".`
          : `${lost}, but the client did not sleep with the clock that it was given.`,
      expected:
        "Expected calls to onState({ name: 'waiting', ms, why }) and to clock.sleep(ms, signal).",
      often: 'your client reconnects at once, or waits with setTimeout().',
    })
    return (this.#waits[count - 1] as { ms: number }).ms
  }

  /** Does the same as `backsOff()`, and also checks the length of the wait. */
  backsOffFor = async (
    expectedMs: number,
    count: number,
    when: string,
    often?: string,
  ): Promise<number> => {
    const ms = await this.backsOff(count)
    const { nextDueMs } = this.clock
    const isNear = (value = NaN): boolean => Math.abs(value - expectedMs) <= 1
    must(isNear(ms) && isNear(nextDueMs), {
      seen: `${when}. The client reported a wait of ${ms} ms, and slept for ${nextDueMs} ms.`,
      expected: `Expected a wait of ${expectedMs} ms, which is random() × the smaller of maxMs and baseMs × 2 ^ (earlier consecutive failures).`,
      ...(often && { often }),
    })
    return ms
  }

  /** Waits until the client has a watchdog that would fire after `ms` milliseconds. */
  armsWatchdog = async (ms: number): Promise<void> => {
    const { clock } = this
    await this.#t.waitFor(() => clock.nextDueMs === ms, {
      seen: () =>
        clock.nextDueMs === undefined
          ? 'The client waited for bytes without a watchdog.'
          : `The client waited for bytes, and its watchdog would have fired after ${clock.nextDueMs} ms.`,
      expected: `Expected clock.sleep(${ms}, signal) to be called while the client waits for bytes.`,
      often:
        'your client has no watchdog, but a connection can be dead for hours without an error.',
    })
  }
}
