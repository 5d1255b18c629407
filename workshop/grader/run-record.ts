import type { Reporter, TestCase, Vitest } from 'vitest/node'
import { legible } from '../../wire/visible.ts'
import type { Report, RunSecrets } from '../../protocol/grading.ts'
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
  /** The reason why the process was killed before the checks finished: it was silent, waited forever, or used too much time or memory. */
  endedFor?: Bark | 'memory'
  /** The process's last activity: `loading`, or the check that began last among those that were still running. */
  endedIn: string
  /** What shows that the results cannot be trusted: a canary had the wrong result, or a check's result was not its own. */
  forged?: string
  /** The code of the error if a check got no TCP port. */
  noPort?: string
  /** The places where the learner's files wait outside any function: `server.ts:3`. */
  topLevelAwaits?: string[]
  /** The output of the learner's code, such as that of `console.log()`. */
  printed: string
  /** The last lines of the process's standard error. If the process ended by itself, these lines say why. */
  lastLines: string[]
}

export type Outcome = { passed: boolean; report?: Report; error?: Thrown; word?: string }

/** An error with its stack frames, which are mapped back to the source. */
export type Thrown = { message: string; frames: { file: string; line: number; column: number }[] }

/** Collects the results of a run from Vitest and from the process itself. */
export type RunRecord = {
  readonly reporter: Reporter
  /** Takes a line that looks like a sign of life. Returns the sign, or undefined if the harness did not send it. */
  heardSign(line: string): string | undefined
  /** Call this with each other line of the process's standard error, where Node says why the process ends. */
  heardLine(line: string): void
  /** Call this when the process is killed. */
  ended(why: Run['endedFor']): void
  /** If set, called with each outcome. */
  onOutcome: ((id: string, outcome: Outcome) => void) | undefined
  /** If set, called with the IDs of the running checks, whenever a check begins or ends. */
  onRunning: ((ids: string[]) => void) | undefined
  /** Begins the next run. */
  begin(secrets: RunSecrets): void
  /** Returns the results and starts a new record. */
  take(): Run
}

export function runRecord(): RunRecord {
  let run = nothingYet()
  let secrets: RunSecrets | undefined
  const canariesLeft = new Map<string, boolean>()
  let vitest: Vitest | undefined
  const running = new Set<string>()

  const reporter: Reporter = {
    onTestModuleQueued({ project }) {
      vitest = project.vitest
    },
    onTestCaseResult(test) {
      const outcome = outcomeOf(test)
      const id = test.name.split(' ', 1)[0]!
      const mustPass = canariesLeft.get(id)
      if (mustPass !== undefined) {
        if (outcome?.passed === mustPass) canariesLeft.delete(id)
      } else if (outcome) {
        if (outcome.passed && outcome.word !== secrets?.words[id]?.passed) run.forged ??= id
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
    heardSign(line) {
      const [word = '', what, id] = line.split(' ', 3)
      if (word !== secrets?.sign) return undefined
      const sign = line.slice(word.length + 1)
      if (what === 'check') running.add(id!)
      else if (what === 'done') running.delete(id!)
      else if (what === 'no-port') run.noPort = id!
      else return sign
      // If the process hangs, it hangs in a check that has not ended.
      run.endedIn = [...running].at(-1) ?? (what === 'check' ? id! : run.endedIn)
      record.onRunning?.([...running])
      return sign
    },
    heardLine(line) {
      run.lastLines = [...run.lastLines, legible(line.slice(0, 1000))].slice(-10)
      // V8 prints this before it aborts the process.
      if (line.includes('JavaScript heap out of memory')) run.endedFor ??= 'memory'
    },
    ended(why) {
      run.endedFor ??= why
    },
    begin(next) {
      secrets = next
      canariesLeft.clear()
      for (const { id, mustPass } of next.canaries) canariesLeft.set(id, mustPass)
    },
    take() {
      const [canary] = canariesLeft.keys()
      const taken = canary === undefined ? run : { ...run, forged: run.forged ?? canary }
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
  const { word } = test.meta()
  return {
    passed: state === 'passed',
    ...(report && { report }),
    ...(word && { word }),
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
