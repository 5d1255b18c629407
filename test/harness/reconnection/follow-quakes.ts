import type { Quake } from '#feed'
import { followQuakes, type FollowOptions } from '#work/06-resume/client.ts'
import type { Tools } from '../check.ts'
import type { Story } from '../failure.ts'
import { describeQuake } from '../quakes.ts'
import { scriptedServer, type ScriptedServer } from '../scripted-server.ts'
import { excerptJson } from '../transcript.ts'
import { ControlledClock, instantClock, WATCHDOG_MS } from './controlled-clock.ts'
import { Follower, type Client } from './follower.ts'
import { TimedFollower, type WaitRule } from './timed-follower.ts'

/** Options with which every wait ends immediately, for checks that do not test time. */
export const QUICK = { clock: instantClock, stallMs: WATCHDOG_MS }

type Options = Omit<FollowOptions, 'signal'>

/** Follows a scripted server with `followQuakes()` until the script ends. */
export async function follow(
  t: Tools,
  { server, ...options }: Options & { server?: ScriptedServer } = {},
): Promise<Follower<Quake>> {
  return new Follower(t, server ?? (await scriptedServer(t)), clientWith({ ...QUICK, ...options }))
}

/** Follows a scripted server, with a clock that stands still until the check advances it. */
export async function followTimed(
  t: Tools,
  {
    server,
    clock = new ControlledClock(t.transcript),
    ...options
  }: Options & { server?: ScriptedServer; clock?: ControlledClock } = {},
): Promise<TimedFollower<Quake>> {
  const client = clientWith({ clock, stallMs: WATCHDOG_MS, random: () => 0.5, ...options })
  return new TimedFollower(t, server ?? (await scriptedServer(t)), client, { clock, rule: BACKOFF })
}

function clientWith(options: Options): Client<Quake> {
  return {
    name: 'followQuakes()',
    endsOnly:
      'Expected followQuakes() to reconnect. It should return only after 204 or an abort, and throw only after a 4xx other than 408 and 429, or after a 200 without an event stream.',
    start: (url, listening) => followQuakes(url, { ...options, ...listening }),
    textOf: eventOf,
    describe: describeGiven,
    notGiven,
  }
}

const BACKOFF: WaitRule = {
  allows: (actualMs, ms) => Math.abs(actualMs - ms) <= 1,
  expected: (ms) =>
    `Expected a wait of ${ms} ms, which is random() × the smaller of maxMs and baseMs × 2 ^ (earlier consecutive failures).`,
}

function describeGiven(quake: Partial<Quake> | undefined): string {
  return typeof quake?.place === 'string' ? describeQuake(quake as Quake) : excerptJson(quake, 48)
}

/** Returns the event of a quake, as text for the wire. */
export function eventOf(quake: Quake, id?: string): string {
  return `${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(quake)}\n\n`
}

/** Returns the failure to report if the client does not yield a quake. */
export function notGiven(quake: Quake): Story {
  return {
    seen: `The server sent ${describeQuake(quake)}, but followQuakes() did not yield it.`,
    expected: 'Expected followQuakes() to yield that quake.',
  }
}
