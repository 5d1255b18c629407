import { spawnSync, type ChildProcess } from 'node:child_process'
import process from 'node:process'

/** Whether a `detached` child leads its own process group. Windows has no process groups. */
export const HAS_GROUPS = process.platform !== 'win32'

/** Kills a child and all its descendants: its process group or, on Windows, its process tree. */
export function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return
  if (HAS_GROUPS) signalGroup(pid, 'SIGKILL')
  else spawnSync('taskkill', ['/pid', String(pid), '/t', '/f'], { stdio: 'ignore' })
}

/**
 * Sends a signal to a process group.
 *
 * @param leader the process ID of a child that was started `detached`
 */
export function signalGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal)
  } catch {
    // Ignore the error, because no process in the group is left.
  }
}

/** Returns whether a process with this ID exists. */
export function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
