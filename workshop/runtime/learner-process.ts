import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { forkTypeScript } from '../process/fork-typescript.ts'
import type { RuntimeMessage, RuntimeOrder } from '../../protocol/runtime.ts'

/** A process that is warm: it has loaded what a server needs, and waits for the order to run one. */
export type LearnerProcess = {
  readonly isAlive: boolean
  /** Gives the order to run a server.ts, once. */
  run(order: RuntimeOrder, heard: ProcessListener): void
  /** Gives another order to the one that runs. */
  tell(order: RuntimeOrder): void
  /** Ends the process, whatever it does. Nothing of it is heard any more. */
  kill(): void
}

export type ProcessListener = {
  message(message: RuntimeMessage): void
  /** A line of its standard output or its standard error. */
  printed(line: string): void
  /** It ended by itself; `how` is its exit code or its signal. */
  ended(how: string): void
}

export function startLearnerProcess(): LearnerProcess {
  const child = forkTypeScript(PROGRAM, 'pipe')
  let isAlive = true
  let heard: ProcessListener | undefined

  const ended = (how: string): void => {
    isAlive = false
    process.off('exit', kill)
    heard?.ended(how)
  }
  child.on('message', (message: RuntimeMessage) => heard?.message(message))
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
