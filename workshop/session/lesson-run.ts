import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Observer, Tap } from '../../wire/tap.ts'
import { demo, type Demo, type DemoEvents } from '../demo/demo.ts'
import { grading, type Grading, type GradingEvents } from '../demo/grading.ts'
import { placeToRun } from '../demo/place.ts'
import { openTap } from '../demo/ports.ts'
import { watchFolder } from '../demo/watch.ts'
import { checksOf, hasChecks } from '../grader/manifest.ts'
import { lessonNumbered, lessons, lessonsFolder, type Lesson } from '../lessons/catalogue.ts'
import { solutionFiles } from '../lessons/stubs.ts'
import type { Problem, Work } from '../lessons/words.ts'
import type { GradingState, LessonState, PageState, ServerState } from '../page/state.ts'

/** What is run: one lesson of somebody's work, or the lesson's exhibit. */
export type Running = { lesson: Lesson; work: Work; isExhibit: boolean }

/** What happens in a lesson, as it happens, for whoever prints it. */
export type LessonEvents = DemoEvents & GradingEvents & { saved(): void }

/** One lesson, running: a server behind a tap, a grade at each save, and what the page shows of them. */
export type LessonRun = Running & {
  /** As messages call it: `lessons/01-raw-chunks`. */
  readonly folder: string
  readonly tap: Tap
  /** The port that the lesson would have had, had nobody else taken it. */
  readonly taken?: number
  readonly slices: {
    lesson: LessonState
    server: ServerState
    grading?: GradingState
  }
  readonly server: Pick<Demo, 'burst' | 'restart'>
  /** Absent when there is nothing to grade: in an exhibit, and in a lesson without checks. */
  readonly grades?: Grading
  /** Goes on with what the README says now. */
  readAgain(): void
  close(): Promise<void>
}

/**
 * Starts it.
 *
 * @param options.eventsOf makes those who hear what happens, of its folder: `lessons/01-raw-chunks`
 * @param options.changed called with the name of a slice that has changed
 */
export async function runLesson({
  lesson,
  work,
  isExhibit,
  observer,
  eventsOf,
  changed,
}: Running & {
  observer: Observer
  eventsOf(folder: string): LessonEvents
  changed(slice: keyof PageState): void
}): Promise<LessonRun | Problem> {
  const path = join(lesson.folder, isExhibit ? 'exhibit' : '')
  const folder = `${work.name}/${lesson.folder}${isExhibit ? '/exhibit' : ''}`
  const events = eventsOf(folder)
  const place = placeToRun(work, path)
  let isOver = false

  const state: ServerState = { state: 'starting', url: '', printed: [] }
  const server = demo({
    name: `${folder}/server.ts`,
    folder: place.folder,
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
  const opened = await openTap(lesson.number, { destination: server.destination, observer })
  if ('problem' in opened) {
    server.stop()
    return opened
  }
  const { tap, taken } = opened
  state.url = `http://127.0.0.1:${tap.port}${isExhibit ? '/sse' : (PATHS[lesson.number] ?? '/')}`

  const isGraded = !isExhibit && hasChecks(lesson.number)
  const slices: LessonRun['slices'] = {
    lesson: lessonState({ lesson, work, isExhibit }, folder),
    server: state,
    ...(isGraded && { grading: ungraded(lesson) }),
  }
  const grades = isGraded ? grading({ lesson, work, events: gradingEvents() }) : undefined
  const stopWatching = watchFolder(join(work.folder, path), () => {
    readAgain()
    events.saved()
    server.restart()
    serverIs('starting')
    grades?.start()
  })
  // The server first: somebody waits for the first earthquake. Grading takes all the processor there is.
  void server.destination().then(() => grades?.start())

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
    slices.lesson = lessonState({ lesson: now, work, isExhibit }, folder)
    changed('lesson')
  }

  return {
    lesson,
    work,
    isExhibit,
    folder,
    tap,
    ...(taken !== undefined && { taken }),
    slices,
    server,
    ...(grades && { grades }),
    readAgain,
    async close() {
      isOver = true
      stopWatching()
      server.stop()
      await Promise.all([grades?.stop(), tap.close()])
      await place.remove()
    },
  }
}

function lessonState({ lesson, isExhibit }: Running, folder: string): LessonState {
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
    files: isExhibit ? ['server.ts'] : solutionFiles(lesson.folder),
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

function ungraded(lesson: Lesson): GradingState {
  return {
    isRunning: false,
    checks: checksOf(lesson.number).map(({ id, rule }) => ({
      id,
      rule,
      state: 'not run',
      steps: [],
      isOld: true,
    })),
    typeErrors: [],
    printed: '',
  }
}

/** What each lesson serves. */
const PATHS: Record<number, string> = { 1: '/quakes.ndjson', 2: '/events', 4: '/events' }

/** Of what the server prints: for a page, not for a file. */
const MOST_LINES = 100
