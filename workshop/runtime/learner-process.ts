import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { forkTypeScript } from '../process/fork-typescript.ts'
import type { RuntimeMessage, RuntimeOrder } from '../../protocol/runtime.ts'

/** A process that has already loaded the modules that a server needs, and waits for the order to run one. */
export type LearnerProcess = {
  readonly isAlive: boolean
  /** Orders the process to run a server.ts. Call it only once. */
  run(order: RuntimeOrder, heard: ProcessListener): void
  /** Sends another order to the running program. */
  tell(order: RuntimeOrder): void
  /** Kills the process. The listener is not called again. */
  kill(): void
}

export type ProcessListener = {
  message(message: RuntimeMessage): void
  /** A line of its standard output or its standard error. */
  printed(line: string): void
  /** The process ended by itself; `how` is its exit code or its signal. */
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
    // A message that says why it ended may still arrive.
    if (child.connected) child.once('disconnect', () => ended(how))
    else ended(how)
  })
  for (const stream of [child.stdout!, child.stderr!]) {
    createInterface({ input: stream }).on('line', (line) => heard?.printed(line))
  }

  function kill(): void {
    isAlive = false
    heard = undefined
    // It may be in an endless loop, in which no other signal would end it.
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
