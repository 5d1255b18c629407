import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { legible } from '../../wire/visible.ts'
import type { Destination } from '../../wire/tap.ts'
import { ROOT } from '../root.ts'
import type { Leaks, Load, Meter, RuntimeMessage } from '../../protocol/runtime.ts'
import { startLearnerProcess, type LearnerProcess } from './learner-process.ts'

/** A learner's server, which runs in its own process. */
export type LearnerServer = {
  /** Resolves with the server's address or, if the server is not running, with the reason, as soon as either is known. */
  destination(): Promise<Destination>
  /** Starts a spare process, which makes the next restart fast. */
  warmUp(): void
  /** Kills the server, and then runs the current version of the file. */
  restart(): void
  /** Makes `count` earthquakes happen now. */
  burst(count: number): void
  /** Makes the network buffers of clients look full. A client is named by its own port. */
  fillBuffers(ports: number[] | 'all'): void
  /** Lets all clients read again. */
  drainBuffers(): void
  /** Kills the server for good. */
  stop(): void
}

export type ServerEvents = {
  running(): void
  /** Called when the server is not running. `what` gives the reason in a sentence; `detail` is the runtime's message. */
  down(what: string, detail: string): void
  /** Called if the file is still a stub, at least for one task. */
  notWritten(what: string): void
  /** Called with each line of the server's standard output and standard error. */
  printed(line: string): void
  leaks(leaks: Leaks): void
  /** Called with the number of readers that have the feed open now. */
  feed(readers: number): void
  /** Called every second in a lesson with many sources. */
  load?(load: Load): void
  /** Called in a lesson with answers, whenever the meter has changed. */
  meter?(meter: Meter): void
}

/**
 * Runs `createApp()` of a server.ts on the recorded earthquakes.
 *
 * @param options.name the name of the file in messages: `lessons/01-raw-chunks/server.ts`
 * @param options.folder prepares the folder that contains the file, and returns its path; called at each start
 * @param options.limit passed to `createApp()`
 */
export function startLearnerServer({
  name,
  folder,
  countLeaks,
  limit,
  events,
}: {
  name: string
  folder(): Promise<string>
  countLeaks: boolean
  limit?: number
  events: ServerEvents
}): LearnerServer {
  let current: LearnerProcess
  let spare: LearnerProcess | undefined
  let deadline: NodeJS.Timeout | undefined
  let destination = pending<Destination>()
  let since = Date.now()

  async function start(): Promise<void> {
    const mine = spare?.isAlive ? spare : startLearnerProcess()
    spare = undefined
    current = mine
    // A client that is still waiting for the stopped server is passed on to the new server.
    if (destination.isSettled) destination = pending()
    let runDir: string
    try {
      runDir = await folder()
    } catch (error) {
      if (mine === current) down(`${name} cannot be read.`, (error as Error).message)
      return
    }
    mine.run(
      { file: join(runDir, 'server.ts'), countLeaks, since, ...(limit && { limit }) },
      {
        message: (message) => hear(message, runDir),
        printed: (line) => events.printed(asLearnersPaths(line, name, runDir)),
        ended: (how) => down(`${name} ended by itself (${how}).`, ''),
      },
    )
  }

  function hear(message: RuntimeMessage, runDir: string): void {
    if (message.kind === 'feed') {
      events.feed(message.readers)
      return
    }
    if (message.kind === 'leaks') {
      events.leaks(message.leaks)
      return
    }
    if (message.kind === 'load') {
      events.load?.(message.load)
      return
    }
    if (message.kind === 'meter') {
      events.meter?.(message.meter)
      return
    }
    if (message.kind === 'since') {
      since = message.since
      return
    }
    clearTimeout(deadline)
    if (message.kind === 'loading') {
      deadline = setTimeout(stillLoading, LOADING_MS)
    } else if (message.kind === 'running') {
      send({ port: message.port })
      events.running()
    } else if (message.kind === 'not written') {
      end()
      send({ unavailable: `Nothing to see yet: ${message.what}.` })
      events.notWritten(message.what)
    } else if (message.kind === 'failed') {
      const what = message.when === 'loading' ? 'could not be loaded' : 'crashed'
      down(`${name} ${what}.`, asLearnersPaths(message.thrown, name, runDir))
    }
  }

  /** Reports that loading is slow, but keeps waiting, because the machine may only be busy. */
  function stillLoading(): void {
    tellDown(
      `${name} is still loading after ${LOADING_MS / 1000} seconds.`,
      'The cause is often an endless loop, or an await that never ends, outside any handler.',
    )
    deadline = setTimeout(() => {
      down(
        `${name} was still loading after ${GIVE_UP_MS / 1000} seconds, so it was stopped.`,
        'The next save restarts it.',
      )
    }, GIVE_UP_MS - LOADING_MS)
  }

  function down(what: string, detail: string): void {
    end()
    tellDown(what, detail)
  }

  function tellDown(what: string, detail: string): void {
    // The detail may contain file names.
    const shown = legible(detail)
    send({ unavailable: shown ? `${what}\n${shown}` : what })
    events.down(what, shown)
  }

  function send(to: Destination): void {
    if (destination.isSettled) destination = pending()
    destination.settle(to)
  }

  function end(): void {
    clearTimeout(deadline)
    current.kill()
  }

  void start()
  return {
    destination: () => destination.promise,
    warmUp() {
      spare ??= startLearnerProcess()
    },
    restart() {
      end()
      void start()
    },
    burst: (count) => current.tell({ burst: count }),
    fillBuffers: (ports) => current.tell({ fill: ports }),
    drainBuffers: () => current.tell({ drain: true }),
    stop() {
      end()
      spare?.kill()
    },
  }
}

/** Replaces the paths in a text with those that the learner knows, wherever the files were run. */
function asLearnersPaths(text: string, serverFile: string, runDir: string): string {
  const folder = serverFile.replace(/server\.ts$/, '')
  return text
    .replaceAll(`${pathToFileURL(runDir).href}/`, folder)
    .replaceAll(join(runDir, '/'), folder)
    .replaceAll(`${pathToFileURL(ROOT).href}/`, '')
    .replaceAll(join(ROOT, '/'), '')
}

/** Returns a promise, with a function that settles it. */
function pending<T>(): {
  readonly promise: Promise<T>
  readonly isSettled: boolean
  settle(value: T): void
} {
  let isSettled = false
  let resolve = (_value: T): void => {}
  const promise = new Promise<T>((settled) => {
    resolve = settled
  })
  return {
    promise,
    get isSettled() {
      return isSettled
    },
    settle(value) {
      isSettled = true
      resolve(value)
    },
  }
}

const LOADING_MS = 10_000
const GIVE_UP_MS = 60_000
