import { spawn } from 'node:child_process'
import process from 'node:process'
import { ROOT } from '../root.ts'
import { HAS_GROUPS, signalGroup } from './process-group.ts'
import { onEndSignal } from './signals.ts'

/**
 * Runs a program in the workshop's folder and shows its output. On Ctrl-C, passes the signal on to the program and its
 * descendants, waits until the program has cleaned up and exited, and then ends this process as well.
 *
 * @param env variables to add to our own environment
 * @param print called with the output; if absent, the output goes straight to the terminal
 * @returns whether the exit code was 0
 */
export async function runChild(
  program: string,
  args: string[],
  env: NodeJS.ProcessEnv,
  print?: (text: Buffer) => void,
): Promise<boolean> {
  let stoppedBy: NodeJS.Signals | undefined
  // Listen before the child starts, because a signal in between would end this process but leave the child running.
  const stopListening = onEndSignal((signal) => {
    stoppedBy = signal
    // On Windows, Ctrl-C reaches every process in the terminal anyway.
    if (HAS_GROUPS && child.pid !== undefined) signalGroup(child.pid, signal)
  })
  const child = spawn(program, args, {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: print ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'],
    detached: HAS_GROUPS,
  })
  if (print) for (const stream of [child.stdout, child.stderr]) stream?.on('data', print)
  const code = await new Promise<number | null>((resolve) => {
    child.once('error', (error) => {
      console.error(error.message)
      resolve(null)
    })
    child.once('close', resolve)
  })
  stopListening()
  if (stoppedBy) process.kill(process.pid, stoppedBy)
  return code === 0
}
