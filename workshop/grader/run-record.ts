import type { Reporter, TestCase } from 'vitest/node'
import type { Report } from '../../protocol/grading.ts'
import type { Bark } from './watchdog.ts'

/** The results of the process that ran the checks, before they are judged. */
export type Run = {
  /** The outcomes by check. A check that did not finish has none. */
  outcomes: Map<string, Outcome>
  /** The error, if the lesson's files or the checks could not be loaded. */
  loadError?: Thrown
  /** Errors that belong to no check. */
  strayErrors: Thrown[]
  /** Why the process was ended before the checks were done: it was silent, or took too long or too much memory. */
  endedFor?: Bark | 'memory'
  /** The last activity: `loading`, or the check that began last of those that had not ended. */
  endedIn: string
  /** Whether the check that must fail has failed. If not, failures are not reported. */
  canaryFailed: boolean
  /** The output of the submission, for example from console.log. */
  printed: string
  /** The last lines of standard error. If the process ended by itself, they say why. */
  lastLines: string[]
}

export type Outcome = { passed: boolean; report?: Report; error?: Thrown }

/** An error, with its frames mapped to the source. */
export type Thrown = { message: string; frames: { file: string; line: number; column: number }[] }

/** Records what Vitest and the process report about a run. */
export type RunRecord = {
  readonly reporter: Reporter
  /** Takes a sign of life, see `test/harness/signs-of-life.ts`. */
  heardSign(sign: string): void
  /** Takes a line of standard error, where Node says why it ends. */
  heardLine(line: string): void
  /** Takes the reason why the process is being ended. */
  ended(why: Run['endedFor']): void
  /** Called with each outcome. */
  onOutcome: ((id: string, outcome: Outcome) => void) | undefined
  /** Called with the running checks whenever one begins or ends. */
  onRunning: ((ids: string[]) => void) | undefined
  /** Returns the record and starts a new one. */
  take(): Run
}

/** @param canary the name of the check that must fail */
export function runRecord(canary: string): RunRecord {
  let run = nothingYet()
  const running = new Set<string>()

  const reporter: Reporter = {
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
    onUserConsoleLog({ content }) {
      if (run.printed.length < PRINTED) run.printed += content.slice(0, PRINTED)
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
      // Checks run concurrently, and a process cannot hang in a check that has ended.
      run.endedIn = [...running].at(-1) ?? (what === 'check' ? id : run.endedIn)
      record.onRunning?.([...running])
    },
    heardLine(line) {
      run.lastLines = [...run.lastLines, line].slice(-10)
      // V8 prints this before it ends the process.
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

/** Roughly how many characters of the submission's output are kept. */
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
