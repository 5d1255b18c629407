import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Duplex, Readable } from 'node:stream'

/** A program that ends when this process ends, for whatever reason. */
export type TetheredProgram = {
  /** The last part of its output. */
  readonly printed: string
  readonly hasEnded: boolean
  /** Kills the program and its descendants, and removes its folder. */
  stop(): Promise<void>
}

/**
 * Starts a program in its own folder. Both are removed whatever happens to this process: the shell that starts the program
 * also starts a watcher, which waits until a pipe from us is closed. The pipe closes when we stop the program, when we
 * end, and when we are killed.
 */
export function startTethered(program: string, args: string[], folder: string): TetheredProgram {
  const child = spawn('/bin/sh', ['-c', SCRIPT, folder, program, ...args], {
    cwd: folder,
    env: { ...process.env, HOME: folder },
    // Its own process group, so that all of it can be killed, and so that Ctrl-C in our terminal does not reach it.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream!.on('data', (text: Buffer) => {
      printed = (printed + text.toString()).slice(-2000)
    })
  }
  const tether = child.stdio[3] as Duplex
  tether.on('error', () => {})
  // 'close' fires when no process of the group is left that holds the pipes open.
  const gone = once(child, 'close')
  // Do not keep this process alive for the program, because it ends with us.
  child.unref()
  for (const pipe of [child.stdout, child.stderr, tether]) unref(pipe)
  return {
    get printed() {
      return printed
    },
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
