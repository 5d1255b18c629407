import { inject, test } from 'vitest'
import type { NginxPorts, Report } from '../../protocol/grading.ts'
import { asCheck } from './current-check.ts'
import { turns } from './event-loop.ts'
import { must } from './failure.ts'
import { reportOf } from './report.ts'
import { beginSampling } from './sampling.ts'
import { signOfLife } from './signs-of-life.ts'
import { toolbox, type Tools } from './toolbox.ts'
import { newTranscript } from './transcript.ts'
import { watchUncaughtErrors } from './uncaught-errors.ts'

export { must } from './failure.ts'
export type { Tools } from './toolbox.ts'

declare module 'vitest' {
  interface TaskMeta {
    report?: Report
  }
  interface ProvidedContext {
    nginx?: NginxPorts
    /** Run no more checks when one has failed. */
    bail?: boolean
    /** The one check that tries everything, in a first look. */
    tryAllIn?: string
  }
}

type Script = (tools: Tools) => Promise<void>

/**
 * Registers one check: an id such as `1.2a`, the rule it grades in the present tense, and the script
 * that plays it against the work.
 *
 * Checks run one after another in the order they are written, which is the order of diagnosis. After the
 * first one has failed the others run side by side, so that a learner waits for one deadline and not
 * for twenty. What is thrown meanwhile, and caught by nobody, counts for the check that it comes from. Where that
 * is not known, those that would have passed are played again, one after another.
 */
export function check(id: string, rule: string, script: Script): void {
  // Without a limit of Vitest's: what waits in vain gives up by itself, and the grader's watchdog ends the rest.
  test.concurrent(`${id} ${rule}`, { timeout: 0 }, async ({ task, skip }) => {
    const endTurn = await waitForTurn()
    if (hasFailed && inject('bail')) skip()
    try {
      signOfLife(`check ${id}`)
      beginSampling(id)
      let played = await trackRunning(runScript(script))
      if (played.mayBeAnothers) {
        while (running.size > 0) await Promise.race(running)
        signOfLife(`check ${id}`)
        played = await trackRunning(turns(DRAIN_TURNS).then(() => runScript(script)))
      }
      task.meta.report = played.report
      if (played.hasPassed) return
      sawFailure()
      throw played.error
    } finally {
      signOfLife(`done ${id}`)
      endTurn()
    }
  })
}

/** A check that needs the real nginx. Where the grader has not started one, it does not exist. */
export function nginxCheck(
  id: string,
  rule: string,
  script: (tools: Tools, nginx: NginxPorts) => Promise<void>,
): void {
  const nginx = inject('nginx')
  if (nginx) check(id, rule, (tools) => script(tools, nginx))
}

type Outcome = {
  report: Report
  hasPassed: boolean
  /** Why it failed: whatever was thrown. */
  error?: unknown
  /** It would have passed, but for an error that may be of another check. */
  mayBeAnothers?: boolean
}

function runScript(script: Script): Promise<Outcome> {
  // Which costs time: one that has the process for itself needs no telling from others.
  return hasFailed ? asCheck(() => runAlone(script)) : runAlone(script)
}

async function runAlone(script: Script): Promise<Outcome> {
  const transcript = newTranscript()
  const tools = toolbox(transcript)
  const uncaught = watchUncaughtErrors()
  // Where the script ends. Putting things away is no part of it.
  let length = 0
  const steps = (): string[] => transcript.steps.slice(0, length)
  try {
    await tools.play(script).finally(() => {
      length = transcript.steps.length
      return tools.close()
    })
    // What was thrown while the last connections closed comes in the next turn.
    await turns()
    const error = uncaught.failure() ?? uncaught.warning()
    const { note } = transcript
    if (!error) return { report: { steps: steps(), ...(note && { note }) }, hasPassed: true }
    const report = reportOf(error, steps(), tools)
    return { report, hasPassed: false, error, mayBeAnothers: uncaught.areShared }
  } catch (thrown) {
    const error = (!uncaught.areShared && uncaught.failure()) || thrown
    return { report: reportOf(error, steps(), tools), hasPassed: false, error }
  } finally {
    uncaught.stop()
  }
}

/** By then the connections of the check before have closed at the other end, too. */
const DRAIN_TURNS = 20

/** The checks that are being played. */
const running = new Set<Promise<Outcome>>()

function trackRunning(playing: Promise<Outcome>): Promise<Outcome> {
  running.add(playing)
  return playing.finally(() => running.delete(playing))
}

/** Waits until the check before this one is done, or any has failed. */
async function waitForTurn(): Promise<() => void> {
  const before = queue
  let end = (): void => {}
  queue = new Promise((resolve) => {
    end = resolve
  })
  await Promise.race([before, failure])
  return end
}

let queue: Promise<void> = Promise.resolve()
let hasFailed = false
let endWaiting = (): void => {}
const failure = new Promise<void>((resolve) => {
  endWaiting = resolve
})

function sawFailure(): void {
  hasFailed = true
  endWaiting()
}

// The grader wants to see this one fail. If it comes back passed, or not at all, no other can be believed.
if (process.env.WORKSHOP_CANARY) {
  test.concurrent(process.env.WORKSHOP_CANARY, () => {
    must(false, { seen: 'The canary sings.', expected: 'Expected it to fail.' })
  })
}
