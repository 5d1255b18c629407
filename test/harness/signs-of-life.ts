import { writeSync } from 'node:fs'
import { SIGN } from '../../protocol/grading.ts'

/**
 * Tells the grader, which watches from outside, that this process is alive and what it is doing. Written
 * straight to standard error: it is the only thing that gets out before an endless loop.
 */
export function signOfLife(what: string): void {
  if (process.env.WORKSHOP_SANDBOX) writeSync(2, `${SIGN}${what}\n`)
}

const EVERY_MS = 250

if (process.env.WORKSHOP_SANDBOX) {
  signOfLife('alive')
  setInterval(() => signOfLife('alive'), EVERY_MS).unref()
}
