import type { Verdict } from '../grader/verdict.ts'
import type { Lesson } from '../lessons/catalogue.ts'
import { recordVerdict } from '../lessons/progress.ts'
import { ownWork, type Work } from '../lessons/words.ts'
import type { Screen } from '../terminal/screen.ts'

/** Grades when asked to, one run at a time. */
export type Grading = {
  /** Grades the work as it is now; a run that is under way is given up. */
  start(): void
  readonly isRunning: boolean
  /** The last one that came to its end. */
  readonly verdict: Verdict | undefined
  stop(): Promise<void>
}

/** @param changed called when a run begins and when it has ended */
export function grading({
  lesson,
  work,
  out,
  changed,
}: {
  lesson: Lesson
  work: Work
  out: Screen
  changed(): void
}): Grading {
  let running: { controller: AbortController; done: Promise<void> } | undefined
  let verdict: Verdict | undefined

  async function run(signal: AbortSignal): Promise<void> {
    try {
      const { grade } = await import('../grader/grade.ts')
      const { renderVerdict } = await import('../grader/render.ts')
      const came = await grade({
        lesson: lesson.number,
        work: work.folder,
        name: work.name,
        signal,
      })
      if (signal.aborted) return
      verdict = came
      if (work === ownWork) recordVerdict(verdict)
      const { paint, width } = out
      out.print(`\n${renderVerdict(verdict, { paint, width, workName: work.name })}\n`)
    } catch (error) {
      if (!signal.aborted) out.print(`The work could not be graded: ${(error as Error).stack}`)
    }
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
      changed()
      mine.done = (async () => {
        await before
        if (!controller.signal.aborted) await run(controller.signal)
        if (running !== mine) return
        running = undefined
        changed()
      })()
    },
    get isRunning() {
      return running !== undefined
    },
    get verdict() {
      return verdict
    },
    stop: giveUp,
  }
}
