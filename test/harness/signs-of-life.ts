import { writeSync } from 'node:fs'
import { SIGN } from '../../protocol/grading.ts'
import { secrets } from './secrets.ts'

/**
 * Tells the grader, which watches this process, that the process is alive and what it is doing. Writes synchronously to
 * standard error, because an endless loop would keep any other message from being sent.
 */
export function signOfLife(what: string): void {
  if (secrets) writeToGrader(`${SIGN}${secrets.sign} ${what}\n`)
}

/** Writes a line to the grader, and waits while the pipe is full because the grader is too busy to read. */
function writeToGrader(line: string): void {
  for (let tries = 1; ; tries += 1) {
    try {
      writeSync(2, line)
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || tries === MOST_TRIES) throw error
      wait(cell, 0, 0, PAUSE_MS)
    }
  }
}

/** Counts a step of a check, so that the grader can tell a check that makes progress from one that waits forever. */
export function noteProgress(): void {
  progress += 1
}

let progress = 0

const EVERY_MS = 250

const { wait } = Atomics
const cell = new Int32Array(new SharedArrayBuffer(4))
const PAUSE_MS = 10
const MOST_TRIES = 500

if (secrets) {
  signOfLife('alive')
  setInterval(() => signOfLife(`alive ${progress}`), EVERY_MS).unref()
}
