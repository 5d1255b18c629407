import process from 'node:process'
import { vi } from 'vitest'

/** Waits until no process has the given ID. A process that has ended still exists until its parent has reaped it. */
export async function untilGone(pid: number): Promise<void> {
  const isThere = (): boolean => {
    try {
      return process.kill(pid, 0)
    } catch {
      return false
    }
  }
  await vi.waitUntil(() => !isThere(), { timeout: 120_000 })
}
