import { setTimeout as sleep } from 'node:timers/promises'
import { lessonNumbered } from '../lessons/catalogue.ts'
import { firstOpenTask } from '../lessons/progress.ts'
import type { Verdict } from '../../protocol/verdict.ts'
import { scoreInWords, scoreOf } from '../../protocol/score.ts'
import { exitRequest } from '../process/exit-request.ts'
import { firstFailure } from '../verdict/verdict-summary.ts'
import { wireView } from '../terminal/wire-view.ts'
import type { PageServer } from '../page/server.ts'
import { CTRL_C, listenForKeys } from '../terminal/keys.ts'
import { screen } from '../terminal/screen.ts'
import { header } from './lesson-header.ts'
import type { LessonEvents, LessonRun } from './lesson-run.ts'
import { lessonSession, type LessonSession } from './lesson-session.ts'
import { openPage, showInBrowser } from './open-page.ts'
import type { LessonTarget } from './lesson-target.ts'
import { printEvents } from './print-events.ts'
import type { ShareTarget } from './share-args.ts'
import { sharedWhat } from '../../protocol/sharing.ts'
import { troubleKeys } from './trouble-keys.ts'

/**
 * Runs a lesson in the terminal and on its page until Ctrl-C or `q`: a server with real earthquakes, a tap between the
 * server and its clients, the wire, and a grading after each save.
 *
 * @param first the lesson to start with; the page can switch to others
 * @param share the instructor's board to show the learner's progress to; if absent, the learner shows it to nobody
 * @returns the exit code
 */
export async function live(first: LessonTarget, share?: ShareTarget): Promise<number> {
  const out = screen(process.stdout)
  const exit = exitRequest()
  const wire = wireView(out)
  let session: LessonSession | undefined
  let page: PageServer | undefined
  let isOver = false

  const opened = await lessonSession({
    ...first,
    observer: wire.observer,
    eventsOf,
    ...(share && { share }),
    began: greet,
    told: (what) => out.print(what),
  })
  if ('problem' in opened) {
    console.error(opened.problem)
    return 2
  }
  session = opened
  if (session.state.sharing) out.print(`\n${sharedWhat(session.state.sharing)}`)
  const trouble = troubleKeys(opened)
  page = await openPage(session, out)
  greet(session.run)
  const stopListening = listenForKeys(process.stdin, (key) => void press(key))

  function eventsOf(file: string): LessonEvents {
    const events = printEvents({ file, work: first.work.name, out, changed: showKeys })
    return {
      ...events,
      async graded(verdict) {
        await events.graded(verdict)
        // Pause the wire so that the failure can be read. Without a terminal, nothing scrolls away.
        const failure = firstFailure(verdict.checks)
        const isToBeRead = verdict.outcome === 'fail' && !failure?.notWritten
        if (isToBeRead && process.stdout.isTTY) wire.pause()
        else wire.resume()
        showKeys()
      },
    }
  }

  function greet(run: LessonRun): void {
    const { preferredPort, tap, component } = run
    if (preferredPort) {
      out.print(`Port ${preferredPort} is taken by another program, so this is port ${tap.port}.`)
    }
    if (component?.preferredPort) {
      out.print(
        `Port ${component.preferredPort} is taken by another program, so the component is at another port.`,
      )
    }
    out.print(header(run, page?.url, out))
    showKeys()
  }

  function showKeys(): void {
    if (isOver || !session) return
    const { grades } = session.run
    const keys = [
      ...(page ? ['o page'] : [trouble.label]),
      ...(session.run.learnerClient
        ? [session.run.processes ? 'k kill a process' : 'k kill the server']
        : []),
      `s wire: ${wire.shows}`,
      'c clear',
      ...(isShared() ? ['e end sharing'] : []),
      'q quit',
    ]
    if (!grades) {
      out.stay(keys.join(' · '))
      return
    }
    const { verdict, isRunning } = grades
    const state = verdict ? stateOf(verdict) : ''
    out.stay(
      [isRunning ? 'grading …' : state, 'g grade', 'h hint', ...keys].filter(Boolean).join(' · '),
    )
  }

  function isShared(): boolean {
    const { sharing } = session?.state ?? {}
    return sharing !== undefined && sharing.state !== 'ended'
  }

  async function press(key: string): Promise<void> {
    if (key === CTRL_C) exit.request(130)
    if (key === 'q') exit.request(0)
    if (key === 'c') out.clear()
    if (key === 's') wire.next()
    if (key === 'k' && session?.run.learnerClient) session.run.server.kill()
    if (key === 'e' && isShared()) await session?.act({ do: 'stop sharing' })
    if (key === 'o' && page) await showInBrowser(page.url)
    if (key === 'g') session?.run.grades?.start()
    if (key === 'h' && session?.run.grades) await hint(session.run)
    const made = await trouble.press(key)
    if (made) out.print(made)
    showKeys()
  }

  async function hint({ lesson, grades }: LessonRun): Promise<void> {
    const { hintText } = await import('../lessons/hints.ts')
    const checks = grades?.verdict?.checks ?? []
    const closed = checks.filter(({ state, lacks }) => state === 'passed' || lacks)
    const ids = closed.map(({ id }) => id)
    // Read the README again, because the learner may have restored it.
    const now = lessonNumbered(lesson.number) ?? lesson
    const task = firstOpenTask(now, ids)
    if (task) out.print(`\n${hintText(task, out)}\n`)
    else out.print(now.problem ?? 'No check is open, so you need no hint.')
  }

  const code = await exit.requested
  isOver = true
  stopListening()
  wire.close()
  out.close()
  const putAway = Promise.all([page?.close(), session.close()])
  // Do not wait long for a grading that is hard to stop. The next grading removes its sandbox.
  const late = sleep(300, 'late', { ref: false })
  if ((await Promise.race([putAway, late])) === 'late') process.exit(code)
  return code
}

/** Summarises a verdict in a few words: `12/20 core · 3/9 edge cases`. */
function stateOf({ checks, outcome }: Verdict): string {
  // If the work was not graded, there is no score, and the problem has already been printed.
  if (outcome === 'error') return 'not graded because of an error'
  if (outcome === 'stuck') return 'not graded because the work got stuck'
  const lacking = checks.filter(({ lacks }) => lacks).length
  const left = lacking > 0 ? `, ${lacking} not graded` : ''
  return `${scoreInWords(scoreOf(checks))}${left}`
}
