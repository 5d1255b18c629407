import type { RequestHandler } from 'express'
import { startProxy, type Proxy, type ProxySetting } from '../../wire/proxy.ts'
import { controlledFeed, FeedError, type ControlledFeed } from './controlled-feed.ts'
import { controlTimers, type ControlledTimers } from './controlled-timers.ts'
import { freezeTimers, type FrozenTimers } from './frozen-timers.ts'
import { Failure } from './failure.ts'
import { RawClient } from './raw-client.ts'
import { serve, type TestServer } from './serve.ts'
import { noteProgress } from './signs-of-life.ts'
import type { Transcript } from './transcript.ts'
import { afterTurns, waiting, type Waiting } from './waiting.ts'
import {
  recordTimerDelays,
  trackTimers,
  type TimerDelays,
  type TrackedTimers,
} from './work-timers.ts'

/** The tools of a check. Everything that they open is closed when the check ends. */
export type Tools = Waiting & {
  transcript: Transcript
  controlledFeed(): ControlledFeed
  serve(app: RequestHandler, before?: RequestHandler): Promise<TestServer>
  /** Starts a proxy for a server. @param description the proxy's name in the transcript: `a proxy that …` */
  proxy(server: { port: number }, setting: ProxySetting, description: string): Promise<Proxy>
  connect(server: { port: number }, name?: string): RawClient
  trackTimers(): TrackedTimers
  recordTimerDelays(): TimerDelays
  freezeTimers(): FrozenTimers
  controlTimers(): ControlledTimers
  /** Waits for work of the grader, which takes as long as the machine needs. This time does not count as the check's. */
  untimed<T>(work: Promise<T>): Promise<T>
  /** Runs `cleanUp` after the script, like a `finally` block. */
  atEnd(cleanUp: () => unknown): void
  /** Fails the script with an error, even while the script is waiting. */
  abort(error: unknown): void
}

export type Toolbox = Tools & {
  feeds: readonly ControlledFeed[]
  /** Errors that the app's handlers threw, except for those from the feed. */
  thrownByHandlers: readonly unknown[]
  /** Runs the script, and then its clean-ups. */
  play(script: (tools: Tools) => Promise<void>): Promise<void>
  /** Closes everything that is still open. */
  close(): Promise<void>
}

/**
 * The number of turns of 50 ms that a check may take. They add up to a minute, although no check of correct code takes
 * even ten seconds.
 */
const BUDGET_TURNS = 1200

/** Returns the failure for a check that ran for too long although no single wait timed out. */
function overBudget(steps: readonly string[]): Failure {
  const last = steps.at(-1)
  return new Failure({
    seen: `The check was still running after a minute. ${last === undefined ? 'None of its steps had ended.' : `Its last step was: ${last}`}`,
    expected: 'Expected the check to end within seconds.',
  })
}

/**
 * Creates the tools of one check.
 *
 * @param budgetTurns the number of turns of 50 ms that the check's script may take
 */
export function toolbox(transcript: Transcript, budgetTurns = BUDGET_TURNS): Toolbox {
  const waits = waiting(transcript)
  const feeds: ControlledFeed[] = []
  const servers: TestServer[] = []
  const proxies: Proxy[] = []
  const clients: RawClient[] = []
  const cleanUps: (() => unknown)[] = []
  const thrown: unknown[] = []
  let hasEnded = false
  /** The number of promises that are being waited for by `untimed()`. */
  let untimed = 0
  let abort = (_error: unknown): void => {}
  const aborted = new Promise<never>((_, reject) => {
    abort = reject
  })
  const onThrown = (error: unknown): void => {
    if (!(error instanceof FeedError)) thrown.push(error)
  }
  const atEnd = (cleanUp: () => unknown): void => {
    cleanUps.push(cleanUp)
    // Clean up immediately, because an aborted script keeps running until its current wait times out.
    if (hasEnded) void end()
  }
  const untilEnd = <T extends { stop(): void }>(tool: T): T => {
    atEnd(() => tool.stop())
    return tool
  }

  /** Runs the clean-ups in reverse order. Runs all of them, even if one throws. */
  async function end(): Promise<void> {
    hasEnded = true
    const cleanUp = cleanUps.pop()
    if (!cleanUp) return
    try {
      await cleanUp()
    } finally {
      await end()
    }
  }

  return {
    ...waits,
    transcript,
    feeds,
    thrownByHandlers: thrown,
    controlledFeed() {
      const feed = controlledFeed(transcript)
      feeds.push(feed)
      return feed
    },
    async serve(app, before) {
      const server = await serve(app, { transcript, onThrown, before })
      servers.push(server)
      return server
    },
    async proxy({ port }, setting, description) {
      transcript.step(`in front of the server: ${description}`)
      const proxy = await startProxy(port, setting)
      proxies.push(proxy)
      return proxy
    },
    connect({ port }, name) {
      const client = new RawClient(port, { transcript, waiting: waits, name })
      clients.push(client)
      return client
    },
    trackTimers: () => untilEnd(trackTimers()),
    recordTimerDelays: () => untilEnd(recordTimerDelays()),
    freezeTimers: () => untilEnd(freezeTimers()),
    controlTimers: () => untilEnd(controlTimers()),
    untimed(work) {
      untimed += 1
      return work.finally(() => {
        untimed -= 1
      })
    },
    atEnd,
    abort,
    play(script) {
      const stop = afterTurns(
        () => abort(overBudget(transcript.steps)),
        budgetTurns,
        () => {
          // The grader is at work, so the watchdog must not take the wait for an endless one.
          if (untimed > 0) noteProgress()
          return untimed === 0
        },
      )
      return Promise.race([script(this), aborted]).finally(() => {
        stop()
        return end()
      })
    },
    async close() {
      for (const client of clients) client.close()
      await Promise.all(proxies.map((proxy) => proxy.stop()))
      await Promise.all(servers.map((server) => server.close()))
    },
  }
}
