import type { Quake } from '#feed'
import type { FollowOptions } from '#work/05-reconnection/client.ts'
import type { Tools } from '../check.ts'
import { describeError, must, type Story } from '../failure.ts'
import { describeQuake } from '../quakes.ts'
import { scriptedServer, type ScriptedServer } from '../scripted-server.ts'
import { instantClock, WATCHDOG_MS } from './controlled-clock.ts'
import { runFollower, type Follower } from './follower.ts'
import { mustHaveCursor, waitForRequest } from './requests.ts'

/** A server that the check plays, and the client of the work, which follows it. */
export type Followed = Follower & {
  server: ScriptedServer
  /** Waits for the request with that number. */
  asked(count: number): Promise<void>
  /** The request with that number has this Last-Event-ID. */
  hasCursor(count: number, wanted: string | undefined, why?: string, often?: string): void
  /** Sends a quake, and waits until the client gives it: the next one after those that it has given like this. */
  gives(quake: Quake, id?: string): Promise<void>
  /** Waits for the request with that number, and until the client calls itself open. */
  opened(count: number): Promise<void>
  /** Waits until the loop over the quakes ends, without an error. */
  ends(when: string): Promise<void>
}

type Options = Omit<FollowOptions, 'signal'> & { server?: ScriptedServer }

/** For what has nothing to do with time: it passes at once. */
export const QUICK = { clock: instantClock, stallMs: WATCHDOG_MS }

/** Follows a server as long as the script runs. */
export async function follow(t: Tools, { server, ...options }: Options = {}): Promise<Followed> {
  const stream = server ?? (await scriptedServer(t))
  return followed(t, stream, { ...QUICK, ...options })
}

export function followed(
  t: Tools,
  server: ScriptedServer,
  options: Omit<FollowOptions, 'signal'>,
): Followed {
  const follower = runFollower(t, server.url, options)
  let given = 0
  return Object.assign(follower, {
    server,
    asked: (count: number) => waitForRequest(t, server, count),
    hasCursor: (count: number, wanted: string | undefined, why?: string, often?: string) =>
      mustHaveCursor(server, count, wanted, why, often),
    async gives(quake: Quake, id?: string) {
      given += 1
      server.send(eventOf(quake, id))
      await t.waitFor(() => follower.got.length === given, notGiven(quake))
    },
    async opened(count: number) {
      await waitForRequest(t, server, count)
      await t.waitFor(() => follower.states.at(-1)?.name === 'open', {
        seen: () =>
          `The server has answered request ${count}, and onState() was told ${namesOf(follower)}.`,
        expected: 'Expected open when the head is here.',
      })
    },
    async ends(when: string) {
      await t.waitFor(() => follower.ended, {
        seen: `${when}, and the loop over the quakes goes on.`,
        expected: 'Expected it to end.',
      })
      must(follower.error === undefined, {
        seen: `${when}, and followQuakes() threw ${describeError(follower.error)}`,
        expected: 'Expected it to end without an error.',
      })
    },
  })
}

function namesOf({ states }: Follower): string {
  return states.map(({ name }) => name).join(', ') || 'nothing'
}

export function eventOf(quake: Quake, id?: string): string {
  return `${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(quake)}\n\n`
}

export function notGiven(quake: Quake): Story {
  return {
    seen: `The server sent ${describeQuake(quake)}, and followQuakes() did not give it.`,
    expected: 'Expected the quake.',
  }
}
