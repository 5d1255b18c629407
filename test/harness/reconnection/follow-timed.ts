import type { ConnectionState, FollowOptions } from '#work/05-reconnection/client.ts'
import type { Tools } from '../check.ts'
import { must } from '../failure.ts'
import { scriptedServer, type ScriptedServer } from '../scripted-server.ts'
import { controlledClock, WATCHDOG_MS, type ControlledClock } from './controlled-clock.ts'
import { followed, type Followed } from './follow.ts'

/** The same by a clock that stands still until the check moves it on. */
export type FollowedTimed = Followed & {
  clock: ControlledClock
  /** Waits until the client waits for the `count`-th time, and sleeps. Returns how long it says it will. */
  waits(count?: number, lost?: string): Promise<number>
  /** The same, and it is to wait so many milliseconds. */
  waitsFor(expectedMs: number, count: number, when: string, often?: string): Promise<number>
  /** Waits until the client would give the connection up in `ms`. */
  watches(ms: number): Promise<void>
}

type Options = Omit<FollowOptions, 'signal' | 'clock'> & {
  server?: ScriptedServer
  clock?: ControlledClock
}

export async function followTimed(
  t: Tools,
  { server, clock = controlledClock(t.transcript), ...options }: Options = {},
): Promise<FollowedTimed> {
  const stream = server ?? (await scriptedServer(t))
  const timing = { stallMs: WATCHDOG_MS, random: () => 0.5, ...options, clock }
  const follower = followed(t, stream, timing)
  const waitStates = (): ConnectionState[] =>
    follower.states.filter(({ name }) => name === 'waiting')
  const isAsleep = (): boolean =>
    follower.states.at(-1)?.name === 'waiting' && clock.nextDueMs !== undefined

  async function waits(count = 1, lost = 'The connection was lost'): Promise<number> {
    await t.waitFor(() => waitStates().length === count && isAsleep(), {
      seen: () =>
        waitStates().length < count
          ? `${lost}, and onState() was not told that the client waits.`
          : `${lost}, and the client does not sleep by the clock that it was given.`,
      expected: "Expected onState({ name: 'waiting', ms, why }), and clock.sleep(ms, signal).",
      often: 'the client asks again at once, or waits with setTimeout().',
    })
    return (waitStates()[count - 1] as { ms: number }).ms
  }

  async function waitsFor(
    expectedMs: number,
    count: number,
    when: string,
    often?: string,
  ): Promise<number> {
    const ms = await waits(count)
    const isNear = (value: number | undefined): boolean =>
      Math.abs((value ?? NaN) - expectedMs) <= 1
    must(isNear(ms) && isNear(clock.nextDueMs), {
      seen: `${when}. The client says that it waits ${ms} ms, and sleeps ${clock.nextDueMs} ms.`,
      expected: `Expected ${expectedMs} ms: random() × the smaller of maxMs and baseMs × 2 ^ (failures before).`,
      ...(often && { often }),
    })
    return ms
  }

  async function watches(ms: number): Promise<void> {
    await t.waitFor(() => clock.nextDueMs === ms, {
      seen: () =>
        clock.nextDueMs === undefined
          ? 'The client waits for bytes, and nothing watches over that.'
          : `The client waits for bytes, and would give up in ${clock.nextDueMs} ms.`,
      expected: `Expected clock.sleep(${ms}, signal) while it waits.`,
      often: 'there is no watchdog. A connection can be dead for hours without an error.',
    })
  }

  return Object.assign(follower, { clock, waits, waitsFor, watches })
}
