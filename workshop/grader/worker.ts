import { EventEmitter } from 'node:events'
import { join } from 'node:path'
import type { PoolWorker } from 'vitest/node'
import { SIGN, type TaskAnswer, type TaskMessage } from '../../protocol/grading.ts'
import { ROOT } from '../root.ts'
import { startConfined } from './confined-process.ts'

/**
 * The process in which the learner's code runs. In the workshop's folder, this process may read only the checks and
 * the learner's files. It may not write files or start programs, and its memory is limited.
 */
export type Worker = PoolWorker & {
  /** Undefined if the process could not be started. */
  readonly pid: number | undefined
  readonly isAlive: boolean
  /** Resolves when the process has ended. */
  readonly exited: Promise<void>
  /** Kills the process and everything that it has started. */
  kill(): void
}

type WorkerOptions = {
  /** The files and folders that the process may read. Folders end with `*`. */
  mayRead: string[]
  env: Record<string, string>
  /** Called with each sign of life, see `test/harness/signs-of-life.ts`. */
  onSign(sign: string): void
  /** Called with each other line of the process's standard error, where Node says why the process ends. */
  onLine(line: string): void
  /** Called with each message of a check to the grader. The answer is sent back. */
  onTask(message: TaskMessage): Promise<TaskAnswer>
  /** Whether the process outlives the current run and then takes another. */
  staysWarm(): boolean
}

/** Starts the process immediately. Vitest loads at the same time, and uses the process when it is ready. */
export function startWorker({
  mayRead,
  env,
  onSign,
  onLine,
  onTask,
  staysWarm,
}: WorkerOptions): Worker {
  const hideable = `--import=data:text/javascript,${encodeURIComponent(HIDEABLE)}`
  const confined = startConfined([hideable, join(VITEST, 'workers/forks.js')], {
    mayRead,
    env: { TEST: 'true', VITEST: 'true', ...env },
  })
  const { child, kill } = confined
  // Vitest listens to the process through this emitter.
  const heard = new EventEmitter()
  child.on('message', (message) => {
    if (isTask(message)) void onTask(message).then(sendToChild)
    else heard.emit('message', message)
  })
  child.on('error', (error) => {
    if (heard.listenerCount('error') > 0) heard.emit('error', error)
  })
  const exited = tellOfEnd()

  async function tellOfEnd(): Promise<void> {
    await confined.exited
    // Report the end, because if the process has not started yet, Vitest would otherwise wait a minute for its start.
    answer('started', new Error('the process ended'))
    // Vitest throws here if it has no task for the process. Ignore that error, because the end of the process then
    // affects no task.
    try {
      heard.emit('exit')
    } catch {}
  }

  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    for (const line of text.split('\n')) {
      if (line.startsWith(SIGN)) onSign(line.slice(SIGN.length))
      else if (line !== '') onLine(line)
    }
  })

  function sendToChild(message: object): void {
    if (child.connected) child.send(message)
  }

  /** Answers Vitest in place of the process. */
  function answer(type: 'started' | 'stopped', error?: Error): void {
    heard.emit('message', { type, error, __vitest_worker_response__: true })
  }

  return {
    name: 'work',
    pid: child.pid,
    get isAlive() {
      return confined.isAlive
    },
    // Send modules over IPC: the worker may not read the temp directory.
    cacheFs: false,
    kill,
    async start() {},
    async stop() {
      heard.removeAllListeners()
      if (staysWarm()) return
      kill()
      await exited
    },
    exited,
    on: (event, listener) => void heard.on(event, listener),
    off: (event, listener) => void heard.off(event, listener),
    send(message) {
      if (message.type !== 'stop') return sendToChild(message)
      // Do not ask the learner's code to stop. Anything that it has left running ends with its process.
      if (!staysWarm()) kill()
      answer('stopped')
    },
    deserialize: (data) => data,
  }
}

/** Returns whether a message is for the grader and not for Vitest. */
function isTask(message: unknown): message is TaskMessage {
  const { task, args, word } = (message ?? {}) as Partial<TaskMessage>
  return typeof task === 'string' && Array.isArray(args) && typeof word === 'string'
}

/**
 * Creates the global in which Vitest offers all of its functions, so that test/harness/lock.ts can hide it later. Vitest
 * would create it as a property that cannot change.
 */
const HIDEABLE =
  "Object.defineProperty(globalThis, '__vitest_index__', { value: undefined, configurable: true })"

const VITEST = join(ROOT, 'node_modules', 'vitest', 'dist')
