import { join } from 'node:path'
import type { GradingState, LessonState, PageState, ServerState } from '../../protocol/page.ts'
import type { Load } from '../../protocol/runtime.ts'
import type { Observer, Tap } from '../../wire/tap.ts'
import type { Problem } from '../lessons/args.ts'
import { lessonNumbered } from '../lessons/catalogue.ts'
import { hasChecks } from '../lessons/checks.ts'
import { QUESTION } from '../runtime/answers.ts'
import { FILTERED_STREAM } from '../runtime/filtered-stream.ts'
import { watchFolder } from '../runtime/watch-folder.ts'
import { showComponent, type ShownComponent } from './component.ts'
import { grading, type Grading, type GradingEvents } from './grading.ts'
import { runLearnerClient, type LearnerClient, type LearnerClientEvents } from './learner-client.ts'
import { loadMonitor, type LoadMonitor } from './load.ts'
import { runProcesses, type ProcessControl } from './lesson-processes.ts'
import { runServer, type LessonServer, type LessonServerEvents } from './lesson-server.ts'
import { lessonState } from './lesson-state.ts'
import {
  answersQuestions,
  clientOf,
  componentOf,
  hasProcesses,
  isFiltered,
  serverOf,
  standInOf,
  showsLoad,
  streamOf,
  targetName,
  targetPath,
  type LessonTarget,
} from './lesson-target.ts'
import { both, whenClosed } from './observers.ts'
import { openTap } from './open-tap.ts'

/** The callbacks for everything that happens in a lesson, so that the terminal can print it. */
export type LessonEvents = LessonServerEvents &
  GradingEvents &
  LearnerClientEvents & {
    saved(): void
  }

/** A running lesson: a server, a tap between the server and its clients, a grading after every save, and the page's state. */
export type LessonRun = LessonTarget & {
  /** The name of the folder in messages: `lessons/01-raw-chunks`. */
  readonly folder: string
  readonly tap: Tap
  /** The lesson's own port. Absent unless another program has taken that port. */
  readonly preferredPort?: number
  readonly slices: {
    lesson: LessonState
    server: ServerState
    grading?: GradingState
  }
  readonly server: Pick<LessonServer, 'file' | 'burst' | 'restart' | 'kill'>
  /** The component's page, in a lesson that has a component. */
  readonly component?: Pick<ShownComponent, 'url' | 'preferredPort'>
  /** The client.ts that runs alongside the server, in a lesson that has one. */
  readonly learnerClient?: Pick<LearnerClient, 'state'>
  /** The load of the server, in the lesson about slow readers. */
  readonly load?: LoadMonitor
  /** The processes of the server, in the lesson about several processes. */
  readonly processes?: ProcessControl
  /** The grading. Absent in an exhibit and in a lesson without checks, because there is nothing to grade. */
  readonly grades?: Grading
  close(): Promise<void>
}

/**
 * Starts a lesson.
 *
 * @param options.eventsOf creates the callbacks, given the path of the server.ts
 * @param options.changed called with the name of each slice that has changed
 * @param options.note adds a note to the wire
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
  const path = streamOf(target)
  const events = eventsOf(streams.file)
  let learnerClient: LearnerClient | undefined
  const serverEvents = {
    ...events,
    running,
    load: (measured: Load) => load?.measured(measured),
  }
  const several = hasProcesses(target)
    ? runProcesses({ target, events: serverEvents, changed, note })
    : undefined
  const server =
    several ?? runServer({ target, events: serverEvents, changed: () => changed('server'), note })
  const load = showsLoad(target)
    ? loadMonitor({ path, ...server, changed: () => changed('load') })
    : undefined
  const opened = await openTap(lesson.number, {
    destination: server.destination,
    observer: several ? both(observer, whenClosed(several.processes.closed)) : observer,
  })
  if ('problem' in opened) {
    load?.close()
    await server.stop()
    return opened
  }
  const { tap, preferredPort } = opened
  const url = `http://127.0.0.1:${tap.port}${path}`
  server.state.url = url
  if (isFiltered(target)) server.state.token = FILTERED_STREAM.tokens[0]
  if (answersQuestions(target)) server.state.question = QUESTION
  const file = componentOf(target)
  const component = file ? await showComponent({ ...target, file, api: tap.port, path }) : undefined
  if (component) server.state.component = { url: component.url }
  const program = clientOf(target)
  learnerClient =
    program &&
    runLearnerClient({
      program,
      standIn: standInOf(target),
      url,
      isFiltered: isFiltered(target),
      perNetwork: load !== undefined,
      events,
      changed: () => changed('learnerClient'),
    })
  const isGraded = !isExhibit && hasChecks(lesson.number)
  const grades = isGraded ? grading({ lesson, work, events, changed: gradingChanged }) : undefined
  let lessonSlice = lessonState(target)
  let isOver = false
  const stopWatching = watchSaves()
  // Grading uses all of the CPU, so start it only when everything that the learner is waiting for is ready.
  void Promise.all([several?.isReady ?? server.destination(), component?.isReady]).then(
    () => isOver || grades?.start(),
  )

  function running(): void {
    events.running()
    // Where events are numbered by the server, the numbers start over with the server, so the client must, too.
    if (load && learnerClient && learnerClient.state.quakes > 0) learnerClient.restart()
  }

  function gradingChanged(): void {
    changed('grading')
    // Start the spare process only after the grading has ended, because it would slow the grading down.
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
    note('Saved: restarting the server')
    server.restart()
  }

  /** Reads the README again, because it may have changed. */
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
    ...(load && { load }),
    ...(several && { processes: several.processes }),
    ...(grades && { grades }),
    async close() {
      isOver = true
      stopWatching()
      load?.close()
      const stopped = server.stop()
      await Promise.all([grades?.stop(), tap.close(), component?.close(), learnerClient?.close()])
      await stopped
    },
  }
}
