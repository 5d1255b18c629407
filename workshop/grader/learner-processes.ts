import { once } from 'node:events'
import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ProcessExit, ProcessSettings, StartedProgram } from '../../protocol/grading.ts'
import { legible } from '../../wire/visible.ts'
import { ROOT } from '../root.ts'
import { startConfined, type ConfinedProcess } from './confined-process.ts'
import { watchMemory } from './memory.ts'
import { buildProcess } from './process-build.ts'

/** The processes that run a learner's `process.ts` for the checks of one grading process. */
export type LearnerProcesses = {
  /** Starts a process. Rejects with the error of the learner's code if it does not start. */
  start(settings: ProcessSettings): Promise<StartedProgram>
  signal(id: number, signal: 'SIGTERM' | 'SIGKILL'): void
  /** Resolves when the process has ended. */
  exitOf(id: number): Promise<ProcessExit>
  /** Kills the processes, because a run has ended. The next run may be of other work. */
  endRun(): Promise<void>
  end(): Promise<void>
}

/**
 * Creates the processes as they are needed. One process more is always started ahead, because loading the packages takes
 * most of the time. It gets its work later, so it may even serve another run.
 */
export function learnerProcesses(sandbox: string, folder: string): LearnerProcesses {
  const running: Running[] = []
  let spare: ConfinedProcess | undefined
  let file: Promise<string> | undefined

  function startSpare(): ConfinedProcess {
    return startConfined(['--enable-source-maps', LAUNCHER], {
      mayRead: readable(sandbox),
      env: { WORKSHOP_SANDBOX: sandbox },
    })
  }

  function numbered(id: number): Running {
    const process = running[id]
    if (!process) throw new Error(`there is no process ${id}`)
    return process
  }

  return {
    async start(settings) {
      if (running.filter(({ confined }) => confined.isAlive).length >= MOST_PROCESSES) {
        throw new Error(`more than ${MOST_PROCESSES} processes are running`)
      }
      const confined = spare?.isAlive ? spare : startSpare()
      spare = startSpare()
      const process = observed(confined)
      const id = running.push(process) - 1
      file ??= buildProcess(sandbox, folder)
      confined.child.send({ file: pathToFileURL(await file).href, options: settings })
      const port = await portOf(process)
      return { id, port }
    },
    signal: (id, signal) => void numbered(id).confined.child.kill(signal),
    exitOf: (id) => numbered(id).exit,
    async endRun() {
      file = undefined
      await Promise.all(running.map(({ confined }) => killed(confined)))
    },
    async end() {
      await Promise.all([...running.map(({ confined }) => confined), spare].map(killed))
    },
  }
}

type Running = { confined: ConfinedProcess; exit: Promise<ProcessExit> }

/** Reads what a process prints about its end, and limits its memory. */
function observed(confined: ConfinedProcess): Running {
  const { child, exited } = confined
  let printed = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    printed = (printed + text).slice(-MOST_PRINTED)
  })
  const memory = child.pid === undefined ? undefined : watchMemory(child.pid, confined.kill)
  const exit = exited.then(() => {
    memory?.stop()
    return { code: child.exitCode, signal: child.signalCode, printed: legible(printed) }
  })
  return { confined, exit }
}

async function portOf({ confined, exit }: Running): Promise<number> {
  const message = await Promise.race([once(confined.child, 'message'), exit])
  if (!Array.isArray(message)) throw new Error(`the process ended: ${message.printed}`)
  // The learner's code may send anything.
  const { port, failed } = (message[0] ?? {}) as { port?: unknown; failed?: unknown }
  if (Number.isInteger(port)) return port as number
  confined.kill()
  throw new Error(typeof failed === 'string' ? legible(failed) : 'startProcess() returned no port')
}

async function killed(confined: ConfinedProcess | undefined): Promise<void> {
  confined?.kill()
  await confined?.exited
}

/** Returns the paths that the process may read: what it imports. Its own files are in the sandbox. */
function readable(sandbox: string): string[] {
  const modules = join(ROOT, 'node_modules')
  return [
    ...[modules, realpathSync(modules), join(ROOT, 'data'), sandbox].map((path) => join(path, '*')),
    join(ROOT, 'package.json'),
    LAUNCHER,
  ]
}

const LAUNCHER = join(ROOT, 'workshop', 'grader', 'launch-process.mjs')

/** More than the checks of a lesson use at the same time. */
const MOST_PROCESSES = 40
const MOST_PRINTED = 2000
