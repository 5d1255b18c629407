import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { legible } from '../../wire/visible.ts'
import { forkTypeScript } from '../process/fork-typescript.ts'
import type { RuntimeMessage, RuntimeOrder } from '../../protocol/runtime.ts'

/** A process that has already loaded the modules that servers need, and waits for the order to run a server. */
export type LearnerProcess = {
  readonly isAlive: boolean
  /** Orders the process to run a server.ts or client.ts. Call this only once. */
  run(order: RuntimeOrder, heard: ProcessListener): void
  /** Sends another order to the running program. */
  tell(order: RuntimeOrder): void
  /** Kills the process. The listener is not called again. */
  kill(): void
}

export type ProcessListener = {
  message(message: RuntimeMessage): void
  /** Called with each line of the process's standard output and standard error. */
  printed(line: string): void
  /** Called when the process has ended by itself; `how` is its exit code or its signal. */
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
  child.on('message', (message: RuntimeMessage | null) => {
    if (message !== null) heard?.message(legibleIn(message))
  })
  child.on('error', (error) => ended(error.message))
  child.on('exit', (code, signal) => {
    const how = signal ?? `exit code ${code}`
    // Wait, because a message that says why the process ended may still arrive.
    if (child.connected) child.once('disconnect', () => ended(how))
    else ended(how)
  })
  for (const stream of [child.stdout!, child.stderr!]) {
    readLines(stream, (line) => heard?.printed(legible(line)))
  }

  function kill(): void {
    isAlive = false
    heard = undefined
    // The process may be in an endless loop, in which no other signal would end it.
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

/** Calls `heard` with each line. Splits a line that is very long, because it may never end. */
function readLines(stream: Readable, heard: (line: string) => void): void {
  let begun = ''
  stream.setEncoding('utf8').on('data', (text: string) => {
    const lines = (begun + text).split(/\r?\n/)
    begun = lines.pop()!
    for (const line of lines) heard(line)
    if (begun.length < LONGEST_LINE) return
    heard(begun)
    begun = ''
  })
  stream.on('end', () => {
    if (begun !== '') heard(begun)
  })
}

const LONGEST_LINE = 10_000

/** Makes every text in a message legible, because the learner's code may have written it. */
function legibleIn<T>(value: T): T {
  return JSON.parse(JSON.stringify(value), (_key, part: unknown) =>
    typeof part === 'string' ? legible(part) : part,
  ) as T
}

const PROGRAM = fileURLToPath(new URL('program.ts', import.meta.url))
