import { spawnSync, type ChildProcess } from 'node:child_process'
import process from 'node:process'

/** Whether a child that is started `detached` leads a group of its own. Windows has no groups. */
export const HAS_GROUPS = process.platform !== 'win32'

/** Ends a child and all that it has started, at once: its group, or what Windows has instead. */
export function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return
  if (HAS_GROUPS) signalGroup(pid, 'SIGKILL')
  else spawnSync('taskkill', ['/pid', String(pid), '/t', '/f'], { stdio: 'ignore' })
}

/** @param leader the process id of a child that was started `detached` */
export function signalGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal)
  } catch {
    // Nobody of the group is left.
  }
}

/** Whether there is a process with that id. */
export function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
