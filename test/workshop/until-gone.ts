import process from 'node:process'
import { vi } from 'vitest'

/** Until no process has that number: one that has ended is there until somebody has taken note of it. */
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
