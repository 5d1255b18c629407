import { join } from 'node:path'
import { recorder as makeRecorder } from '../../wire/recorder.ts'
import type { Observer } from '../../wire/tap.ts'
import { lessonNumbered } from '../lessons/catalogue.ts'
import { forgetProgress } from '../lessons/progress.ts'
import { resetLesson } from '../lessons/reset.ts'
import { ownWork, type Problem } from '../lessons/args.ts'
import type { Action, Answer, PageState } from '../../protocol/page.ts'
import { connectPageClient, type PageClient } from './page-client.ts'
import type { Experiment } from './experiment.ts'
import { runLesson, type LessonEvents, type LessonRun } from './lesson-run.ts'
import { both } from './observers.ts'
import { hasExperiment, targetPath, type LessonTarget } from './lesson-target.ts'
import type { Session } from '../page/session.ts'
import { listeners } from './listeners.ts'
import { wireActions } from './wire-actions.ts'

/** A session of one learner: a lesson at a time, and the clients that the page has connected. */
export type LessonSession = Session & {
  /** The lesson that is running now. */
  readonly run: LessonRun
  close(): Promise<void>
}

/**
 * Begins with a lesson.
 *
 * @param options.observer sees what crosses, too
 * @param options.began called when a lesson runs that was chosen on the page
 * @param options.told called with what was done on the page and is worth to be kept
 */
export async function lessonSession({
  observer,
  eventsOf,
  began,
  told,
  ...first
}: LessonTarget & {
  observer: Observer
  eventsOf(serverFile: string): LessonEvents
  began(run: LessonRun): void
  told(what: string): void
}): Promise<LessonSession | Problem> {
  const recorder = makeRecorder()
  const { tell, listen } = listeners()
  const wire = wireActions({ recorder, changed: tell })
  let clients: PageClient[] = []
  let clientsSoFar = 0
  /** Once it was wanted it stays: what was measured is there when the reader comes back. */
  let lab: Experiment | undefined
  let change: Promise<unknown> = Promise.resolve()

  const opened = await open(first)
  if ('problem' in opened) return opened
  let run: LessonRun = opened

  async function open(target: LessonTarget): Promise<LessonRun | Problem> {
    const next = await runLesson({
      ...target,
      observer: both(observer, recorder.observer),
      eventsOf,
      changed: tell,
      note: recorder.note,
    })
    if ('problem' in next) return next
    wire.begin(next.tap)
    if (hasExperiment(next)) {
      // Loaded when it is wanted: other lessons do without.
      const { experiment } = await import('./experiment.ts')
      lab ??= experiment({ changed: () => tell('experiment') })
    }
    return next
  }

  async function act(action: Action): Promise<Answer> {
    const answer = wire.act(action) ?? (hasExperiment(run) ? lab?.act(action) : undefined)
    if (answer) return answer
    const { lesson, work } = run
    switch (action.do) {
      case 'grade':
        if (!run.grades) return { problem: 'There is nothing to grade here.' }
        run.grades.start()
        return { said: 'Grading.' }
      case 'restart':
        run.server.restart()
        return { said: 'The server starts anew.' }
      case 'kill':
        if (!run.server.kill()) return { problem: 'The server is not running.' }
        return { said: 'The server is killed. It comes back by itself.' }
      case 'open': {
        const { openInEditor } = await import('./editor.ts')
        return openInEditor(join(work.folder, targetPath(run), action.file), action.line)
      }
      case 'reset': {
        if (work !== ownWork || run.isExhibit) {
          return { problem: 'Only your own work, in lessons/, can be reset.' }
        }
        const { saved, written } = resetLesson(lesson)
        forgetProgress(lesson.number)
        if (written.length === 0) return { said: 'The files are as they were at the start.' }
        const kept = saved ? ` Your work is in ${saved}.` : ''
        const said = `As at the start: ${written.join(', ')}.${kept}`
        // Where the work is now is worth more than a line that goes away.
        told(said)
        return { said }
      }
      case 'lesson':
        return goTo(action.number)
      case 'connect': {
        clientsSoFar += 1
        const changed = (): void => tell('clients')
        const client = connectPageClient({ id: clientsSoFar, url: run.slices.server.url, changed })
        // Those that are gone make room; those that read are not forgotten.
        const gone = clients.filter(isGone).slice(0, -MOST_GONE)
        clients = [...clients.filter((each) => !gone.includes(each)), client]
        changed()
        return { said: `Client ${clientsSoFar} connects.` }
      }
      case 'leave': {
        const client = clients.find(({ state }) => state.id === action.id)
        if (!client || isGone(client)) return { problem: `Client ${action.id} has left already.` }
        client.leave()
        return { said: `Client ${action.id} has left.` }
      }
      case 'burst':
        if (!run.slices.server.readers) {
          return { problem: 'Nobody has the feed open. Connect a client first.' }
        }
        run.server.burst(BURST)
        recorder.note(`${BURST.toLocaleString('en')} quakes happen at once`)
        return { said: `${BURST.toLocaleString('en')} quakes happen at once.` }
      default:
        return { problem: 'This cannot be done here.' }
    }
  }

  /** Ends the lesson that runs and runs another one; two clicks are two changes, one after the other. */
  function goTo(number: number): Promise<Answer> {
    const mine = change.then(async (): Promise<Answer> => {
      const lesson = lessonNumbered(number)
      if (!lesson) return { problem: `There is no lesson ${number}.` }
      leaveAll()
      lab?.stop()
      await run.close()
      const next = await open({ lesson, work: run.work, isExhibit: false })
      if ('problem' in next) {
        const back = await open(run)
        if (!('problem' in back)) run = back
        return next
      }
      run = next
      wire.act({ do: 'clear' })
      for (const slice of CHANGED_BY_LESSON) tell(slice)
      began(run)
      return { said: `Lesson ${number}: ${lesson.title}.` }
    })
    change = mine.catch(() => {})
    return mine
  }

  function leaveAll(): void {
    for (const client of clients) client.leave()
    clients = []
    tell('clients')
  }

  return {
    get state(): PageState {
      return {
        ...run.slices,
        clients: clients.map(({ state }) => state),
        ...(run.learnerClient && { learnerClient: run.learnerClient.state }),
        trouble: wire.trouble,
        recording: wire.recording,
        ...(hasExperiment(run) && lab && { experiment: lab.state }),
      }
    },
    get run() {
      return run
    },
    recorder,
    listen,
    act,
    async close() {
      leaveAll()
      lab?.stop()
      await run.close()
    },
  }
}

function isGone({ state }: PageClient): boolean {
  return state.state !== 'connecting' && state.state !== 'reading'
}

const BURST = 10_000

/** Clients that are gone and still shown. */
const MOST_GONE = 3

/** Slices that are another lesson's from then on. */
const CHANGED_BY_LESSON = ['lesson', 'server', 'grading', 'experiment', 'learnerClient'] as const
