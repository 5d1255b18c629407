import { spawn } from 'node:child_process'
import process from 'node:process'
import { ROOT } from '../root.ts'
import { HAS_GROUPS, signalGroup } from './process-group.ts'
import { onEndSignal } from './signals.ts'

/**
 * Runs a program in the workshop's folder, and prints what it prints. Ctrl-C is passed on to it and all that it
 * has started. It may finish what must not be left half done, and then this process ends as well.
 *
 * @param env is added to our own
 * @param print gets what it prints, which otherwise goes straight to the terminal
 * @returns whether it ended with 0
 */
export async function runChild(
  program: string,
  args: string[],
  env: NodeJS.ProcessEnv,
  print?: (text: Buffer) => void,
): Promise<boolean> {
  let stoppedBy: NodeJS.Signals | undefined
  // Before it is started: a signal in between would end this process, and leave that one behind.
  const stopListening = onEndSignal((signal) => {
    stoppedBy = signal
    // On Windows Ctrl-C reaches everybody at the terminal.
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
