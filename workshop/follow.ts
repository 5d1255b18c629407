import { spawn } from 'node:child_process'
import process from 'node:process'
import { ROOT } from './root.ts'

/**
 * Runs a program in the workshop's folder, and prints what it prints. Ctrl-C is passed on to it and all that it
 * has started. It may finish what must not be left half done, and then this process ends as well.
 *
 * @param env is added to our own
 * @param print gets what it prints, which otherwise goes straight to the terminal
 * @returns whether it ended with 0
 */
export async function follow(
  program: string,
  words: string[],
  env: NodeJS.ProcessEnv,
  print?: (text: Buffer) => void,
): Promise<boolean> {
  // Windows has no such groups. There Ctrl-C reaches everybody at the terminal.
  const hasGroup = process.platform !== 'win32'
  let stoppedBy: NodeJS.Signals | undefined
  const passOn = (signal: NodeJS.Signals): void => {
    stoppedBy = signal
    try {
      if (hasGroup) process.kill(-child.pid!, signal)
    } catch {
      // It has just ended by itself.
    }
  }
  // Before it is started: a signal in between would end this process, and leave that one behind.
  for (const signal of SIGNALS) process.on(signal, passOn)
  const child = spawn(program, words, {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: print ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'],
    detached: hasGroup,
  })
  if (print) for (const stream of [child.stdout, child.stderr]) stream?.on('data', print)
  const code = await new Promise<number | null>((resolve) => {
    child.once('error', (error) => {
      console.error(error.message)
      resolve(null)
    })
    child.once('close', resolve)
  })
  for (const signal of SIGNALS) process.off(signal, passOn)
  if (stoppedBy) process.kill(process.pid, stoppedBy)
  return code === 0
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
