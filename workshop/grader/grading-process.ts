import { randomInt } from 'node:crypto'
import { readdirSync, readFileSync, realpathSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { normalizePath } from 'vite'
import type { Reporter, Vitest } from 'vitest/node'
import { lessonNumbered } from '../lessons/catalogue.ts'
import { checksOf, foldersUsedBy, testFileOf } from '../lessons/checks.ts'
import { stubsOf } from '../lessons/stubs.ts'
import { ROOT } from '../root.ts'
import { guard, type Guard } from './guard.ts'
import { watchMemory } from './memory.ts'
import { nginxFor } from './nginx.ts'
import { runRecord, type Outcome, type Run } from './run-record.ts'
import { emptySandbox, type Sandbox } from './sandbox.ts'
import { newSecrets } from './secrets.ts'
import { graderTasks } from './tasks.ts'
import { watchdog } from './watchdog.ts'
import { startWorker, type Worker } from './worker.ts'

/**
 * A process that grades a program of a lesson, with the sandbox for that program. If you start the process before the
 * program exists, the grading begins sooner.
 */
export type GradingProcess = {
  readonly seed: number
  readonly sandbox: Sandbox
  /**
   * Whether the process grades many programs, one after another. Anything that one program leaves behind affects the
   * next.
   */
  readonly isReusable: boolean
  /** Whether the process is still running. */
  readonly isAlive: boolean
  /**
   * Loads the checks and the packages that the checks and the stubs use. The packages stay loaded, but the stubs do
   * not.
   *
   * @param signal ends the process
   */
  preload(signal?: AbortSignal): Promise<void>
  /** Runs checks on the files that are in the sandbox now. Call it only once, unless the process is reusable. */
  run(options: RunOptions): Promise<Run>
  /** Ends the process and removes its sandbox. */
  end(): Promise<void>
}

export type GradingProcessOptions = {
  lesson: number
  seed?: number
  reusable?: boolean
}

export type RunOptions = {
  /** The IDs of the checks to run. */
  ids: string[]
  /** Whether to stop after the first failure. */
  bail?: boolean
  /** For a first look: the only check that tries every case. The other checks try a sample. */
  tryAllIn?: string
  /** The IDs of the checks to run before the others. */
  first?: string[] | undefined
  onOutcome?(id: string, outcome: Outcome): void
  /** Called with the IDs of the running checks, whenever a check begins or ends. */
  onRunning?(ids: string[]): void
  /** Ends the process. */
  signal?: AbortSignal
}

export async function startGradingProcess({
  lesson,
  seed = randomInt(1, 1_000_000),
  reusable = false,
}: GradingProcessOptions): Promise<GradingProcess> {
  const sandbox = await emptySandbox()
  const record = runRecord()
  const gate = guard(sandbox.folder, foldersUsedBy(lesson))
  let isPreloading = false
  const endFor = (why: Run['endedFor']): void => {
    record.ended(why)
    worker.kill()
  }
  const dog = watchdog(endFor)
  const tasks = graderTasks(sandbox.folder, lessonNumbered(lesson)!.folder)
  const worker = startWorker({
    mayRead: readable(lesson, sandbox.folder),
    env: {
      SEED: String(seed),
      WORKSHOP_SANDBOX: sandbox.folder,
    },
    onSign(sign) {
      const what = record.heardSign(sign)
      if (what !== undefined) dog.sign(what)
    },
    onLine: record.heardLine,
    onTask: tasks.carryOut,
    staysWarm: () => reusable || isPreloading,
  })
  const vitest = await vitestFor({
    lesson,
    gate,
    worker,
    reporter: record.reporter,
  })
  const specifications = await vitest.globTestSpecifications()
  const forgetFiles = fileForgetter(vitest, sandbox.folder)

  /** Runs checks and the canary on the files in the sandbox. Returns when they have finished or the process has ended. */
  async function play(ids: string[], signal?: AbortSignal): Promise<void> {
    const exitCode = process.exitCode
    const secrets = newSecrets(lesson, ids)
    record.begin(secrets)
    gate.topLevelAwaits.length = 0
    vitest.provide('secrets', secrets)
    const names = [...ids, ...secrets.canaries.map(({ id }) => id)].join('|')
    vitest.setGlobalTestNamePattern(`^(${names.replaceAll('.', '\\.')})( |$)`)
    forgetFiles()
    const memory = worker.pid ? watchMemory(worker.pid, () => endFor('memory')) : undefined
    signal?.addEventListener('abort', worker.kill)
    try {
      dog.start()
      if (signal?.aborted) {
        worker.kill()
        await worker.exited
        return
      }
      const done = vitest.runTestSpecifications(specifications)
      // If the process ended before it got its task, Vitest would wait for it indefinitely.
      const given = worker.exited.then(() => sleep(GRACE_MS, undefined, { ref: false }))
      await Promise.race([done, given])
    } finally {
      dog.stop()
      memory?.stop()
      signal?.removeEventListener('abort', worker.kill)
      // Vitest sets the exit code if a test fails, but the exit code belongs to our command.
      process.exitCode = exitCode
    }
  }

  async function endProcess(): Promise<void> {
    worker.kill()
    await worker.exited
    await Promise.all([tasks.end(), vitest.close()])
  }

  return {
    seed,
    sandbox,
    isReusable: reusable,
    get isAlive() {
      return worker.isAlive
    },
    async preload(signal) {
      await writeStubs(lesson, sandbox.folder)
      isPreloading = true
      try {
        await play([], signal)
      } finally {
        isPreloading = false
        record.take()
      }
    },
    async run({ ids, first, bail = false, tryAllIn, onOutcome, onRunning, signal }) {
      record.onOutcome = onOutcome
      record.onRunning = onRunning
      vitest.provide('first', first)
      vitest.provide('bail', bail)
      vitest.provide('tryAllIn', tryAllIn)
      // By now, the learner's nginx.conf is in the sandbox.
      const nginx = needsNginx(lesson, ids) ? await nginxFor(lesson, sandbox.folder) : undefined
      if (nginx) vitest.provide('nginx', nginx.ports)
      try {
        await play(ids, signal)
      } finally {
        await Promise.all([reusable ? tasks.endRun() : endProcess(), nginx?.stop()])
      }
      return { ...record.take(), topLevelAwaits: [...gate.topLevelAwaits] }
    },
    async end() {
      await endProcess()
      await sandbox.remove()
    },
  }
}

/** The modules to load before the learner's code. */
const SETUP = [
  ...['secrets.ts', 'untouched.ts', 'signs-of-life.ts', 'waiting.ts', 'kill-guard.ts'],
  'scale-out/grader.ts',
]

/** The time to wait for messages that are still in transit after the process has ended. */
const GRACE_MS = 5000

/** Creates a Vitest that runs the checks of a lesson in the given process and prints nothing. */
async function vitestFor({
  lesson,
  gate,
  worker,
  reporter,
}: {
  lesson: number
  gate: Guard
  worker: Worker
  reporter: Reporter
}): Promise<Vitest> {
  const { createVitest } = await import('vitest/node')
  return createVitest(
    'test',
    {
      config: false,
      root: ROOT,
      watch: false,
      include: [testFileOf(lesson)],
      setupFiles: SETUP.map((file) => join(ROOT, 'test/harness', file)),
      maxConcurrency: 1000,
      pool: { name: 'work', createPoolWorker: () => worker },
      reporters: [reporter],
    },
    { server: { watch: null }, plugins: gate.plugins },
    { stdout: nowhere(), stderr: nowhere() },
  )
}

/** Returns a function that makes Vitest reload the sandbox's files that have changed since the last run. */
function fileForgetter(vitest: Vitest, sandbox: string): () => void {
  let before = new Map<string, string>()
  return () => {
    const now = textsIn(sandbox)
    for (const name of new Set([...before.keys(), ...now.keys()])) {
      if (before.get(name) === now.get(name)) continue
      const file = normalizePath(join(sandbox, name))
      vitest.invalidateFile(file)
      vitest.watcher.invalidates.add(file)
    }
    before = now
  }
}

function textsIn(folder: string): Map<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
  return new Map(files.map((file) => [relative(folder, file), readFileSync(file, 'utf8')]))
}

async function writeStubs(number: number, sandbox: string): Promise<void> {
  const lesson = lessonNumbered(number)!
  const folder = join(sandbox, lesson.folder)
  await mkdir(folder)
  for (const { name, text } of stubsOf(lesson)) await writeFile(join(folder, name), text)
}

function needsNginx(lesson: number, ids: string[]): boolean {
  return checksOf(lesson).some((check) => check.needsNginx && ids.includes(check.id))
}

/** Returns the paths that the process may read: the checks, their dependencies, and the learner's files. */
function readable(lesson: number, sandbox: string): string[] {
  const folders = ['node_modules', 'feed', 'protocol', 'wire', 'data', 'test/harness']
  return [
    ...[...folders, 'test/__snapshots__', ...foldersUsedBy(lesson)].map((folder) =>
      join(ROOT, folder, '*'),
    ),
    // If node_modules is a link, Node requires permission to read the link's target.
    join(realpathSync(join(ROOT, 'node_modules')), '*'),
    join(ROOT, 'package.json'),
    testFileOf(lesson),
    join(sandbox, '*'),
  ]
}

function nowhere(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() })
}
