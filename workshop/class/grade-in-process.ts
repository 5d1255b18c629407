import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { MEMORY_MB } from '../grader/memory.ts'
import type { Verdict } from '../../protocol/verdict.ts'
import { onExit } from '../process/on-exit.ts'
import { HAS_GROUPS, killGroup } from '../process/process-group.ts'
import { ROOT } from '../root.ts'

/** The order that `npm run grade` sends to the process that grades one submission. */
export type GradeOrder = {
  lesson: number
  /** A folder laid out like `lessons/`. */
  work: string
  seed: number
}

/**
 * A message from that process. Empty messages show that the process is alive. The last message has the verdict, or the
 * reason why there is none.
 */
export type GradeReport = { verdict?: Verdict; problem?: string }

/**
 * Grades a submission in its own process, so that it cannot disturb the grading of others.
 *
 * @returns the verdict, or the reason why there is none
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

  let result: Verdict | string | undefined
  let turns = 0
  let age = 0
  const dog = setInterval(() => {
    turns += 1
    age += 1
    if (turns < PATIENCE && age < LONGEST) return
    result ??= `it was not finished after ${Math.round(age / 60)} minutes`
    end()
  }, 1000)
  child.on('message', ({ verdict, problem }: GradeReport) => {
    result ??= verdict ?? problem
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
      // The process that runs the submission may still be running.
      end()
      takeBack()
      const said = lastWords.trim().split('\n')[0]
      resolve(result ?? `the process that graded it ended: ${how}${said ? `, ${said}` : ''}`)
    }
    child.on('close', (code, killedBy) => ended(killedBy ?? `exit code ${code}`))
    // 'close' does not fire while any process holds the pipe of standard error open.
    child.on('exit', (code, killedBy) => {
      setTimeout(() => ended(killedBy ?? `exit code ${code}`), CLOSE_MS).unref()
    })
    // After an error, a 'close' event follows, unless the process could not be started.
    child.on('error', (error) => child.pid === undefined && ended(error.message))
    if (signal.aborted) end()
    // If the process has already exited, sending fails, and a 'close' event follows.
    else child.send(order, () => {})
  })
}

/**
 * The longest wait for the next message, in ticks of our own timer, which ticks once a second. The grader has a
 * shorter timeout for the submission itself.
 */
const PATIENCE = 300

/** The time for the last messages of a process that has exited. */
const CLOSE_MS = 5000

/** The longest grading, in the same ticks. Even a process that shows signs of life may wait for something forever. */
const LONGEST = 900
