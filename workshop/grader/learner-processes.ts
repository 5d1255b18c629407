import { once } from 'node:events'
import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ProcessExit, ProcessSettings } from '../../protocol/grading.ts'
import { legible } from '../../wire/visible.ts'
import { ROOT } from '../root.ts'
import { bundledPackages, type BundledPackages } from './bundled-packages.ts'
import { startConfined } from './confined-process.ts'
import { watchMemory } from './memory.ts'
import { buildProcess } from './process-build.ts'

/** The processes that run a learner's `process.ts` for the checks of one grading process. */
export type LearnerProcesses = {
  /** Starts a process, which waits for its work. Resolves with its number when it has loaded the packages. */
  prepare(): Promise<number>
  /** Calls the learner's `startProcess()`, and returns the port. Rejects with the error of the learner's code. */
  start(id: number, settings: ProcessSettings): Promise<number>
  signal(id: number, signal: 'SIGTERM' | 'SIGKILL'): void
  /** Resolves when the process has ended. */
  exitOf(id: number): Promise<ProcessExit>
  /** Kills the processes, because a run has ended. The next run may be of other work. */
  endRun(): Promise<void>
  end(): Promise<void>
}

/**
 * Creates the processes as they are needed. After the first, one process more is always started ahead, because loading the
 * packages takes most of the time. It gets its work later, so it may even serve another run.
 *
 * @param folder the lesson's folder in the sandbox
 */
export function learnerProcesses(sandbox: string, folder: string): LearnerProcesses {
  const processes: LearnerProcess[] = []
  let spare: LearnerProcess | undefined
  let file: Promise<string> | undefined

  function numbered(id: number): LearnerProcess {
    const found = processes[id]
    if (!found) throw new Error(`there is no process ${id}`)
    return found
  }

  return {
    async prepare() {
      if (processes.filter(({ isAlive }) => isAlive()).length >= MOST_PROCESSES) {
        throw new Error(`more than ${MOST_PROCESSES} processes are running`)
      }
      const packages = await bundledPackages()
      const prepared = spare ?? startLauncher(sandbox, packages)
      spare = undefined
      const id = processes.push(prepared) - 1
      file ??= buildProcess(sandbox, folder)
      await Promise.all([prepared.isReady, file])
      spare ??= startLauncher(sandbox, packages)
      return id
    },
    async start(id, settings) {
      const { run } = numbered(id)
      file ??= buildProcess(sandbox, folder)
      return run(await file, settings)
    },
    signal: (id, signal) => numbered(id).signal(signal),
    exitOf: (id) => numbered(id).exit,
    async endRun() {
      file = undefined
      await Promise.all(processes.map(({ kill }) => kill()))
    },
    async end() {
      await Promise.all([...processes, ...(spare ? [spare] : [])].map(({ kill }) => kill()))
    },
  }
}

type LearnerProcess = {
  /** Resolves when the packages have been loaded. */
  readonly isReady: Promise<unknown>
  readonly exit: Promise<ProcessExit>
  isAlive(): boolean
  /** Runs the compiled work, and returns the port. */
  run(file: string, settings: ProcessSettings): Promise<number>
  signal(signal: 'SIGTERM' | 'SIGKILL'): void
  /** Kills the process, and resolves when it has ended. */
  kill(): Promise<unknown>
}

function startLauncher(sandbox: string, packages: BundledPackages): LearnerProcess {
  const { folder, files } = packages
  const confined = startConfined(['--enable-source-maps', LAUNCHER, ...files.values()], {
    mayRead: [...readable(sandbox), join(folder, '*')],
    env: { WORKSHOP_SANDBOX: sandbox },
  })
  const { child } = confined
  let printed = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    printed = (printed + text).slice(-MOST_PRINTED)
  })
  const memory = child.pid === undefined ? undefined : watchMemory(child.pid, confined.kill)
  const exit = confined.exited.then(() => {
    memory?.stop()
    return { code: child.exitCode, signal: child.signalCode, printed: legible(printed) }
  })

  /** Returns the next message. The learner's code may send anything. */
  async function nextMessage(): Promise<{ port?: unknown; failed?: unknown }> {
    const message = await Promise.race([once(child, 'message'), exit])
    if (!Array.isArray(message)) throw new Error(`the process ended: ${message.printed}`)
    return (message[0] ?? {}) as object
  }

  const isReady = nextMessage()
  // A process that was started ahead may be killed before anything waits for it.
  isReady.catch(() => {})
  return {
    isReady,
    exit,
    isAlive: () => confined.isAlive,
    async run(file, settings) {
      child.send({ file: pathToFileURL(file).href, settings })
      const { port, failed } = await nextMessage()
      if (Number.isInteger(port)) return port as number
      confined.kill()
      throw new Error(typeof failed === 'string' ? legible(failed) : NO_PORT)
    },
    signal: (signal) => void child.kill(signal),
    kill() {
      confined.kill()
      return exit
    },
  }
}

/** Returns the paths that the process may read: the packages and data that it imports, and its own files in the sandbox. */
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

const NO_PORT = 'startProcess() did not resolve to an object with a port'
