import type { GradingProcess } from '../grader/grading-process.ts'
import type { CheckResult, Verdict } from '../../protocol/verdict.ts'
import type { Lesson } from '../lessons/catalogue.ts'
import { recordVerdict } from '../lessons/progress.ts'
import { ownWork, type Work } from '../lessons/args.ts'

/** Grades when asked to, one run at a time. */
export type Grading = {
  /** Grades the work as it is now; a run that is under way is given up. */
  start(): void
  readonly isRunning: boolean
  /** The last one that came to its end. */
  readonly verdict: Verdict | undefined
  stop(): Promise<void>
}

export type GradingEvents = {
  /** A run begins, or has ended. */
  changed(): void
  /** A result has come. */
  checked(result: CheckResult): void
  graded(verdict: Verdict): void
  /** The workshop itself is broken. */
  notGraded(error: Error): void
}

export function grading({
  lesson,
  work,
  events,
}: {
  lesson: Lesson
  work: Work
  events: GradingEvents
}): Grading {
  let running: { controller: AbortController; done: Promise<void> } | undefined
  let verdict: Verdict | undefined
  let next: Promise<GradingProcess | undefined> = Promise.resolve(undefined)
  const over = new AbortController()

  async function run(signal: AbortSignal): Promise<void> {
    try {
      const { grade } = await import('../grader/grade.ts')
      const gradingProcess = await next
      next = Promise.resolve(undefined)
      const came = await grade({
        lesson: lesson.number,
        work: work.folder,
        name: work.name,
        signal,
        ...(gradingProcess && { gradingProcess }),
        onCheck: (result) => signal.aborted || events.checked(result),
      })
      if (signal.aborted) return
      verdict = came
      if (work === ownWork) recordVerdict(verdict)
      events.graded(verdict)
    } catch (error) {
      if (!signal.aborted) events.notGraded(error as Error)
    }
  }

  async function preloadNext(): Promise<GradingProcess | undefined> {
    const { startGradingProcess } = await import('../grader/grading-process.ts')
    let started: GradingProcess | undefined
    try {
      started = await startGradingProcess({ lesson: lesson.number })
      await started.preload(over.signal)
    } catch {
      // What goes wrong here goes wrong again in the grading, which tells.
    }
    if (!over.signal.aborted) return started
    await started?.end()
    return undefined
  }

  function giveUp(): Promise<void> {
    running?.controller.abort()
    return running?.done ?? Promise.resolve()
  }

  return {
    start() {
      const before = giveUp()
      const controller = new AbortController()
      const mine = { controller, done: Promise.resolve() }
      running = mine
      events.changed()
      mine.done = (async () => {
        await before
        if (!controller.signal.aborted) await run(controller.signal)
        if (running !== mine) return
        running = undefined
        events.changed()
        if (!over.signal.aborted) next = preloadNext()
      })()
    },
    get isRunning() {
      return running !== undefined
    },
    get verdict() {
      return verdict
    },
    async stop() {
      over.abort()
      await giveUp()
      await (await next)?.end()
    },
  }
}
