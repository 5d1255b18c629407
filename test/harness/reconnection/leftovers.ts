import type { Tools } from '../check.ts'
import { turns } from '../event-loop.ts'
import { disconnect } from '../login.ts'
import { quakes } from '../quakes.ts'
import type { TestServer } from '../serve.ts'
import type { FakeHistory } from './fake-history.ts'
import { noEvent, subscribe } from './subscriber.ts'
import { counted } from './wording.ts'

/** The listeners and timers that are left after clients have disconnected. */
export type Leftovers = {
  /** Connects a client, which gets one quake and disconnects. Listeners and timers that serve all clients may stay. */
  connectAndLeave(server: TestServer, name: string): Promise<void>
  /** Whether only listeners and timers that may stay are left. */
  areNone(): boolean
  /** Waits until only listeners and timers that may stay are left. */
  mustBeGone(what: string, often?: string): Promise<void>
  /** Describes what is left: `1 listener and 2 timers were`. */
  describe(): string
}

/** Tracks the listeners of `history` and, from now on, the timers of the learner's code. */
export function trackLeftovers(t: Tools, history: FakeHistory): Leftovers {
  const timers = t.trackTimers()
  let mayStay: { listeners: number; timers: number } | undefined

  const areNone = (): boolean =>
    history.listenerCount <= (mayStay?.listeners ?? 0) && timers.alive() <= (mayStay?.timers ?? 0)

  const describe = (): string =>
    `${counted(history.listenerCount, 'listener')} and ${counted(timers.alive(), 'timer')} were`

  return {
    areNone,
    describe,
    async connectAndLeave(server, name) {
      const { connections } = server
      const client = await subscribe(t, server, { name })
      history.append(...quakes(1))
      await client.events.next(noEvent({ quake: quakes(1)[0] }))
      await disconnect(t, server, client, connections)
      await someTurns()
      mayStay ??= { listeners: history.listenerCount, timers: timers.alive() }
    },
    async mustBeGone(
      what,
      often = 'your handler does not call clearInterval(), or the function that subscribe() returned, on every path.',
    ) {
      await t.waitFor(areNone, {
        seen: () => `${what}, and ${describe()} left.`,
        expected:
          'Expected no listener and no timer to be left. Otherwise they stay for as long as the server runs.',
        often,
      })
    },
  }
}

/** Gives a handler time to react to an event. */
export async function someTurns(): Promise<void> {
  await turns(20)
}
