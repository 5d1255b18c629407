import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

/**
 * The memory limit of the process that runs the learner's code. The solutions and their checks need less than 200 MB.
 */
export const MEMORY_MB = 1024

/** Polls the memory of a process. Calls `tooMuch` once, as soon as the process exceeds the limit. */
export function watchMemory(
  pid: number,
  tooMuch: () => void,
  limitMb = MEMORY_MB,
): { stop(): void } {
  let isLooking = false
  const timer = setInterval(async () => {
    if (isLooking) return
    isLooking = true
    const has = await residentMb(pid)
    isLooking = false
    if (has === undefined || has <= limitMb) return
    clearInterval(timer)
    tooMuch()
  }, EVERY_MS)
  return { stop: () => clearInterval(timer) }
}

// Poll less often on systems other than Linux, because each poll starts a program there.
const EVERY_MS = process.platform === 'linux' ? 250 : 1000

/** Returns the resident memory of a process in megabytes, or undefined if it has ended. */
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

/** Parses a line such as `"node.exe","4711","Console","1","182.340 K"`. The system's language decides the separator. */
async function ofTasklist(pid: number): Promise<number> {
  const args = ['/FI', `PID eq ${pid}`, '/FO', 'CSV', '/NH']
  const { stdout } = await promisify(execFile)('tasklist', args, { windowsHide: true })
  const last = /"([^"]*)"\s*$/.exec(stdout)?.[1] ?? ''
  return Number.parseInt(last.replaceAll(/\D/g, ''))
}
