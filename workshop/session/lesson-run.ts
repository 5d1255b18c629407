import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Observer, Tap } from '../../wire/tap.ts'
import {
  startLearnerServer,
  type LearnerServer,
  type ServerEvents,
} from '../runtime/learner-server.ts'
import { grading, type Grading, type GradingEvents } from './grading.ts'
import { runDirFor } from './run-dir.ts'
import { openTap } from './open-tap.ts'
import { watchFolder } from '../runtime/watch-folder.ts'
import { checksOf, hasChecks } from '../lessons/checks.ts'
import { lessonNumbered, lessons, lessonsFolder, type Lesson } from '../lessons/catalogue.ts'
import { solutionFiles } from '../lessons/stubs.ts'
import { progressOf } from '../lessons/progress.ts'
import { ownWork, type Problem, type Work } from '../lessons/args.ts'
import type { GradingState, LessonState, PageState, ServerState } from '../../protocol/page.ts'
import { showComponent, type ShownComponent } from './component.ts'
import { runLearnerClient, type LearnerClient, type LearnerClientEvents } from './learner-client.ts'
import {
  hasClient,
  targetPath,
  serverOf,
  showsComponent,
  streamOf,
  type LessonTarget,
} from './lesson-target.ts'

/** What happens in a lesson, as it happens, for whoever prints it. */
export type LessonEvents = ServerEvents &
  GradingEvents &
  LearnerClientEvents & {
    saved(): void
    /** Somebody on the page wanted it. */
    killed(): void
  }

/** One lesson, running: a server behind a tap, a grade at each save, and what the page shows of them. */
export type LessonRun = LessonTarget & {
  /** As messages call it: `lessons/01-raw-chunks`. */
  readonly folder: string
  /** As messages call it: `lessons/01-raw-chunks/server.ts`. */
  readonly serverFile: string
  readonly tap: Tap
  /** The port that the lesson would have had, had nobody else taken it. */
  readonly preferredPort?: number
  readonly slices: {
    lesson: LessonState
    server: ServerState
    grading?: GradingState
  }
  /** Where the component is shown, in a lesson that has one. */
  readonly component?: Pick<ShownComponent, 'url' | 'preferredPort'>
  /** Its own client, in a lesson that has one. */
  readonly learnerClient?: Pick<LearnerClient, 'state'>
  readonly server: Pick<LearnerServer, 'burst' | 'restart'>
  /** Ends the server; after `DOWN_MS` it is back. False when it did not run. */
  kill(): boolean
  /** Absent when there is nothing to grade: in an exhibit, and in a lesson without checks. */
  readonly grades?: Grading
  /** Goes on with what the README says now. */
  readAgain(): void
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
  const path = targetPath(target)
  const folder = `${work.name}/${path}`
  const streams = serverOf(target)
  const serverFile = `${streams.work.name}/${streams.path}/server.ts`
  const events = eventsOf(serverFile)
  const runDir = runDirFor(streams.work, streams.path)
  const isOwnServer = serverFile === `${folder}/server.ts`
  let isOver = false
  /** Runs while the server is killed. */
  let revival: NodeJS.Timeout | undefined

  const state: ServerState = {
    state: 'starting',
    ...(!isOwnServer && { file: serverFile }),
    url: '',
    printed: [],
  }
  const server = startLearnerServer({
    name: serverFile,
    folder: runDir.folder,
    countLeaks: isExhibit,
    events: {
      running() {
        serverIs('running')
        events.running()
      },
      down(what, detail) {
        serverIs('down', what, detail)
        events.down(what, detail)
      },
      notWritten(what) {
        serverIs('not written', what)
        events.notWritten(what)
      },
      printed(line) {
        state.printed = [...state.printed, line].slice(-MOST_LINES)
        changed('server')
        events.printed(line)
      },
      feed(readers) {
        state.readers = readers
        changed('server')
        events.feed(readers)
      },
      leaks(leaks) {
        state.leaks = leaks
        changed('server')
        events.leaks(leaks)
      },
    },
  })
  const opened = await openTap(lesson.number, {
    destination: async () => (revival ? 'nobody' : server.destination()),
    observer,
  })
  if ('problem' in opened) {
    server.stop()
    return opened
  }
  const { tap, preferredPort } = opened
  const urlPath = streamOf(target)
  state.url = `http://127.0.0.1:${tap.port}${urlPath}`
  const component = showsComponent(lesson)
    ? await showComponent({ ...target, api: tap.port, path: urlPath })
    : undefined
  if (component) state.component = { url: component.url }

  const learnerClient = hasClient(lesson)
    ? runLearnerClient({
        ...target,
        url: state.url,
        events,
        changed: () => changed('learnerClient'),
      })
    : undefined

  const isGraded = !isExhibit && hasChecks(lesson.number)
  const slices: LessonRun['slices'] = {
    lesson: lessonState(target, folder),
    server: state,
    ...(isGraded && { grading: ungraded(lesson, work) }),
  }
  const grades = isGraded ? grading({ lesson, work, events: gradingEvents() }) : undefined
  const stopWatching = watchFolder(join(work.folder, path), () => {
    readAgain()
    events.saved()
    if (isOwnServer) {
      note('Saved: the server starts anew')
      restart()
    }
    void component?.saved()
    learnerClient?.saved()
    grades?.start()
  })
  const stopWatchingServer = isOwnServer
    ? undefined
    : watchFolder(join(streams.work.folder, streams.path), () => {
        events.saved()
        note('Saved: the server starts anew')
        restart()
      })
  // First what somebody waits for. Grading takes all the processor there is.
  void Promise.all([server.destination(), component?.isReady]).then(() => isOver || grades?.start())

  function restart(): void {
    clearTimeout(revival)
    revival = undefined
    delete state.readers
    server.restart()
    serverIs('starting')
  }

  function kill(): boolean {
    if (state.state !== 'running') return false
    server.stop()
    revival = setTimeout(() => {
      note('The server starts again')
      restart()
    }, DOWN_MS)
    note('The server is killed')
    serverIs('down', `It was killed, and comes back after ${DOWN_MS / 1000} seconds.`)
    events.killed()
    return true
  }

  function serverIs(now: ServerState['state'], what?: string, detail?: string): void {
    state.state = now
    state.what = what
    state.detail = detail
    changed('server')
  }

  function gradingEvents(): GradingEvents {
    return {
      changed() {
        if (isOver) return
        const isRunning = grades?.isRunning ?? false
        const old = slices.grading!.checks.map((check) => ({ ...check, isOld: true }))
        slices.grading = { ...slices.grading!, isRunning, ...(isRunning && { checks: old }) }
        changed('grading')
        // Not before: a process that warms up takes time from the one that grades.
        if (!isRunning) server.warmUp()
        events.changed()
      },
      checked(result) {
        const checks = slices.grading!.checks.map((check) =>
          check.id === result.id ? { ...result, isOld: false } : check,
        )
        slices.grading = { ...slices.grading!, checks }
        changed('grading')
        events.checked(result)
      },
      graded(verdict) {
        const { outcome, problem, typeErrors, printed, seed } = verdict
        const checks = verdict.checks.map((check) => ({ ...check, isOld: false }))
        const gradedAt = Date.now()
        slices.grading = { isRunning: true, checks, outcome, typeErrors, printed, seed, gradedAt }
        if (problem) slices.grading.problem = problem
        changed('grading')
        events.graded(verdict)
      },
      notGraded: events.notGraded,
    }
  }

  function readAgain(): void {
    const now = lessonNumbered(lesson.number) ?? lesson
    slices.lesson = lessonState({ ...target, lesson: now }, folder)
    changed('lesson')
  }

  return {
    lesson,
    work,
    isExhibit,
    folder,
    serverFile,
    tap,
    ...(preferredPort !== undefined && { preferredPort }),
    slices,
    ...(component && { component }),
    ...(learnerClient && { learnerClient }),
    server: { burst: server.burst, restart },
    kill,
    ...(grades && { grades }),
    readAgain,
    async close() {
      isOver = true
      stopWatching()
      stopWatchingServer?.()
      clearTimeout(revival)
      server.stop()
      await Promise.all([grades?.stop(), tap.close(), component?.close(), learnerClient?.close()])
      await runDir.remove()
    },
  }
}

function lessonState({ lesson, work, isExhibit }: LessonTarget, folder: string): LessonState {
  const { number, title, minutes, problem, tasks } = lesson
  const all = lessons()
  const named = (other: Lesson | undefined) => other && { number: other.number, title: other.title }
  const at = all.findIndex((each) => each.number === number)
  const previous = named(all[at - 1])
  const next = named(all[at + 1])
  return {
    number,
    title,
    ...(minutes !== undefined && { minutes }),
    of: all.length,
    folder,
    isExhibit,
    readme: readmeOf(lesson),
    ...(problem && { problem }),
    tasks: tasks.map((task) => ({ id: task.id, title: task.title })),
    files: isExhibit
      ? readdirSync(join(work.folder, lesson.folder, 'exhibit')).toSorted()
      : solutionFiles(lesson.folder),
    ...(previous && { previous }),
    ...(next && { next }),
  }
}

function readmeOf({ folder }: Lesson): string {
  try {
    return readFileSync(join(lessonsFolder, folder, 'README.md'), 'utf8')
  } catch {
    return ''
  }
}

/** Nothing has come yet in this session; what had passed before is known. */
function ungraded(lesson: Lesson, work: Work): GradingState {
  const passed = work === ownWork ? progressOf(lesson.number).passed : []
  return {
    isRunning: false,
    checks: checksOf(lesson.number).map(({ id, rule }) => ({
      id,
      rule,
      state: passed.includes(id) ? 'passed' : 'not run',
      steps: [],
      isOld: true,
    })),
    typeErrors: [],
    printed: '',
  }
}

const DOWN_MS = 3000

/** Of what the server prints: for a page, not for a file. */
const MOST_LINES = 100
