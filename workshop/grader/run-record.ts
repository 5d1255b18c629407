import type { Reporter, TestCase } from 'vitest/node'
import type { Report } from '../../protocol/grading.ts'
import type { Bark } from './watchdog.ts'

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
  /** What it did last: `loading`, or the check that began last, of those that had not ended. */
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

/** Writes down what is heard of a run: by Vitest, and of the process itself. */
export type RunRecord = {
  readonly reporter: Reporter
  /** What the process says of itself. */
  heardSign(sign: string): void
  /** A line of its standard error: how Node says goodbye. */
  heardLine(line: string): void
  /** The process is ended for that reason. */
  ended(why: Run['endedFor']): void
  /** Calls this with each outcome from then on. */
  onOutcome: ((id: string, outcome: Outcome) => void) | undefined
  /** Calls this with the checks that are running, whenever one begins or ends. */
  onRunning: ((ids: string[]) => void) | undefined
  /** Gives what was written down, and begins anew. */
  take(): Run
}

/** @param canary name of the check that must fail */
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
      // Of checks that run side by side, one that has ended is not what it hangs in.
      run.endedIn = [...running].at(-1) ?? (what === 'check' ? id : run.endedIn)
      record.onRunning?.([...running])
    },
    heardLine(line) {
      run.lastLines = [...run.lastLines, line].slice(-10)
      // The last words of V8.
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
