import type { Answer, SharingState } from '../../protocol/page.ts'
import type { LessonEvents, LessonRun } from './lesson-run.ts'
import { progressAfter, progressIn, type Progress } from './progress-report.ts'
import type { ShareTarget } from './share-args.ts'
import { sharing } from './sharing.ts'
import { sharingStatus } from '../../protocol/sharing.ts'

/** Reports the progress of a session to the instructor's board. */
export type SharedProgress = {
  readonly state: SharingState
  /** Reports a lesson that has started, with the checks that passed earlier. */
  began(run: LessonRun): void
  /** Returns the events of a lesson, so that each grading is also reported. */
  withReports(events: LessonEvents): LessonEvents
  /** Removes the learner from the board, and reports nothing more. */
  end(): Promise<Answer>
}

/**
 * @param options.told called with a sentence when the connection to the board changes
 * @param options.changed called after each change of the state
 */
export function shareProgress({
  target,
  told,
  changed,
}: {
  target: ShareTarget
  told(what: string): void
  changed(): void
}): SharedProgress {
  let last: Progress | undefined
  let saidAbout: SharingState['state'] = 'connecting'
  const board = sharing({
    target,
    changed() {
      changed()
      if (board.state.state === saidAbout) return
      saidAbout = board.state.state
      told(sharingStatus(board.state))
    },
  })

  function report(progress: Progress): void {
    last = progress
    board.report(progress)
  }

  return {
    get state() {
      return board.state
    },
    began({ lesson, grades }) {
      if (grades) report(progressIn(lesson.number, grades.state.checks))
    },
    withReports: (events) => ({
      ...events,
      graded(verdict) {
        const { lesson, checks } = verdict
        report(progressAfter(verdict, last?.lesson === lesson ? last : progressIn(lesson, checks)))
        return events.graded(verdict)
      },
    }),
    async end() {
      await board.end()
      return { said: sharingStatus(board.state) }
    },
  }
}
