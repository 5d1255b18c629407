import { fork, type ChildProcess } from 'node:child_process'
import { ROOT } from '../root.ts'

/**
 * Starts a TypeScript program in the workshop's folder, with an IPC channel to it.
 *
 * @param output whether to read, to ignore or to show what the program prints
 */
export function forkTypeScript(file: string, output: 'ignore' | 'pipe' | 'inherit'): ChildProcess {
  return fork(file, {
    cwd: ROOT,
    execArgv: ['--import', import.meta.resolve('tsx')],
    stdio: ['ignore', output, output, 'ipc'],
  })
}
