import { fork } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { ROOT } from '../root.ts'
import type { Message, Order } from './message.ts'

/** A process that is warm: it has loaded what a server needs, and waits for the order to run one. */
export type Runner = {
  readonly isAlive: boolean
  /** Gives the order to run a server.ts, once. */
  run(order: Order, heard: Heard): void
  /** Gives another order to the one that runs. */
  tell(order: Order): void
  /** Ends the process, whatever it does. Nothing of it is heard any more. */
  kill(): void
}

export type Heard = {
  message(message: Message): void
  /** A line of its standard output or its standard error. */
  printed(line: string): void
  /** It ended by itself; `how` is its exit code or its signal. */
  ended(how: string): void
}

export function runner(): Runner {
  const child = fork(PROGRAM, {
    cwd: ROOT,
    execArgv: ['--import', import.meta.resolve('tsx')],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  let isAlive = true
  let heard: Heard | undefined

  const ended = (how: string): void => {
    isAlive = false
    process.off('exit', kill)
    heard?.ended(how)
  }
  child.on('message', (message: Message) => heard?.message(message))
  child.on('error', (error) => ended(error.message))
  child.on('exit', (code, signal) => {
    const how = signal ?? `exit code ${code}`
    // Why it ended may still be on its way.
    if (child.connected) child.once('disconnect', () => ended(how))
    else ended(how)
  })
  for (const stream of [child.stdout!, child.stderr!]) {
    createInterface({ input: stream }).on('line', (line) => heard?.printed(line))
  }

  function kill(): void {
    isAlive = false
    heard = undefined
    // It may be in an endless loop, and would not hear anything else.
    child.kill('SIGKILL')
  }

  process.once('exit', kill)
  return {
    get isAlive() {
      return isAlive
    },
    run(order, listener) {
      if (!isAlive) return
      heard = listener
      child.send(order)
    },
    tell(order) {
      if (isAlive) child.send(order)
    },
    kill,
  }
}

const PROGRAM = fileURLToPath(new URL('program.ts', import.meta.url))
