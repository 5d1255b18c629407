import { writeFileSync } from 'node:fs'
import process from 'node:process'
import type { Reporter } from '@playwright/test/reporter'
import { cpuSeconds } from './cpu-seconds.ts'

/** Writes the CPU seconds of all browser tests to the file that CPU_OUTPUT_FILE names. */
export default class CpuReporter implements Reporter {
  /** Runs after the browsers and the processes of the tests have ended. */
  onExit(): Promise<void> {
    writeFileSync(process.env.CPU_OUTPUT_FILE!, JSON.stringify(cpuSeconds() ?? null))
    return Promise.resolve()
  }

  printsToStdio(): boolean {
    return false
  }
}
