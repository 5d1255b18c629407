import type { Reporter, TestCase, Vitest } from 'vitest/node'
import { legible } from '../../wire/visible.ts'
import type { Report } from '../../protocol/grading.ts'
import { reportIn } from './report-in.ts'
import type { Bark } from './watchdog.ts'

/** The raw results of the process that ran the checks, before they are judged. */
export type Run = {
  /** The outcomes by check ID. A check without an outcome did not finish. */
  outcomes: Map<string, Outcome>
  /** The error that occurred when the lesson's files or the checks were loaded. */
  loadError?: Thrown
  /** Errors that do not belong to any check. */
  strayErrors: Thrown[]
  /** The reason why the process was killed before the checks finished: it was silent, or it used too much time or memory. */
  endedFor?: Bark | 'memory'
  /** The process's last activity: `loading`, or the check that began last among those that were still running. */
  endedIn: string
  /** Whether the canary failed, which shows that failures are detected and reported. */
  canaryFailed: boolean
  /** The output of the learner's code, such as that of `console.log()`. */
  printed: string
  /** The last lines of the process's standard error. If the process ended by itself, these lines say why. */
  lastLines: string[]
}

export type Outcome = { passed: boolean; report?: Report; error?: Thrown }

/** An error with its stack frames, which are mapped back to the source. */
export type Thrown = { message: string; frames: { file: string; line: number; column: number }[] }

/** Collects the results of a run from Vitest and from the process itself. */
export type RunRecord = {
  readonly reporter: Reporter
  /** Call this with each sign of life of the process. */
  heardSign(sign: string): void
  /** Call this with each other line of the process's standard error, where Node says why the process ends. */
  heardLine(line: string): void
  /** Call this when the process is killed. */
  ended(why: Run['endedFor']): void
  /** If set, called with each outcome. */
  onOutcome: ((id: string, outcome: Outcome) => void) | undefined
  /** If set, called with the IDs of the running checks, whenever a check begins or ends. */
  onRunning: ((ids: string[]) => void) | undefined
  /** Returns the results and starts a new record. */
  take(): Run
}

/** Creates an empty record. @param canary the name of the check that must fail */
export function runRecord(canary: string): RunRecord {
  let run = nothingYet()
  let vitest: Vitest | undefined
  const running = new Set<string>()

  const reporter: Reporter = {
    onTestModuleQueued({ project }) {
      vitest = project.vitest
    },
    onTestCaseResult(test) {
      const outcome = outcomeOf(test)
      if (test.name === canary) run.canaryFailed = outcome?.passed === false
      else if (outcome) {
        const id = test.name.split(' ', 1)[0]!
        run.outcomes.set(id, outcome)
        record.onOutcome?.(id, outcome)
      }
    },
    onTestModuleEnd(module) {
      const [error] = module.errors()
      if (error) run.loadError = thrown(error)
    },
    onUserConsoleLog({ content, taskId = '' }) {
      // Vitest keeps everything that the work prints, without a limit. We keep only the beginning.
      delete vitest?.state.idMap.get(taskId)?.logs
      if (run.printed.length < PRINTED) run.printed += legible(content.slice(0, PRINTED))
    },
    onTestRunEnd(_modules, errors) {
      run.strayErrors = errors.map(thrown)
    },
  }

  const record: RunRecord = {
    reporter,
    onOutcome: undefined,
    onRunning: undefined,
    heardSign(sign) {
      const [what, id] = sign.split(' ', 2)
      if (id === undefined) return
      if (what === 'check') running.add(id)
      else if (what === 'done') running.delete(id)
      else return
      // If the process hangs, it hangs in a check that has not ended.
      run.endedIn = [...running].at(-1) ?? (what === 'check' ? id : run.endedIn)
      record.onRunning?.([...running])
    },
    heardLine(line) {
      run.lastLines = [...run.lastLines, legible(line.slice(0, 1000))].slice(-10)
      // V8 prints this before it aborts the process.
      if (line.includes('JavaScript heap out of memory')) run.endedFor ??= 'memory'
    },
    ended(why) {
      run.endedFor ??= why
    },
    take() {
      const taken = run
      run = nothingYet()
      running.clear()
      return taken
    },
  }
  return record
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

/** The approximate number of characters of output to keep. */
const PRINTED = 50_000

function outcomeOf(test: TestCase): Outcome | undefined {
  const { state, errors } = test.result()
  if (state !== 'passed' && state !== 'failed') return undefined
  const report = reportIn(test.meta().report)
  return {
    passed: state === 'passed',
    ...(report && { report }),
    ...(errors?.[0] && { error: thrown(errors[0]) }),
  }
}

function thrown(error: {
  message: unknown
  stacks?: { file: string; line: number; column: number }[]
}): Thrown {
  const frames = (error.stacks ?? []).map(({ file, line, column }) => ({
    file: legible(String(file)),
    line: Number(line),
    column: Number(column),
  }))
  return { message: legible(String(error.message)), frames }
}
