import type { Tools } from '../check.ts'
import { must } from '../failure.ts'
import type { ConnectionState } from '../../../protocol/runtime.ts'
import type { ScriptedServer } from '../scripted-server.ts'
import type { ControlledClock } from './controlled-clock.ts'
import { Follower, type Client } from './follower.ts'

/** Which waits are right, where the lesson asks for a wait of `ms` milliseconds. */
export type WaitRule = {
  allows(actualMs: number, ms: number): boolean
  expected(ms: number): string
}

/** A follower whose waits and watchdog run on a controlled clock. */
export class TimedFollower<Item> extends Follower<Item> {
  readonly clock: ControlledClock
  readonly #t: Tools
  readonly #rule: WaitRule

  constructor(
    t: Tools,
    server: ScriptedServer,
    client: Client<Item>,
    { clock, rule }: { clock: ControlledClock; rule: WaitRule },
  ) {
    super(t, server, client)
    this.clock = clock
    this.#t = t
    this.#rule = rule
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
    const isRight = (value = NaN): boolean => this.#rule.allows(value, expectedMs)
    must(isRight(ms) && isRight(nextDueMs), {
      seen: `${when}. The client reported a wait of ${ms} ms, and slept for ${nextDueMs} ms.`,
      expected: this.#rule.expected(expectedMs),
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
