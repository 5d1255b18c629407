import { writeSync } from 'node:fs'
import { SIGN } from '../../protocol/grading.ts'

/**
 * Tells the grader, which watches this process, that the process is alive and what it is doing. Writes synchronously to
 * standard error, because an endless loop would keep any other message from being sent.
 */
export function signOfLife(what: string): void {
  if (process.env.WORKSHOP_SANDBOX) writeSync(2, `${SIGN}${what}\n`)
}

const EVERY_MS = 250

if (process.env.WORKSHOP_SANDBOX) {
  signOfLife('alive')
  setInterval(() => signOfLife('alive'), EVERY_MS).unref()
}
