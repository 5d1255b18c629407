import type { GradingState } from '../../protocol/page.ts'
import type { CheckResult, Verdict } from '../../protocol/verdict.ts'
import type { GradingProcess } from '../grader/grading-process.ts'
import { ownWork, type Work } from '../lessons/args.ts'
import type { Lesson } from '../lessons/catalogue.ts'
import { checksOf } from '../lessons/checks.ts'
import { taskOf } from '../lessons/task-of.ts'
import { progressOf, recordVerdict } from '../lessons/progress.ts'

/** Grades the work on request, one run at a time. */
export type Grading = {
  /** Grades the work in its current state. Cancels a run that is in progress. */
  start(): void
  readonly isRunning: boolean
  /** The state that the page shows. */
  readonly state: GradingState
  /** The verdict of the last run that was not cancelled. */
  readonly verdict: Verdict | undefined
  stop(): Promise<void>
}

export type GradingEvents = {
  /** Called when a run has started or ended. */
  gradingChanged(): void
  graded(verdict: Verdict): void | Promise<void>
  /** Called with a sentence if the learner's progress could not be saved. */
  notSaved(why: string): void
  /** Called if grading failed because of an error in the workshop itself. */
  notGraded(error: Error): void
}

/**
 * Creates the grading, which does not run until it is started.
 *
 * @param options.changed called after every change of the state
 */
export function grading({
  lesson,
  work,
  events,
  changed,
}: {
  lesson: Lesson
  work: Work
  events: GradingEvents
  changed(): void
}): Grading {
  let state = notGradedYet(lesson, work)
  let running: { controller: AbortController; done: Promise<void> } | undefined
  let verdict: Verdict | undefined
  let next: Promise<GradingProcess | undefined> = Promise.resolve(undefined)
  const over = new AbortController()

  async function run(signal: AbortSignal): Promise<void> {
    try {
      const { grade } = await import('../grader/grade.ts')
      const gradingProcess = await next
      next = Promise.resolve(undefined)
      const received = await grade({
        lesson: lesson.number,
        work: work.folder,
        name: work.name,
        signal,
        ...firstTask(),
        ...(gradingProcess && { gradingProcess }),
        onCheck: (result) => signal.aborted || checked(result),
      })
      if (signal.aborted) return
      verdict = received
      const unsaved = work === ownWork ? recordVerdict(verdict) : undefined
      graded(verdict)
      void events.graded(verdict)
      if (unsaved) events.notSaved(unsaved)
    } catch (error) {
      if (!signal.aborted) events.notGraded(error as Error)
    }
  }

  /** Returns the task in which the learner is: that of the first core check that has not passed. */
  function firstTask(): { firstTask?: string } {
    const open = state.checks.find(({ isEdgeCase, state: now }) => !isEdgeCase && now !== 'passed')
    return open ? { firstTask: taskOf(open.id) } : {}
  }

  function runs(isRunning: boolean): void {
    if (over.signal.aborted) return
    const old = state.checks.map((check) => ({ ...check, isOld: true }))
    become({ ...state, isRunning, ...(isRunning && { checks: old }) })
    events.gradingChanged()
  }

  function checked(result: CheckResult): void {
    const checks = state.checks.map((check) =>
      check.id === result.id ? { ...result, isOld: false } : check,
    )
    become({ ...state, checks })
  }

  function graded(received: Verdict): void {
    const { outcome, problem, typeErrors, typeProblem, printed, seed, checks } = received
    become({
      isRunning: true,
      checks: checks.map((check) => ({ ...check, isOld: false })),
      outcome,
      ...(problem && { problem }),
      typeErrors,
      ...(typeProblem && { typeProblem }),
      printed,
      seed,
      gradedAt: Date.now(),
    })
  }

  function become(now: GradingState): void {
    state = now
    changed()
  }

  function cancel(): Promise<void> {
    running?.controller.abort()
    return running?.done ?? Promise.resolve()
  }

  return {
    start() {
      const before = cancel()
      const controller = new AbortController()
      const mine = { controller, done: Promise.resolve() }
      running = mine
      runs(true)
      mine.done = (async () => {
        await before
        if (!controller.signal.aborted) await run(controller.signal)
        if (running !== mine) return
        running = undefined
        runs(false)
        if (!over.signal.aborted) next = preloaded(lesson.number, over.signal)
      })()
    },
    get isRunning() {
      return running !== undefined
    },
    get state() {
      return state
    },
    get verdict() {
      return verdict
    },
    async stop() {
      over.abort()
      await cancel()
      await (await next)?.end()
    },
  }
}

/**
 * Starts a process for the next grading and preloads its modules. Returns undefined if `signal` aborts before the
 * modules are loaded.
 */
async function preloaded(lesson: number, signal: AbortSignal): Promise<GradingProcess | undefined> {
  const { startGradingProcess } = await import('../grader/grading-process.ts')
  let started: GradingProcess | undefined
  try {
    started = await startGradingProcess({ lesson })
    await started.preload(signal)
  } catch {
    // Ignore the error, because it will happen again during the grading, which reports it.
  }
  if (!signal.aborted) return started
  await started?.end()
  return undefined
}

/** Returns the state before the first grading: each check that passed in an earlier session counts as passed. */
function notGradedYet(lesson: Lesson, work: Work): GradingState {
  const passed = work === ownWork ? progressOf(lesson.number).passed : []
  return {
    isRunning: false,
    checks: checksOf(lesson.number).map(({ id, rule, isEdgeCase }) => ({
      id,
      rule,
      isEdgeCase,
      state: passed.includes(id) ? 'passed' : 'not run',
      steps: [],
      isOld: true,
    })),
    typeErrors: [],
    printed: '',
  }
}
