import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Duplex, Readable } from 'node:stream'

/** A program that ends with this process, whatever becomes of it. */
export type TetheredProgram = {
  /** The last of what it printed. */
  readonly printed: string
  readonly hasEnded: boolean
  /** Ends it and all that it has started, and removes its folder. */
  stop(): Promise<void>
}

/**
 * Starts a program in a folder of its own. Whatever becomes of us, both go: the shell that starts the program leaves
 * somebody behind who waits for the end of a pipe, and that comes when we stop it, when we end, and when we are killed.
 */
export function startTethered(program: string, args: string[], folder: string): TetheredProgram {
  const child = spawn('/bin/sh', ['-c', SCRIPT, folder, program, ...args], {
    cwd: folder,
    env: { ...process.env, HOME: folder },
    // A group of its own, so that all of it can be ended; Ctrl-C at our terminal does not reach it.
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
  // Its pipes are closed when nobody of the group is left.
  const gone = once(child, 'close')
  // We need not stay for it: it goes with us.
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
