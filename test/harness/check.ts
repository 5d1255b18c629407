import type { RequestHandler } from 'express'
import { inject, test } from 'vitest'
import type { NginxPorts, Report } from '../../protocol/grading.ts'
import { isNotWritten } from '../../protocol/not-written.ts'
import { startProxy, type Proxy, type ProxySetting } from '../../wire/proxy.ts'
import { connectRaw, type RawClient } from './raw-client.ts'
import { asCheck } from './current-check.ts'
import { describeError, Failure, must, type Story } from './failure.ts'
import { FeedError, controlledFeed, type ControlledFeed } from './controlled-feed.ts'
import { waiting, type Waiting } from './waiting.ts'
import { serve, type TestServer } from './serve.ts'
import { signOfLife } from './signs-of-life.ts'
import { watchUncaughtErrors } from './uncaught-errors.ts'
import { newTranscript, type Transcript } from './transcript.ts'
import { turns } from './event-loop.ts'

export { must } from './failure.ts'

/** What a check has at hand. Everything it opens is closed when it ends. */
export type Tools = Waiting & {
  transcript: Transcript
  controlledFeed(): ControlledFeed
  serve(app: RequestHandler, before?: RequestHandler): Promise<TestServer>
  /** Sets a proxy before a server. @param description what it does: `a proxy that …` */
  proxy(server: { port: number }, setting: ProxySetting, description: string): Promise<Proxy>
  connect(server: { port: number }, name?: string): RawClient
}

declare module 'vitest' {
  interface TaskMeta {
    report?: Report
  }
  interface ProvidedContext {
    nginx?: NginxPorts
  }
}

/**
 * Registers one check: an id such as `1.2a`, the rule it grades in the present tense, and the script
 * that plays it against the work.
 *
 * Checks run one after another in the order they are written, which is the order of diagnosis. After the
 * first one has failed the others run side by side, so that a learner waits for one deadline and not
 * for twenty. What is thrown meanwhile, and caught by nobody, counts for the check that it comes from. Where that
 * is not known, those that would have passed are played again, one after another.
 */
export function check(id: string, rule: string, script: (tools: Tools) => Promise<void>): void {
  // Without a limit of Vitest's: what waits in vain gives up by itself, and the grader's watchdog ends the rest.
  test.concurrent(`${id} ${rule}`, { timeout: 0 }, async ({ task, skip }) => {
    const endTurn = await waitForTurn()
    if (hasFailed && process.env.WORKSHOP_BAIL) skip()
    try {
      signOfLife(`check ${id}`)
      let played = await trackRunning(runScript(script))
      if (played.mayBeAnothers) {
        while (running.size > 0) await Promise.race(running)
        signOfLife(`check ${id}`)
        played = await trackRunning(turns(DRAIN_TURNS).then(() => runScript(script)))
      }
      task.meta.report = played.report
      if (played.hasPassed) return
      sawFailure()
      throw played.error
    } finally {
      endTurn()
    }
  })
}

type Outcome = {
  report: Report
  hasPassed: boolean
  /** Why it failed: whatever was thrown. */
  error?: unknown
  /** It would have passed, but for an error that may be of another check. */
  mayBeAnothers?: boolean
}

function runScript(script: (tools: Tools) => Promise<void>): Promise<Outcome> {
  return asCheck(() => runAsCheck(script))
}

async function runAsCheck(script: (tools: Tools) => Promise<void>): Promise<Outcome> {
  const transcript = newTranscript()
  const tools = toolbox(transcript)
  const uncaught = watchUncaughtErrors()
  // Where the script ends. Putting things away is no part of it.
  let length = 0
  const steps = (): string[] => transcript.steps.slice(0, length)
  try {
    await script(tools).finally(() => {
      length = transcript.steps.length
      return tools.close()
    })
    // What was thrown while the last connections closed comes in the next turn.
    await turns()
    const error = uncaught.failure() ?? uncaught.warning()
    if (!error) return { report: { steps: steps() }, hasPassed: true }
    const report = reportOf(error, steps(), tools)
    return { report, hasPassed: false, error, mayBeAnothers: uncaught.areShared }
  } catch (thrown) {
    const error = (!uncaught.areShared && uncaught.failure()) || thrown
    return { report: reportOf(error, steps(), tools), hasPassed: false, error }
  } finally {
    uncaught.stop()
  }
}

/** By then the connections of the check before have closed at the other end, too. */
const DRAIN_TURNS = 20

/** The checks that are being played. */
const running = new Set<Promise<Outcome>>()

function trackRunning(playing: Promise<Outcome>): Promise<Outcome> {
  running.add(playing)
  return playing.finally(() => running.delete(playing))
}

/** A check that needs the real nginx. Where the grader has not started one, it does not exist. */
export function nginxCheck(
  id: string,
  rule: string,
  script: (tools: Tools, nginx: NginxPorts) => Promise<void>,
): void {
  const nginx = inject('nginx')
  if (nginx) check(id, rule, (tools) => script(tools, nginx))
}

/** Waits until the check before this one is done, or any has failed. */
async function waitForTurn(): Promise<() => void> {
  const before = queue
  let end = (): void => {}
  queue = new Promise((resolve) => {
    end = resolve
  })
  await Promise.race([before, failure])
  return end
}

let queue: Promise<void> = Promise.resolve()
let hasFailed = false
let endWaiting = (): void => {}
const failure = new Promise<void>((resolve) => {
  endWaiting = resolve
})

function sawFailure(): void {
  hasFailed = true
  endWaiting()
}

// The grader wants to see this one fail. If it comes back passed, or not at all, no other can be believed.
if (process.env.WORKSHOP_CANARY) {
  test.concurrent(process.env.WORKSHOP_CANARY, () => {
    must(false, { seen: 'The canary sings.', expected: 'Expected it to fail.' })
  })
}

type Toolbox = Tools & {
  /** What handlers of the app threw, but for errors of the feed. */
  thrownByHandlers(): unknown[]
  /** What nobody did with a feed in which something happened. */
  unreadFeed(): string | undefined
  close(): Promise<void>
}

/** The tools of one check, and the way to put them all away. */
function toolbox(transcript: Transcript): Toolbox {
  const waits = waiting(transcript)
  const feeds: ControlledFeed[] = []
  const servers: TestServer[] = []
  const proxies: Proxy[] = []
  const clients: RawClient[] = []
  const thrown: unknown[] = []
  const onThrown = (error: unknown): void => {
    if (!(error instanceof FeedError)) thrown.push(error)
  }
  return {
    ...waits,
    thrownByHandlers: () => thrown,
    transcript,
    controlledFeed() {
      const made = controlledFeed(transcript)
      feeds.push(made)
      return made
    },
    unreadFeed: () => feeds.map(causeInFeed).find((what) => what !== undefined),
    async serve(app, before) {
      const server = await serve(app, { transcript, onThrown, ...(before && { before }) })
      servers.push(server)
      return server
    },
    async proxy({ port }, setting, description) {
      transcript.step(`before the server: ${description}`)
      const proxy = await startProxy(port, setting)
      proxies.push(proxy)
      return proxy
    },
    connect({ port }, name) {
      const client = connectRaw(port, { transcript, waiting: waits, ...(name && { name }) })
      clients.push(client)
      return client
    },
    async close() {
      for (const client of clients) client.close()
      await Promise.all(proxies.map((proxy) => proxy.stop()))
      await Promise.all(servers.map((server) => server.close()))
    },
  }
}

function reportOf(error: unknown, steps: string[], tools: Toolbox): Report {
  const cause = tools.thrownByHandlers()[0] ?? error
  const message = cause instanceof Error ? cause.message : ''
  return {
    steps,
    story: storyOf(error, tools),
    ...(isNotWritten(message) && { notWritten: message }),
  }
}

function storyOf(error: unknown, { thrownByHandlers, unreadFeed }: Toolbox): Story {
  if (!(error instanceof Failure)) {
    return { seen: `Your code threw ${describeError(error)}`, expected: 'Expected it to go on.' }
  }
  // Whatever the check saw, it began with this.
  const [thrown] = thrownByHandlers()
  if (thrown) return { ...error.story, cause: `the handler threw ${located(thrown)}` }
  const neglected = unreadFeed()
  return neglected ? { ...error.story, cause: neglected } : error.story
}

/** Nothing of what happens in a feed comes from it when nobody reads it. */
function causeInFeed({ hasHappened, readers }: ControlledFeed): string | undefined {
  if (!hasHappened || readers.some(({ hasPulled }) => hasPulled)) return undefined
  return readers.length === 0
    ? 'your handler has not opened the feed.'
    : 'the feed was opened, and nobody asked it for a quake.'
}

/** An error, and where in the work it was thrown. */
function located(error: unknown): string {
  const frames = error instanceof Error ? (error.stack ?? '').split('\n') : []
  const frame = frames.find((line) => line.includes(WORK))
  const at = frame?.slice(frame.indexOf(WORK)).replace(/\)$/, '')
  return `${describeError(error)}${at ? ` at ${at}` : ''}`
}

/** Where the work is: a stack names its files with this path. */
const WORK = process.env.WORKSHOP_BOX ?? '/solutions/'
