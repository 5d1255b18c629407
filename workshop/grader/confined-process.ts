import { spawn, type ChildProcess } from 'node:child_process'
import type { Writable } from 'node:stream'
import { onExit } from '../process/on-exit.ts'
import { HAS_GROUPS, signalGroup } from '../process/process-group.ts'
import { MEMORY_MB } from './memory.ts'

/**
 * A Node process in which a learner's code runs. It may read only some files, may not write files or start programs, and its
 * memory is limited. It ends when this process ends, for whatever reason.
 */
export type ConfinedProcess = {
  /** Its standard error is a pipe, and it has an IPC channel. */
  readonly child: ChildProcess
  readonly isAlive: boolean
  /** Resolves when the process has ended or could not be started. */
  readonly exited: Promise<void>
  /** Kills the process and everything that it has started. */
  kill(): void
}

type ConfinedOptions = {
  /** The files and folders that the process may read. Folders end with `*`. */
  mayRead: string[]
  env: Record<string, string>
}

/** Starts Node. @param args Node's options, the file to run, and its arguments */
export function startConfined(args: string[], { mayRead, env }: ConfinedOptions): ConfinedProcess {
  const command = [
    process.execPath,
    '--no-warnings',
    `--max-old-space-size=${MEMORY_MB}`,
    ...permissions(mayRead),
    ...args,
  ]
  const [program, ...rest] = HAS_GROUPS ? ['/bin/sh', '-c', TETHERED, 'sh', ...command] : command
  const child = spawn(program!, rest, {
    env: { ...process.env, NODE_ENV: 'test', ...env },
    detached: LEADS_GROUP,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc', ...(HAS_GROUPS ? ['pipe' as const] : [])],
    serialization: 'advanced',
  })
  const takeBack = onExit(kill)
  const tether = child.stdio[4] as Writable | undefined
  // The process may end before the line is written.
  tether?.on('error', () => {})
  const exited = new Promise<void>((resolve) => {
    const ended = (): void => {
      takeBack()
      tether?.end('\n')
      resolve()
    }
    child.once('exit', ended)
    child.on('error', () => {
      // Either the process could not be started, or it ended while a message was sent. In the latter case, an 'exit'
      // event follows.
      if (child.pid === undefined) ended()
    })
  })

  function isAlive(): boolean {
    return child.pid !== undefined && child.exitCode === null && child.signalCode === null
  }

  function kill(): void {
    if (!isAlive()) return
    if (LEADS_GROUP) signalGroup(child.pid!, 'SIGKILL')
    // Directly after its start, the process does not lead a group yet.
    child.kill('SIGKILL')
  }

  return {
    child,
    get isAlive() {
      return isAlive()
    },
    exited,
    kill,
  }
}

/**
 * Whether the process leads a group of its own. If it does, Ctrl-C in the terminal does not reach it, and it can be
 * killed together with everything that it has started. Windows has no groups. WORKSHOP_ONE_GROUP keeps the process in
 * the group of its parent, so that killing that group also kills this process.
 */
const LEADS_GROUP = HAS_GROUPS && !process.env.WORKSHOP_ONE_GROUP

/**
 * A shell script that starts the process and a watcher. The watcher kills the process if the pipe from us is closed without
 * a line, which happens if we are killed. The process itself may be in an endless loop, and would not notice.
 */
const TETHERED = '(exec 3<&- 2>/dev/null; read -r _ <&4 || kill -9 $$) </dev/null & exec "$@" 4<&-'

/** Returns the flags of Node's permission model. Older versions call it experimental. */
function permissions(mayRead: string[]): string[] {
  const flag = process.allowedNodeEnvironmentFlags.has('--permission')
    ? '--permission'
    : '--experimental-permission'
  const net = process.allowedNodeEnvironmentFlags.has('--allow-net') ? ['--allow-net'] : []
  // Node 20 crashes if a path is listed twice.
  return [flag, ...net, ...new Set(mayRead.map((path) => `--allow-fs-read=${path}`))]
}
