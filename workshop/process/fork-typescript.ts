import { fork, type ChildProcess } from 'node:child_process'
import { ROOT } from '../root.ts'

/**
 * Starts a program written in TypeScript, in the workshop's folder and with a channel to it.
 *
 * @param output what becomes of what it prints
 */
export function forkTypeScript(file: string, output: 'ignore' | 'pipe'): ChildProcess {
  return fork(file, {
    cwd: ROOT,
    execArgv: ['--import', import.meta.resolve('tsx')],
    stdio: ['ignore', output, output, 'ipc'],
  })
}
