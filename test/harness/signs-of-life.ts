import { writeSync } from 'node:fs'
import { SIGN } from '../../protocol/grading.ts'
import { secrets } from './secrets.ts'

/**
 * Tells the grader, which watches this process, that the process is alive and what it is doing. Writes synchronously to
 * standard error, because an endless loop would keep any other message from being sent.
 */
export function signOfLife(what: string): void {
  if (secrets) writeSync(2, `${SIGN}${secrets.sign} ${what}\n`)
}

/** Counts a step of a check, so that the grader can tell a check that makes progress from one that waits forever. */
export function noteProgress(): void {
  progress += 1
}

let progress = 0

const EVERY_MS = 250

if (secrets) {
  signOfLife('alive')
  setInterval(() => signOfLife(`alive ${progress}`), EVERY_MS).unref()
}
