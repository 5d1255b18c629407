import type { Quake } from '#feed'
import {
  followStream,
  type Match,
  type RulesChange,
  type StreamOptions,
} from '#work/07-filtered-stream/client.ts'
import type { Tools } from '../check.ts'
import type { Story } from '../failure.ts'
import { describeQuake } from '../quakes.ts'
import { scriptedServer, type ScriptedServer } from '../scripted-server.ts'
import { excerptJson } from '../transcript.ts'
import { ControlledClock, WATCHDOG_MS } from './controlled-clock.ts'
import type { Client } from './follower.ts'
import { TimedFollower, type WaitRule } from './timed-follower.ts'

type Options = Omit<StreamOptions, 'signal' | 'clock' | 'onRules'> & { server?: ScriptedServer }

/** A follower that also collects the acknowledgements of changed rules. */
export type StreamFollower = TimedFollower<Match> & { readonly changes: RulesChange[] }

/** Starts a server whose filtered stream is written by the check. */
export function scriptedStream(t: Tools): Promise<ScriptedServer> {
  return scriptedServer(t, { path: '/stream', type: 'application/x-ndjson' })
}

/** Follows a filtered stream until the script ends, with a clock that stands still until the check advances it. */
export async function followScripted(
  t: Tools,
  { server, ...options }: Options = {},
): Promise<StreamFollower> {
  const clock = new ControlledClock(t.transcript)
  const changes: RulesChange[] = []
  const client: Client<Match> = {
    name: 'followStream()',
    endsOnly:
      'Expected followStream() to reconnect. It should return only after an abort, and throw only after a 4xx other than 408 and 429.',
    start: (url, listening) =>
      followStream(url, {
        keepAliveMs: NEVER_SILENT_MS,
        ...options,
        ...listening,
        clock,
        onRules: (change) => void changes.push(change),
      }),
    textOf: recordOf,
    describe: describeMatch,
    notGiven,
  }
  const given = server ?? (await scriptedStream(t))
  return Object.assign(new TimedFollower(t, given, client, { clock, rule: WAITS }), { changes })
}

/** A wait may be up to a quarter longer than in the table, because clients may add jitter. */
const WAITS: WaitRule = {
  allows: (actualMs, ms) => actualMs >= ms - 1 && actualMs <= 1.25 * ms + 1,
  expected: (ms) =>
    `Expected a wait of ${ms.toLocaleString('en')} ms${ms === 0 ? '' : ', or up to a quarter more if you add jitter'}.`,
}

/** The `keepAliveMs` for checks that do not test the watchdog. */
const NEVER_SILENT_MS = WATCHDOG_MS / 3

/** Returns the record of a quake, as text for the wire. Only the rule 1 has a tag. */
export function recordOf(data: Quake, id = '1'): string {
  const rule = id === '1' ? { id, tag: 'all' } : { id }
  return `${JSON.stringify({ data, matching_rules: [rule] })}\n`
}

function describeMatch(match: Partial<Match> | undefined): string {
  const { data } = match ?? {}
  return typeof data?.place === 'string' ? describeQuake(data) : excerptJson(match, 48)
}

/** Returns the failure to report if the client does not yield a quake. */
export function notGiven(quake: Quake): Story {
  return {
    seen: `The server sent ${describeQuake(quake)}, but followStream() did not yield it.`,
    expected: 'Expected followStream() to yield that quake and the rules that it matches.',
  }
}
