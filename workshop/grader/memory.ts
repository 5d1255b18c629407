import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

/** What the process of the work may have. The solutions and their checks take less than 200. */
export const MEMORY_MB = 1024

/** Looks at the memory of a process, time and again, and calls `tooMuch` once. */
export function watchMemory(pid: number, tooMuch: () => void): { stop(): void } {
  let isLooking = false
  const timer = setInterval(async () => {
    if (isLooking) return
    isLooking = true
    const has = await residentMb(pid)
    isLooking = false
    if (has === undefined || has <= MEMORY_MB) return
    clearInterval(timer)
    tooMuch()
  }, EVERY_MS)
  return { stop: () => clearInterval(timer) }
}

// Elsewhere than on Linux a program has to be started for it.
const EVERY_MS = process.platform === 'linux' ? 250 : 1000

/** In megabytes; undefined when the process is gone. */
async function residentMb(pid: number): Promise<number | undefined> {
  try {
    const kilobytes = await (process.platform === 'linux'
      ? ofProc(pid)
      : process.platform === 'win32'
        ? ofTasklist(pid)
        : ofPs(pid))
    return Number.isFinite(kilobytes) ? kilobytes / 1024 : undefined
  } catch {
    return undefined
  }
}

async function ofProc(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1])
}

async function ofPs(pid: number): Promise<number> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)])
  return Number.parseInt(stdout.trim())
}

/** `"node.exe","4711","Console","1","182.340 K"`: the point is whatever the language of the system has there. */
async function ofTasklist(pid: number): Promise<number> {
  const args = ['/FI', `PID eq ${pid}`, '/FO', 'CSV', '/NH']
  const { stdout } = await promisify(execFile)('tasklist', args, { windowsHide: true })
  const last = /"([^"]*)"\s*$/.exec(stdout)?.[1] ?? ''
  return Number.parseInt(last.replaceAll(/\D/g, ''))
}
