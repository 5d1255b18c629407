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
 * The process in which the work runs. It may read the checks and its own files and nothing else of the workshop,
 * and may write nothing and start nothing. Its memory is limited.
 */
export type Worker = PoolWorker & {
  /** Absent when it could not be started. */
  readonly pid: number | undefined
  readonly isAlive: boolean
  /** Settled when the process has ended. */
  readonly exited: Promise<void>
  /** Ends the process and whatever it has started, at once. */
  kill(): void
}

type WorkerOptions = {
  /** Files, and folders with a `*` at the end, that the work may read. */
  mayRead: string[]
  env: Record<string, string>
  /** What the process says of itself, see `test/harness/signs-of-life.ts`. */
  onSign(sign: string): void
  /** Any other line of its standard error: how Node says goodbye. */
  onLine(line: string): void
  /** Whether it outlives the run that is under way, and takes another. */
  staysWarm(): boolean
}

/** Starts the process at once. Vitest loads meanwhile, and takes it when it is ready for it. */
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
  // What Vitest hears of the process.
  const heard = new EventEmitter()
  child.on('message', (message) => heard.emit('message', message))
  const exited = new Promise<void>((resolve) => {
    const ended = (): void => {
      takeBack()
      // Vitest waits a minute for a process that ended before it had begun.
      answer('started', new Error('the process ended'))
      // Vitest throws when this comes while it has no task for the process: then nobody needs to know.
      try {
        heard.emit('exit')
      } catch {}
      resolve()
    }
    child.once('exit', ended)
    child.on('error', (error) => {
      if (heard.listenerCount('error') > 0) heard.emit('error', error)
      // It could not be started, or ended while it was told something; in that case 'exit' follows.
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
    // At the very beginning it leads no group yet.
    child.kill('SIGKILL')
  }

  /** Says to Vitest what the process does not. */
  function answer(type: 'started' | 'stopped', error?: Error): void {
    heard.emit('message', { type, error, __vitest_worker_response__: true })
  }

  return {
    name: 'work',
    pid: child.pid,
    get isAlive() {
      return child.pid !== undefined && child.exitCode === null && child.signalCode === null
    },
    // What Vitest has compiled comes through the channel: the folder for temporary files may hold anything.
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
      // Asked to stop, the work gets no say in it: what it leaves behind ends with its process.
      if (!staysWarm()) kill()
      answer('stopped')
    },
    deserialize: (data) => data,
  }
}

/**
 * A group of its own keeps it from the Ctrl-C of the terminal, and can be ended as a whole. Windows has no groups;
 * and whoever ends this process together with its group wants the work in it.
 */
const LEADS_GROUP = HAS_GROUPS && !process.env.WORKSHOP_ONE_GROUP

const VITEST = join(ROOT, 'node_modules', 'vitest', 'dist')

/** Node's permission model; the flag lost its `experimental-` when the model did. */
function permissions(mayRead: string[]): string[] {
  const flag = process.allowedNodeEnvironmentFlags.has('--permission')
    ? '--permission'
    : '--experimental-permission'
  const net = process.allowedNodeEnvironmentFlags.has('--allow-net') ? ['--allow-net'] : []
  // Node 20 does not survive to be told the same path twice.
  return [flag, ...net, ...new Set(mayRead.map((path) => `--allow-fs-read=${path}`))]
}
