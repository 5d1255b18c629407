import { spawn } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { join } from 'node:path'
import type { PoolWorker } from 'vitest/node'
import { SIGN } from '../../protocol/grading.ts'
import { onExit } from '../process/on-exit.ts'
import { HAS_GROUPS, signalGroup } from '../process/process-group.ts'
import { ROOT } from '../root.ts'
import { MEMORY_MB } from './memory.ts'

/**
 * The process in which the submission runs. Of the workshop it may read only the checks and its own files. It may neither
 * write files nor start processes, and its memory is limited.
 */
export type Worker = PoolWorker & {
  /** Absent if the process could not be started. */
  readonly pid: number | undefined
  readonly isAlive: boolean
  /** Resolves when the process has ended. */
  readonly exited: Promise<void>
  /** Ends the process and everything that it has started, at once. */
  kill(): void
}

type WorkerOptions = {
  /** The files that the submission may read, and folders with a `*` at the end. */
  mayRead: string[]
  env: Record<string, string>
  /** Called with each sign of life, see `test/harness/signs-of-life.ts`. */
  onSign(sign: string): void
  /** Called with every other line of standard error, where Node says why it ends. */
  onLine(line: string): void
  /** Returns whether the process continues after the current run and takes another one. */
  staysWarm(): boolean
}

/** Starts the process at once. Vitest loads meanwhile, and uses the process when it is ready. */
export function startWorker({ mayRead, env, onSign, onLine, staysWarm }: WorkerOptions): Worker {
  const child = spawn(
    process.execPath,
    [
      '--no-warnings',
      `--max-old-space-size=${MEMORY_MB}`,
      ...permissions(mayRead),
      join(VITEST, 'workers/forks.js'),
    ],
    {
      env: { ...process.env, TEST: 'true', VITEST: 'true', NODE_ENV: 'test', ...env },
      detached: LEADS_GROUP,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'advanced',
    },
  )
  const takeBack = onExit(kill)
  // The events of the process that Vitest listens to.
  const heard = new EventEmitter()
  child.on('message', (message) => heard.emit('message', message))
  const exited = new Promise<void>((resolve) => {
    const ended = (): void => {
      takeBack()
      // Vitest waits for a minute if a process ends before it has begun.
      answer('started', new Error('the process ended'))
      // Vitest throws if this happens while it has no task for the process. Then the end does not matter.
      try {
        heard.emit('exit')
      } catch {}
      resolve()
    }
    child.once('exit', ended)
    child.on('error', (error) => {
      if (heard.listenerCount('error') > 0) heard.emit('error', error)
      // It could not be started, or it ended while it was being sent a message. Then 'exit' follows.
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
    // At the very beginning it does not lead a group yet.
    child.kill('SIGKILL')
  }

  /** Sends Vitest an answer that the process does not send. */
  function answer(type: 'started' | 'stopped', error?: Error): void {
    heard.emit('message', { type, error, __vitest_worker_response__: true })
  }

  return {
    name: 'work',
    pid: child.pid,
    get isAlive() {
      return child.pid !== undefined && child.exitCode === null && child.signalCode === null
    },
    // Send modules over IPC, because the process may not read the folder for temporary files.
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
      if (message.type !== 'stop') return void (child.connected && child.send(message))
      // Do not ask the submission to stop. Everything that it has left ends together with its process.
      if (!staysWarm()) kill()
      answer('stopped')
    },
    deserialize: (data) => data,
  }
}

/**
 * A group of its own does not get the terminal's Ctrl-C, and can be ended as a whole. Windows has no groups. A program
 * that ends the workshop together with its group sets the variable, so that the submission is in the same group.
 */
const LEADS_GROUP = HAS_GROUPS && !process.env.WORKSHOP_ONE_GROUP

const VITEST = join(ROOT, 'node_modules', 'vitest', 'dist')

/** Returns the flags of Node's permission model. In older versions of Node their name has `experimental-` in it. */
function permissions(mayRead: string[]): string[] {
  const flag = process.allowedNodeEnvironmentFlags.has('--permission')
    ? '--permission'
    : '--experimental-permission'
  const net = process.allowedNodeEnvironmentFlags.has('--allow-net') ? ['--allow-net'] : []
  // Node 20 crashes if it gets the same path twice.
  return [flag, ...net, ...new Set(mayRead.map((path) => `--allow-fs-read=${path}`))]
}
