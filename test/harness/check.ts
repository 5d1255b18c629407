import { inject, test } from 'vitest'
import type { NginxPorts, Report } from '../../protocol/grading.ts'
import { NoPortError } from '../../wire/listen.ts'
import { canaryHolds } from './canary.ts'
import { asCheck } from './current-check.ts'
import { turns } from './event-loop.ts'
import { must } from './failure.ts'
import { happenedIn, reportOf, type Happened } from './report.ts'
import { beginSampling } from './sampling.ts'
import { secrets } from './secrets.ts'
import { signOfLife } from './signs-of-life.ts'
import { toolbox, type Tools } from './toolbox.ts'
import { newTranscript } from './transcript.ts'
import { watchUncaughtErrors } from './uncaught-errors.ts'
import { languageHasChanged } from './untouched.ts'

export { must } from './failure.ts'
export type { Tools } from './toolbox.ts'

declare module 'vitest' {
  interface TaskMeta {
    report?: Report
    /** The secret word that says how the check ended. */
    word?: string
  }
  interface ProvidedContext {
    nginx?: NginxPorts
    /** Whether to stop after the first failure. */
    bail?: boolean
    /** The IDs of the checks to run before the others, because the learner is waiting for them. */
    first?: string[]
    /** In a first look, the ID of the only check that tries every case. */
    tryAllIn?: string
  }
}

type Script = (tools: Tools) => Promise<void>

/**
 * Registers a core check.
 *
 * Checks run one after another in the order in which they are written, which is the order of diagnosis. The checks of the
 * task in which the learner is may come before all others. After the first failure, the remaining checks run concurrently, so that a learner waits for one timeout instead of twenty. An
 * uncaught error fails the check in which it was thrown. If that check is unknown, the checks that would have passed
 * run again, one after another.
 *
 * @param id an ID such as `1.2a`
 * @param rule the rule that the check grades, in the present tense
 * @param script tests the learner's code
 */
export function check(id: string, rule: string, script: Script): void {
  // Disable Vitest's timeout, because each wait has its own timeout, and the grader's watchdog kills everything else.
  const isFirst = inject('first')?.includes(id) ?? false
  if (isFirst) firstLeft += 1
  test.concurrent(`${id} ${rule}`, { timeout: 0 }, async ({ task, skip }) => {
    const endTurn = await waitForTurn(isFirst)
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
      if (played.error instanceof NoPortError) signOfLife(`no-port ${played.error.message}`)
      task.meta.report = played.report
      if (!languageHasChanged()) {
        task.meta.word = secrets?.words[id]?.[played.hasPassed ? 'passed' : 'failed']
      }
      if (played.hasPassed) return
      sawFailure()
      throw played.error
    } finally {
      signOfLife(`done ${id}`)
      endTurn()
    }
  })
}

/** Registers an edge case that a careful engineer handles. It is graded and counted, but not needed to pass the lesson. */
export function edgeCase(id: string, rule: string, script: Script): void {
  check(id, rule, script)
}

/** Registers a check that needs the real nginx. Does nothing if the grader has not started nginx. */
export function nginxCheck(
  id: string,
  rule: string,
  script: (tools: Tools, nginx: NginxPorts) => Promise<void>,
): void {
  const nginx = inject('nginx')
  if (nginx) check(id, rule, (tools) => script(tools, nginx))
}

/** Registers a check with processes of the learner's server. Only the grader can start them. */
export function processCheck(id: string, rule: string, script: Script): void {
  if (secrets) check(id, rule, script)
}

type Outcome = {
  report: Report
  hasPassed: boolean
  /** The thrown value that made the check fail. */
  error?: unknown
  /** Whether the check failed only because of an uncaught error that may belong to another check. */
  mayBeAnothers?: boolean
}

function runScript(script: Script): Promise<Outcome> {
  // Attribute errors to checks only after a failure, because the attribution costs time, and a check that runs alone
  // does not need it.
  return hasFailed ? asCheck(() => runAlone(script)) : runAlone(script)
}

async function runAlone(script: Script): Promise<Outcome> {
  const transcript = newTranscript()
  const tools = toolbox(transcript)
  const uncaught = watchUncaughtErrors()
  // Set when the script ends, because the clean-up does not belong in the report.
  let happened: Happened = { steps: [] }
  try {
    await tools.play(script).finally(() => {
      happened = happenedIn(transcript)
      return tools.close()
    })
    // Wait for one turn, because errors that were thrown while the last connections closed surface only then.
    await turns()
    const error = uncaught.failure() ?? uncaught.warning()
    const { note } = transcript
    if (!error) return { report: { ...happened, ...(note && { note }) }, hasPassed: true }
    const report = reportOf(error, happened, tools)
    return { report, hasPassed: false, error, mayBeAnothers: uncaught.areShared }
  } catch (thrown) {
    const error = (!uncaught.areShared && uncaught.failure()) || thrown
    return { report: reportOf(error, happened, tools), hasPassed: false, error }
  } finally {
    uncaught.stop()
  }
}

/** The number of turns after which the other ends of the previous check's connections have closed. */
const DRAIN_TURNS = 20

/** The checks that are running now. */
const running = new Set<Promise<Outcome>>()

function trackRunning(playing: Promise<Outcome>): Promise<Outcome> {
  running.add(playing)
  return playing.finally(() => running.delete(playing))
}

/** Waits until the previous check has ended or any check has failed. Returns a function that ends the turn. */
async function waitForTurn(isFirst: boolean): Promise<() => void> {
  const row = isFirst ? 'first' : 'others'
  const before = isFirst || firstLeft === 0 ? last[row] : Promise.all([last.others, firstIsOver])
  let end = (): void => {}
  last[row] = new Promise<void>((resolve) => {
    end = resolve
  })
  await Promise.race([before, failure])
  return () => {
    if (isFirst && (firstLeft -= 1) === 0) endFirst()
    end()
  }
}

/** The number of checks that come before the others and have not ended. */
let firstLeft = 0
let endFirst: () => void = () => {}
const firstIsOver = new Promise<void>((resolve) => {
  endFirst = resolve
})

/** The ends of the last turns that have been given. */
const last: Record<'first' | 'others', Promise<unknown>> = {
  first: Promise.resolve(),
  others: Promise.resolve(),
}

let hasFailed = false
let endWaiting = (): void => {}
const failure = new Promise<void>((resolve) => {
  endWaiting = resolve
})

function sawFailure(): void {
  hasFailed = true
  endWaiting()
}

for (const { id, rule, mustPass } of secrets?.canaries ?? []) {
  test.concurrent(`${id} ${rule}`, async () => {
    must(await canaryHolds(mustPass), {
      seen: 'The response ended before the last quake arrived.',
      expected: 'Expected the client to receive every quake.',
    })
  })
}
