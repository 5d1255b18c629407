import { join } from 'node:path'
import type { GradingState, LessonState, PageState, ServerState } from '../../protocol/page.ts'
import type { Observer, Tap } from '../../wire/tap.ts'
import type { Problem } from '../lessons/args.ts'
import { lessonNumbered } from '../lessons/catalogue.ts'
import { hasChecks } from '../lessons/checks.ts'
import { watchFolder } from '../runtime/watch-folder.ts'
import { showComponent, type ShownComponent } from './component.ts'
import { grading, type Grading, type GradingEvents } from './grading.ts'
import { runLearnerClient, type LearnerClient, type LearnerClientEvents } from './learner-client.ts'
import { runServer, type LessonServer, type LessonServerEvents } from './lesson-server.ts'
import { lessonState } from './lesson-state.ts'
import {
  hasClient,
  serverOf,
  showsComponent,
  streamOf,
  targetName,
  targetPath,
  type LessonTarget,
} from './lesson-target.ts'
import { openTap } from './open-tap.ts'

/** What happens in a lesson, as it happens, for whoever prints it. */
export type LessonEvents = LessonServerEvents &
  GradingEvents &
  LearnerClientEvents & {
    saved(): void
  }

/** One lesson, running: a server behind a tap, a grade at each save, and what the page shows of them. */
export type LessonRun = LessonTarget & {
  /** As messages call it: `lessons/01-raw-chunks`. */
  readonly folder: string
  readonly tap: Tap
  /** The port that the lesson would have had, had nobody else taken it. */
  readonly preferredPort?: number
  readonly slices: {
    lesson: LessonState
    server: ServerState
    grading?: GradingState
  }
  readonly server: Pick<LessonServer, 'file' | 'burst' | 'restart' | 'kill'>
  /** Where the component is shown, in a lesson that has one. */
  readonly component?: Pick<ShownComponent, 'url' | 'preferredPort'>
  /** Its own client, in a lesson that has one. */
  readonly learnerClient?: Pick<LearnerClient, 'state'>
  /** Absent when there is nothing to grade: in an exhibit, and in a lesson without checks. */
  readonly grades?: Grading
  close(): Promise<void>
}

/**
 * Starts it.
 *
 * @param options.eventsOf makes those who hear what happens, of its server.ts
 * @param options.changed called with the name of a slice that has changed
 * @param options.note tells on the wire what the workshop did
 */
export async function runLesson({
  lesson,
  work,
  isExhibit,
  observer,
  eventsOf,
  changed,
  note,
}: LessonTarget & {
  observer: Observer
  eventsOf(serverFile: string): LessonEvents
  changed(slice: keyof PageState): void
  note(text: string): void
}): Promise<LessonRun | Problem> {
  const target = { lesson, work, isExhibit }
  const streams = serverOf(target)
  const events = eventsOf(streams.file)
  const server = runServer({ target, events, changed: () => changed('server'), note })
  const opened = await openTap(lesson.number, { destination: server.destination, observer })
  if ('problem' in opened) {
    await server.stop()
    return opened
  }
  const { tap, preferredPort } = opened
  const path = streamOf(target)
  const url = `http://127.0.0.1:${tap.port}${path}`
  server.state.url = url
  const component = showsComponent(lesson)
    ? await showComponent({ ...target, api: tap.port, path })
    : undefined
  if (component) server.state.component = { url: component.url }
  const learnerClient = hasClient(lesson)
    ? runLearnerClient({ ...target, url, events, changed: () => changed('learnerClient') })
    : undefined
  const isGraded = !isExhibit && hasChecks(lesson.number)
  const grades = isGraded ? grading({ lesson, work, events, changed: gradingChanged }) : undefined
  let lessonSlice = lessonState(target)
  let isOver = false
  const stopWatching = watchSaves()
  // First what somebody waits for. Grading takes all the processor there is.
  void Promise.all([server.destination(), component?.isReady]).then(() => isOver || grades?.start())

  function gradingChanged(): void {
    changed('grading')
    // Not before: a process that warms up takes time from the one that grades.
    if (!grades?.isRunning) server.warmUp()
  }

  function watchSaves(): () => void {
    const stops = [
      watchFolder(join(work.folder, targetPath(target)), () => {
        readAgain()
        events.saved()
        if (streams.isOwn) restart()
        void component?.saved()
        learnerClient?.saved()
        grades?.start()
      }),
    ]
    if (!streams.isOwn) {
      const others = watchFolder(join(streams.work.folder, streams.path), () => {
        events.saved()
        restart()
      })
      stops.push(others)
    }
    return () => {
      for (const stop of stops) stop()
    }
  }

  function restart(): void {
    note('Saved: the server starts anew')
    server.restart()
  }

  /** Goes on with what the README says now. */
  function readAgain(): void {
    lessonSlice = lessonState({ ...target, lesson: lessonNumbered(lesson.number) ?? lesson })
    changed('lesson')
  }

  return {
    ...target,
    folder: targetName(target),
    tap,
    ...(preferredPort !== undefined && { preferredPort }),
    get slices() {
      return {
        lesson: lessonSlice,
        server: server.state,
        ...(grades && { grading: grades.state }),
      }
    },
    server,
    ...(component && { component }),
    ...(learnerClient && { learnerClient }),
    ...(grades && { grades }),
    async close() {
      isOver = true
      stopWatching()
      const stopped = server.stop()
      await Promise.all([grades?.stop(), tap.close(), component?.close(), learnerClient?.close()])
      await stopped
    },
  }
}
