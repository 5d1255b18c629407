import { recorder as makeRecorder } from '../../wire/recorder.ts'
import type { Observer } from '../../wire/tap.ts'
import { lessonNumbered } from '../lessons/catalogue.ts'
import type { Problem } from '../lessons/args.ts'
import type { Action, Answer, PageState } from '../../protocol/page.ts'
import { pageClients } from './page-client.ts'
import type { Experiment } from './experiment.ts'
import { actOnLesson } from './lesson-actions.ts'
import { runLesson, type LessonEvents, type LessonRun } from './lesson-run.ts'
import { both } from './observers.ts'
import { hasExperiment, type LessonTarget } from './lesson-target.ts'
import type { Session } from '../page/session.ts'
import { listeners } from './listeners.ts'
import { shareProgress } from './share-progress.ts'
import type { ShareTarget } from './share-args.ts'
import { wireActions } from './wire-actions.ts'

/** A learner's session: one lesson at a time, and the clients that the page has connected. */
export type LessonSession = Session & {
  /** The lesson that is running now. */
  readonly run: LessonRun
  close(): Promise<void>
}

/**
 * Starts a session with a lesson.
 *
 * @param options.observer also receives all traffic
 * @param options.share the instructor's board to show the learner's progress to; if absent, the learner shows it to nobody
 * @param options.began called after another lesson has been chosen on the page and has started
 * @param options.told called with a message about an action on the page; the message should stay visible in the terminal
 */
export async function lessonSession({
  observer,
  eventsOf,
  share,
  began,
  told,
  ...first
}: LessonTarget & {
  observer: Observer
  share?: ShareTarget
  eventsOf(serverFile: string): LessonEvents
  began(run: LessonRun): void
  told(what: string): void
}): Promise<LessonSession | Problem> {
  const recorder = makeRecorder()
  const { tell, listen } = listeners()
  const wire = wireActions({ recorder, changed: tell })
  const clients = pageClients({
    changed: () => tell('clients'),
    processOf: (port) => run.processes?.processOf(port),
  })
  /** The experiment. It is kept after its first use, so that the reader finds the results after a visit to another lesson. */
  let lab: Experiment | undefined
  const shared = share && shareProgress({ target: share, told, changed: () => tell('sharing') })
  let change: Promise<unknown> = Promise.resolve()

  const opened = await open(first)
  if ('problem' in opened) return opened
  let run: LessonRun = opened
  shared?.began(run)

  async function open(target: LessonTarget): Promise<LessonRun | Problem> {
    const next = await runLesson({
      ...target,
      observer: both(observer, recorder.observer),
      eventsOf: (file) => shared?.withReports(eventsOf(file)) ?? eventsOf(file),
      changed: tell,
      note: recorder.note,
    })
    if ('problem' in next) return next
    wire.begin(next.tap)
    if (hasExperiment(next)) {
      // Load this module lazily, because other lessons do not need it.
      const { experiment } = await import('./experiment.ts')
      lab ??= experiment({ changed: () => tell('experiment') })
    }
    return next
  }

  async function act(action: Action): Promise<Answer> {
    const answer =
      wire.act(action) ??
      (hasExperiment(run) ? lab?.act(action) : undefined) ??
      run.load?.act(action) ??
      run.processes?.act(action)
    if (answer) return answer
    switch (action.do) {
      case 'lesson':
        return goTo(action.number)
      case 'connect':
        return clients.connect(run.slices.server)
      case 'stop sharing':
        return shared?.end() ?? { problem: 'Your progress is not shown to anybody.' }
      case 'leave':
        return clients.leave(action.id)
      default:
        return actOnLesson(run, action, { note: recorder.note, told })
    }
  }

  /** Stops the running lesson and starts another one. Quick clicks in a row are handled one after the other. */
  function goTo(number: number): Promise<Answer> {
    const mine = change.then(async (): Promise<Answer> => {
      const lesson = lessonNumbered(number)
      if (!lesson) return { problem: `There is no lesson ${number}.` }
      clients.leaveAll()
      lab?.stop()
      await run.close()
      const next = await open({ lesson, work: run.work, isExhibit: false })
      if ('problem' in next) {
        const back = await open(run)
        if (!('problem' in back)) run = back
        return next
      }
      run = next
      shared?.began(run)
      wire.act({ do: 'clear' })
      for (const slice of CHANGED_BY_LESSON) tell(slice)
      began(run)
      return { said: `Lesson ${number}: ${lesson.title}.` }
    })
    change = mine.catch(() => {})
    return mine
  }

  return {
    get state(): PageState {
      return {
        ...run.slices,
        clients: clients.states,
        ...(run.learnerClient && { learnerClient: run.learnerClient.state }),
        faults: wire.faults,
        recording: wire.recording,
        ...(run.load && { load: run.load.state }),
        ...(run.processes && { processes: run.processes.state }),
        ...(hasExperiment(run) && lab && { experiment: lab.state }),
        ...(shared && { sharing: shared.state }),
      }
    },
    get run() {
      return run
    },
    recorder,
    listen,
    act,
    async close() {
      clients.leaveAll()
      lab?.stop()
      await Promise.all([shared?.end(), run.close()])
    },
  }
}

/** The slices that change when the lesson changes. */
const CHANGED_BY_LESSON = [
  'lesson',
  'server',
  'grading',
  'experiment',
  'load',
  'processes',
  'learnerClient',
] as const
