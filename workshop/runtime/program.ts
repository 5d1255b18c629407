// The program of the process that runs a learner's server or client. It waits for an order that names the file. The
// file may crash, loop or exit without affecting the workshop.
import { existsSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { recordedQuakes, type Feed, type Replay } from '#feed'
import { answersFrom } from './answers.ts'
import { FILTERED_STREAM, pushedFrom } from './filtered-stream.ts'
import { fullBuffers, type FullBuffers } from './full-buffers.ts'
import { runClient } from './run-client.ts'
import { runServerProcess } from './server-process.ts'
import { sourcesOf, type Sources } from './sources.ts'
import { historyOf } from './history.ts'
import { countLeaks } from './leaks.ts'
import { recordedWeek } from './week.ts'
import { exitWithParent } from '../process/exit-with-parent.ts'
import { isNotWritten } from '../../protocol/not-written.ts'
import type { Load, RuntimeMessage, RuntimeOrder } from '../../protocol/runtime.ts'

let week = recordedWeek()
let when: 'loading' | 'running' = 'loading'
let buffers: FullBuffers | undefined
let stopProcess = async (): Promise<void> => {}

// Load Express ahead of time, because the server will need it, and the learner is waiting for the server.
void import('express')
exitWithParent()
process.on('uncaughtException', fail)
process.on('message', (order: RuntimeOrder) => {
  if ('burst' in order) {
    week.burst(order.burst)
    if (week.startedAt !== undefined) tell({ kind: 'since', since: week.startedAt })
    return
  }
  if ('fill' in order) {
    buffers?.fill(order.fill)
    return
  }
  if ('drain' in order) {
    buffers?.drain()
    return
  }
  if ('stop' in order) {
    void stopProcess().finally(() => process.exit(0))
    return
  }
  tell({ kind: 'loading' })
  if ('url' in order) {
    runClient(order, tell).catch(fail)
    return
  }
  if ('redisUrl' in order) {
    runProcess(order).catch(fail)
    return
  }
  if (order.countLeaks) {
    countLeaks({ file: order.file, changed: (leaks) => tell({ kind: 'leaks', leaks }) })
  }
  run(order).catch(fail)
})

async function runProcess({ file, redisUrl }: { file: string; redisUrl: string }): Promise<void> {
  const { port, stop } = await runServerProcess(file, redisUrl)
  stopProcess = stop
  when = 'running'
  tell({ kind: 'running', port })
}

async function run({
  file,
  since,
  limit,
}: {
  file: string
  since: number
  limit?: number
}): Promise<void> {
  const { createApp } = (await import(pathToFileURL(file).href)) as {
    createApp?: (...args: unknown[]) => RequestListener
  }
  if (typeof createApp !== 'function') throw new Error('server.ts does not export createApp()')
  const options = limit === undefined ? [] : [{ limit }]
  const app = createApp(...(await argumentsFor(file, since)), ...options)
  if (typeof app !== 'function') {
    throw new Error(`createApp() returned ${String(app)}, not an Express app`)
  }
  const server = createServer(app)
  buffers = fullBuffers(server)
  server.listen(0, '127.0.0.1', () => {
    when = 'running'
    tell({ kind: 'running', port: (server.address() as AddressInfo).port })
  })
}

/**
 * Returns the arguments for `createApp()`: the feed or, in some lessons, a history, a source that pushes, many sources, or a
 * generator of answers.
 * A history and a source that pushes continue where the previous process stopped.
 */
async function argumentsFor(file: string, since: number): Promise<unknown[]> {
  const answers = join(dirname(file), 'answer.ts')
  if (existsSync(answers)) return answersFrom(answers, (meter) => tell({ kind: 'meter', meter }))
  if (existsSync(join(dirname(file), 'merge.ts'))) {
    const networks = new Set(recordedQuakes().map(({ network }) => network))
    const all = sourcesOf(watched(week), networks)
    setInterval(() => tell({ kind: 'load', load: loadOf(all) }), LOAD_EVERY_MS)
    return [all.sources]
  }
  const history = join(dirname(file), 'history.ts')
  const isHistory = existsSync(history)
  const isFiltered = existsSync(join(dirname(file), 'rule.ts'))
  if (!isHistory && !isFiltered) return [watched(week)]
  week = recordedWeek(since)
  if (isFiltered) return [pushedFrom(watched(week)), FILTERED_STREAM]
  return [await historyOf(history, watched(week))]
}

function loadOf({ taken }: Sources): Load {
  const { heapUsed: heap, external, rss } = process.memoryUsage()
  return { heap, external, rss, taken }
}

const LOAD_EVERY_MS = 1000

/**
 * Returns the feed, and reports each change of its number of readers, so that the learner can see the feed close. Reports
 * changes in the same turn together, because a server may open many sources at once.
 */
function watched(feed: Replay): Feed {
  let told = 0
  let looking: NodeJS.Immediate | undefined
  const look = (): void => {
    looking ??= setImmediate(() => {
      looking = undefined
      if (feed.readers === told) return
      told = feed.readers
      tell({ kind: 'feed', readers: told })
    })
  }
  return {
    open(signal) {
      const quakes = feed.open(signal)[Symbol.asyncIterator]()
      signal.addEventListener('abort', look, { once: true })
      return {
        [Symbol.asyncIterator]: () => ({
          next() {
            const next = quakes.next()
            look()
            return next.finally(look)
          },
          return: async () => (await quakes.return?.()) ?? { done: true, value: undefined },
        }),
      }
    },
  }
}

function fail(error: unknown): void {
  tell(
    isNotWritten(error) && when === 'loading'
      ? { kind: 'not written', what: error.message }
      : { kind: 'failed', when, thrown: described(error) },
    () => process.exit(1),
  )
}

function described(error: unknown): string {
  if (!(error instanceof Error)) return `threw ${String(error)}`
  // Return only the compiler's list of errors, because the compiler's own stack would not help the learner.
  if (error.name === 'TransformError') return error.message.split('\n').slice(1).join('\n')
  const frames = (error.stack ?? '').split('\n').filter((line) => /^ {4}at /.test(line))
  const own = frames.filter(
    (line) => !/node:|node_modules|[\\/]workshop[\\/]runtime[\\/]/.test(line),
  )
  return [`${error.name}: ${error.message}`, ...own.slice(0, 3)].join('\n')
}

function tell(message: RuntimeMessage, then?: () => void): void {
  process.send?.(message, () => then?.())
}
