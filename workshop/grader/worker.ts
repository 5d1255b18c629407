import { spawn } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import type { PoolWorker } from 'vitest/node'
import { SIGN, type TaskAnswer, type TaskMessage } from '../../protocol/grading.ts'
import { onExit } from '../process/on-exit.ts'
import { HAS_GROUPS, signalGroup } from '../process/process-group.ts'
import { ROOT } from '../root.ts'
import { MEMORY_MB } from './memory.ts'

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
  const command = [
    process.execPath,
    '--no-warnings',
    `--max-old-space-size=${MEMORY_MB}`,
    ...permissions(mayRead),
    `--import=data:text/javascript,${encodeURIComponent(HIDEABLE)}`,
    join(VITEST, 'workers/forks.js'),
  ]
  const [program, ...args] = HAS_GROUPS ? ['/bin/sh', '-c', TETHERED, 'sh', ...command] : command
  const child = spawn(program!, args, {
    env: { ...process.env, TEST: 'true', VITEST: 'true', NODE_ENV: 'test', ...env },
    detached: LEADS_GROUP,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc', ...(HAS_GROUPS ? ['pipe' as const] : [])],
    serialization: 'advanced',
  })
  const takeBack = onExit(kill)
  const tether = child.stdio[4] as Writable | undefined
  // The process may end before the line is written.
  tether?.on('error', () => {})
  // Vitest listens to the process through this emitter.
  const heard = new EventEmitter()
  child.on('message', (message) => {
    if (isTask(message)) void onTask(message).then(sendToChild)
    else heard.emit('message', message)
  })
  const exited = new Promise<void>((resolve) => {
    const ended = (): void => {
      takeBack()
      tether?.end('\n')
      // Report the end, because if the process has not started yet, Vitest would otherwise wait a minute for its start.
      answer('started', new Error('the process ended'))
      // Vitest throws here if it has no task for the process. Ignore that error, because the end of the process then
      // affects no task.
      try {
        heard.emit('exit')
      } catch {}
      resolve()
    }
    child.once('exit', ended)
    child.on('error', (error) => {
      if (heard.listenerCount('error') > 0) heard.emit('error', error)
      // Either the process could not be started, or it ended while a message was sent. In the latter case, an 'exit'
      // event follows.
      if (child.pid === undefined) ended()
    })
  })

  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    for (const line of text.split('\n')) {
      if (line.startsWith(SIGN)) onSign(line.slice(SIGN.length))
      else if (line !== '') onLine(line)
    }
  })

  function kill(): void {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    if (LEADS_GROUP) signalGroup(child.pid, 'SIGKILL')
    // Directly after its start, the process does not lead a group yet.
    child.kill('SIGKILL')
  }

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
      return child.pid !== undefined && child.exitCode === null && child.signalCode === null
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
 * Whether the process leads a group of its own. If it does, Ctrl-C in the terminal does not reach it, and it can be
 * killed together with everything that it has started. Windows has no groups. WORKSHOP_ONE_GROUP keeps the process in
 * the group of its parent, so that killing that group also kills this process.
 */
const LEADS_GROUP = HAS_GROUPS && !process.env.WORKSHOP_ONE_GROUP

/**
 * Creates the global in which Vitest offers all of its functions, so that test/harness/lock.ts can hide it later. Vitest
 * would create it as a property that cannot change.
 */
const HIDEABLE =
  "Object.defineProperty(globalThis, '__vitest_index__', { value: undefined, configurable: true })"

/**
 * A shell script that starts the process and a watcher. The watcher kills the process if the pipe from us is closed without
 * a line, which happens if we are killed. The process itself may be in an endless loop, and would not notice.
 */
const TETHERED = '(exec 3<&- 2>/dev/null; read -r _ <&4 || kill -9 $$) </dev/null & exec "$@" 4<&-'

const VITEST = join(ROOT, 'node_modules', 'vitest', 'dist')

/** Returns the flags of Node's permission model. Older versions call it experimental. */
function permissions(mayRead: string[]): string[] {
  const flag = process.allowedNodeEnvironmentFlags.has('--permission')
    ? '--permission'
    : '--experimental-permission'
  const net = process.allowedNodeEnvironmentFlags.has('--allow-net') ? ['--allow-net'] : []
  // Node 20 crashes if a path is listed twice.
  return [flag, ...net, ...new Set(mayRead.map((path) => `--allow-fs-read=${path}`))]
}
