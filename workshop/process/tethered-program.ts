import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Duplex, Readable } from 'node:stream'

/** A program that ends when this process ends, for whatever reason. */
export type TetheredProgram = {
  /** The last part of the program's output. */
  readonly printed: string
  readonly hasEnded: boolean
  /** Undefined if the program could not be started. */
  readonly pid: number | undefined
  /** Resolves when the program has ended. */
  readonly ended: Promise<unknown>
  /** Kills the program and its descendants, and removes its folder. */
  stop(): Promise<void>
}

export type User = { uid: number; gid: number }

export type TetherOptions = {
  /** The user who runs the program and owns its folder, if not our own. */
  user?: User | undefined
  /** The folder in which the program runs, if not its own. */
  cwd?: string
  /** How many of the last characters of the output to keep. */
  keeps?: number
}

/**
 * Starts a program in its own folder. Whatever happens to this process, the program is killed and the folder is removed.
 * For that purpose, the shell that starts the program also starts a watcher, which waits until a pipe from us is closed.
 * The pipe closes when we stop the program, when this process exits, and when it is killed.
 */
export function startTethered(
  program: string,
  args: string[],
  folder: string,
  { user, cwd = folder, keeps = 2000 }: TetherOptions = {},
): TetheredProgram {
  const child = spawn('/bin/sh', ['-c', SCRIPT, folder, program, ...args], {
    cwd,
    env: { ...process.env, HOME: folder },
    ...user,
    // Give the program a process group, so that it can be killed with its descendants, and Ctrl-C in our terminal does
    // not reach it.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream!.on('data', (text: Buffer) => {
      printed = (printed + text.toString()).slice(-keeps)
    })
  }
  const tether = child.stdio[3] as Duplex
  tether.on('error', () => {})
  // 'close' fires when every process in the group that held the pipes open has exited.
  const gone = once(child, 'close')
  const ended = once(child, 'exit').catch(() => {})
  // Do not keep this process alive for the program, because the program ends together with this process.
  child.unref()
  for (const pipe of [child.stdout, child.stderr, tether]) unref(pipe)
  return {
    get printed() {
      return printed
    },
    pid: child.pid,
    ended,
    get hasEnded() {
      return child.exitCode !== null || child.signalCode !== null
    },
    async stop() {
      tether.destroy()
      child.ref()
      for (const pipe of [child.stdout, child.stderr]) ref(pipe)
      await gone
    },
  }
}

const SCRIPT =
  '(cat <&3 >/dev/null; kill -9 $$ 2>/dev/null; rm -rf "$0"; kill -9 0) & exec "$@" 3<&-'

type Handle = { ref(): void; unref(): void }

function unref(pipe: Readable | null): void {
  ;(pipe as unknown as Handle).unref()
}

function ref(pipe: Readable | null): void {
  ;(pipe as unknown as Handle).ref()
}
