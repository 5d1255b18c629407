import { randomUUID } from 'node:crypto'
import { readdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { normalizePath } from 'vite'
import type { Reporter, TestCase, TestModule } from 'vitest/node'
import type { Report } from '../../test/harness/check.ts'
import { ROOT } from '../root.ts'
import { guard } from './guard.ts'
import { nginxFor } from './nginx.ts'
import { checksOf, testFileOf } from './manifest.ts'
import { watchMemory } from './memory.ts'
import { watchdog, type Bark } from './watchdog.ts'
import { startWorker } from './worker.ts'

/** What came out of the process that ran the checks, before anybody has judged it. */
export type Run = {
  /** By check id. What is not here did not finish. */
  outcomes: Map<string, Outcome>
  /** The lesson's files, or the checks, could not be loaded. */
  loadError?: Thrown
  /** Errors that belong to no check. */
  strayErrors: Thrown[]
  /** Why the process was ended before the checks were done: it was silent, or took too long or too much memory. */
  endedFor?: Bark | 'memory'
  /** What it did last: `loading`, or a check. */
  endedIn: string
  /** The check that must fail did: failures are seen and told. */
  canaryFailed: boolean
  /** What the work printed with console.log and the like. */
  printed: string
  /** The last lines of the process's standard error: why it ended, when it ended by itself. */
  lastLines: string[]
}

export type Outcome = { passed: boolean; report?: Report; error?: Thrown }

/** An error as it came out: its frames are mapped back to the source. */
export type Thrown = { message: string; frames: { file: string; line: number; column: number }[] }

export type RunOptions = {
  /** The checks to run. */
  ids: string[]
  onOutcome?(id: string, outcome: Outcome): void
  signal?: AbortSignal
}

export type ReadyOptions = {
  lesson: number
  /** The folder of a box. */
  box: string
  seed: number
  /** Run no more checks when one has failed. */
  bail?: boolean
  /** For many runs, one after another. What the work of one leaves behind in the process, the next one finds. */
  reusable?: boolean
  /** Where a check tries everything, try some: for a first look. */
  sparse?: boolean
}

/** A process that is warm, and everything else that a run needs, before there is any work in the box. */
export type ReadyRun = {
  /** False when the process has ended: then it can run nothing. */
  readonly isAlive: boolean
  /**
   * Loads what a run loads, with what is in the box now in place of the work, and checks nothing. The run after it
   * begins sooner.
   */
  rehearse(signal?: AbortSignal): Promise<void>
  /** Runs checks on what is in the box now: once, unless it is reusable. */
  run(options: RunOptions): Promise<Run>
  /** Ends the process. */
  discard(): Promise<void>
}

/** Runs checks of a lesson on the work in a box, once, in a process of its own. */
export async function run(options: ReadyOptions & RunOptions): Promise<Run> {
  const ready = await readyRun(options)
  return ready.run(options)
}

export async function readyRun({
  lesson,
  box,
  seed,
  bail = false,
  reusable = false,
  sparse = false,
}: ReadyOptions): Promise<ReadyRun> {
  const canary = `canary ${randomUUID()}`
  let result = nothingYet()
  let heard: RunOptions['onOutcome']
  let isRehearsal = false
  const end = (why: Run['endedFor']): void => {
    result.endedFor ??= why
    worker.kill()
  }
  const dog = watchdog(end)
  const onLine = (line: string): void => {
    result.lastLines = [...result.lastLines, line].slice(-10)
    // The last words of V8.
    if (line.includes('JavaScript heap out of memory')) result.endedFor ??= 'memory'
  }
  const onSign = (sign: string): void => {
    dog.sign()
    if (sign.startsWith('check ')) result.endedIn = sign.slice('check '.length)
  }

  const worker = startWorker({
    mayRead: readable(lesson, box),
    env: {
      SEED: String(seed),
      WORKSHOP_BOX: box,
      WORKSHOP_CANARY: canary,
      ...(bail && { WORKSHOP_BAIL: '1' }),
      // Always said, for whoever grades may have one of their own.
      WORKSHOP_SPARSE: sparse ? '1' : '',
    },
    onSign,
    onLine,
    staysWarm: () => reusable || isRehearsal,
  })

  const reporter: Reporter = {
    onTestCaseResult(test) {
      const outcome = outcomeOf(test)
      if (test.name === canary) result.canaryFailed = outcome?.passed === false
      else if (outcome) {
        const id = test.name.split(' ', 1)[0]!
        result.outcomes.set(id, outcome)
        heard?.(id, outcome)
      }
    },
    onTestModuleEnd(module: TestModule) {
      const [error] = module.errors()
      if (error) result.loadError = thrown(error)
    },
    onUserConsoleLog({ content }) {
      if (result.printed.length < PRINTED) result.printed += content.slice(0, PRINTED)
    },
    onTestRunEnd(_modules, errors) {
      result.strayErrors = errors.map(thrown)
    },
  }

  const { createVitest } = await import('vitest/node')
  const vitest = await createVitest(
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
    { server: { watch: null }, plugins: [guard(box)] },
    { stdout: nowhere(), stderr: nowhere() },
  )
  const specifications = await vitest.globTestSpecifications()

  const everInBox = new Set<string>()

  /** Runs checks and the canary on what is in the box, to the end or until the process has ended. */
  async function play(ids: string[], signal?: AbortSignal): Promise<void> {
    const exitCode = process.exitCode
    vitest.setGlobalTestNamePattern(`^(${[...ids, canary].join('|').replaceAll('.', '\\.')})( |$)`)
    // Another run may have had other files by these names, and some that are gone.
    for (const name of readdirSync(box, { recursive: true })) everInBox.add(String(name))
    for (const name of everInBox) {
      const file = normalizePath(join(box, name))
      vitest.invalidateFile(file)
      vitest.watcher.invalidates.add(file)
    }
    const memory = worker.pid ? watchMemory(worker.pid, () => end('memory')) : undefined
    signal?.addEventListener('abort', worker.kill)
    try {
      dog.start()
      if (signal?.aborted) return
      const done = vitest.runTestSpecifications(specifications)
      // A process that ended before it had its task is one that Vitest would wait for, for ever.
      const given = worker.exited.then(() => sleep(GRACE_MS, undefined, { ref: false }))
      await Promise.race([done, given])
    } finally {
      dog.stop()
      memory?.stop()
      signal?.removeEventListener('abort', worker.kill)
      // Vitest sets it when a test fails. It is ours.
      process.exitCode = exitCode
    }
  }

  async function discard(): Promise<void> {
    worker.kill()
    await worker.exited
    await vitest.close()
  }

  return {
    get isAlive() {
      return worker.isAlive
    },
    async rehearse(signal) {
      isRehearsal = true
      try {
        await play([], signal)
      } finally {
        isRehearsal = false
        result = nothingYet()
      }
    },
    async run({ ids, onOutcome, signal }) {
      heard = onOutcome
      // Its conf is in the box by now.
      const nginx = needsNginx(lesson, ids) ? await nginxFor(lesson, box) : undefined
      if (nginx) vitest.provide('nginx', nginx.ports)
      try {
        await play(ids, signal)
      } finally {
        await Promise.all([reusable ? undefined : discard(), nginx?.stop()])
      }
      const came = result
      result = nothingYet()
      return came
    },
    discard,
  }
}

function nothingYet(): Run {
  return {
    outcomes: new Map(),
    strayErrors: [],
    endedIn: 'loading',
    canaryFailed: false,
    printed: '',
    lastLines: [],
  }
}

function needsNginx(lesson: number, ids: string[]): boolean {
  return checksOf(lesson).some((check) => check.needsNginx && ids.includes(check.id))
}

/** What is loaded before the work. */
const SETUP = ['signs.ts', 'waiting.ts', 'kill-guard.ts']

/** For what is still on its way when the process has ended. */
const GRACE_MS = 5000

/** Characters that are kept of what the work prints, more or less. */
const PRINTED = 50_000

function outcomeOf(test: TestCase): Outcome | undefined {
  const { state, errors } = test.result()
  if (state !== 'passed' && state !== 'failed') return undefined
  const { report } = test.meta()
  return {
    passed: state === 'passed',
    ...(report && { report }),
    ...(errors?.[0] && { error: thrown(errors[0]) }),
  }
}

function thrown(error: {
  message: string
  stacks?: { file: string; line: number; column: number }[]
}): Thrown {
  return { message: error.message, frames: error.stacks ?? [] }
}

/** The checks, what they stand on, and the work. */
function readable(lesson: number, box: string): string[] {
  const folders = ['node_modules', 'feed', 'wire', 'data', 'test/harness', 'test/__snapshots__']
  return [
    ...folders.map((folder) => join(ROOT, folder, '*')),
    // Where it is a link, Node asks for what it leads to.
    join(realpathSync(join(ROOT, 'node_modules')), '*'),
    join(ROOT, 'package.json'),
    testFileOf(lesson),
    join(box, '*'),
  ]
}

function nowhere(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() })
}
