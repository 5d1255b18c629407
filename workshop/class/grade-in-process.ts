import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { MEMORY_MB } from '../grader/memory.ts'
import type { Verdict } from '../../protocol/verdict.ts'
import { onExit } from '../process/on-exit.ts'
import { HAS_GROUPS, killGroup } from '../process/process-group.ts'
import { ROOT } from '../root.ts'

/** What `npm run grade` tells the process that grades for it. */
export type GradeOrder = {
  lesson: number
  /** A folder laid out like `lessons/`. */
  work: string
  seed: number
}

/** What that process says, once; before that, an empty message now and then, for it is alive. */
export type GradeReport = { verdict?: Verdict }

/**
 * Grades in a process that does nothing else. Whatever the work does to its grader, it does to no other.
 *
 * @returns the verdict, or why there is none
 */
export function gradeInProcess(order: GradeOrder, signal: AbortSignal): Promise<Verdict | string> {
  const child = spawn(
    process.execPath,
    [`--max-old-space-size=${MEMORY_MB}`, join(ROOT, 'workshop', 'start.mjs'), 'grade-one'],
    {
      cwd: ROOT,
      env: { ...process.env, WORKSHOP_ONE_GROUP: '1' },
      detached: HAS_GROUPS,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    },
  )
  const end = (): void => killGroup(child)
  const takeBack = onExit(end)
  signal.addEventListener('abort', end)

  let verdict: Verdict | undefined
  let turns = 0
  const dog = setInterval(() => {
    turns += 1
    if (turns === PATIENCE) end()
  }, 1000)
  child.on('message', (report: GradeReport) => {
    verdict ??= report.verdict
    turns = 0
  })
  let lastWords = ''
  child.stderr!.on('data', (text: Buffer) => {
    lastWords = (lastWords + text.toString()).slice(-2000)
  })

  return new Promise((resolve) => {
    const ended = (how: string): void => {
      clearInterval(dog)
      signal.removeEventListener('abort', end)
      // It may have left the process of the work behind.
      end()
      takeBack()
      const said = lastWords.trim().split('\n')[0]
      resolve(verdict ?? `the process that graded it ended: ${how}${said ? `, ${said}` : ''}`)
    }
    child.on('close', (code, killedBy) => ended(killedBy ?? `exit code ${code}`))
    // It could not be started. Any other error is followed by 'close'.
    child.on('error', (error) => child.pid === undefined && ended(error.message))
    if (signal.aborted) end()
    // It may be gone already. Then 'close' follows.
    else child.send(order, () => {})
  })
}

/** Seconds without a sign of it, counted in our own turns. The work has a watchdog that is less patient. */
const PATIENCE = 300
