import { readdirSync, readFileSync } from 'node:fs'
import process from 'node:process'

/**
 * Returns the CPU seconds that a process and its descendants have used so far, including those that have ended. Programs that
 * outlive the process that started them do not count. Returns undefined on systems other than Linux.
 */
export function cpuSeconds(pid = process.pid): number | undefined {
  if (process.platform !== 'linux') return undefined
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap(statOf)
  let ticks = 0
  const waiting = [pid]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    ticks += all.find((each) => each.pid === next)?.ticks ?? 0
    waiting.push(...all.filter(({ parent }) => parent === next).map((child) => child.pid))
  }
  return ticks / TICKS_PER_SECOND
}

/** Reads the usage of one process, in which that of its ended children is included. Returns nothing if it has ended. */
function statOf(name: string): { pid: number; parent: number; ticks: number }[] {
  try {
    const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
    // The name of the program is in brackets, and may contain spaces and brackets.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0)
    return [{ pid: Number(name), parent: Number(fields[1]), ticks }]
  } catch {
    return []
  }
}

/** The unit of these figures, which is the same on every Linux. */
const TICKS_PER_SECOND = 100
