import { setTimeout as sleep } from 'node:timers/promises'
import { lessonNumbered } from '../lessons/catalogue.ts'
import { firstOpenTask } from '../lessons/progress.ts'
import type { Leaks } from '../../protocol/runtime.ts'
import type { Verdict } from '../../protocol/verdict.ts'
import { legend } from '../terminal/wire-lines.ts'
import { wireView } from '../terminal/wire-view.ts'
import { CTRL_C, listenForKeys } from '../terminal/keys.ts'
import { screen, type Screen } from '../terminal/screen.ts'
import type { LessonEvents, LessonRun } from './lesson-run.ts'
import { lessonSession, type LessonSession } from './lesson-session.ts'
import { openPage, showInBrowser } from './open-page.ts'
import type { LearnerClientState } from '../../protocol/page.ts'
import type { LessonTarget } from './lesson-target.ts'
import { exitRequest } from '../process/exit-request.ts'

/**
 * A lesson, in the terminal and on its page: somebody's server on real earthquakes behind a tap, what
 * crosses the wire, and a grade at each save; until Ctrl-C or `q`.
 *
 * @param first the lesson to begin with; the page can go on to others
 * @returns the exit code
 */
export async function live(first: LessonTarget): Promise<number> {
  const out = screen(process.stdout)
  const exit = exitRequest()
  const wire = wireView(out)
  let session: LessonSession | undefined
  let isOver = false

  const opened = await lessonSession({
    ...first,
    observer: wire.observer,
    eventsOf: (file) => printed({ file, work: first.work.name, out, changed: showKeys }),
    began: greet,
    told: (what) => out.print(what),
  })
  if ('problem' in opened) {
    console.error(opened.problem)
    return 2
  }
  session = opened
  const page = await openPage(session, out)
  greet(session.run)
  const stopListening = listenForKeys(process.stdin, (key) => void press(key))

  function greet(run: LessonRun): void {
    const { preferredPort, tap, component, isExhibit } = run
    if (preferredPort) {
      out.print(`Port ${preferredPort} is taken by another program, so this is port ${tap.port}.`)
    }
    if (component?.preferredPort) {
      out.print(
        `Port ${component.preferredPort} is taken by another program: the component is at another one.`,
      )
    }
    out.print(isExhibit ? exhibitHeader(run, page?.url, out) : header(run, page?.url, out))
    showKeys()
  }

  function showKeys(): void {
    if (isOver || !session) return
    const { grades } = session.run
    const keys = [
      ...(page ? ['o page'] : []),
      ...(session.run.learnerClient ? ['k kill the server'] : []),
      `s wire: ${wire.shows}`,
      'c clear',
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

  async function press(key: string): Promise<void> {
    if (key === CTRL_C) exit.request(130)
    if (key === 'q') exit.request(0)
    if (key === 'c') out.clear()
    if (key === 's') wire.next()
    if (key === 'k' && session?.run.learnerClient) session.run.kill()
    if (key === 'o' && page) await showInBrowser(page.url)
    if (key === 'g') session?.run.grades?.start()
    if (key === 'h' && session?.run.grades) await hint(session.run)
    showKeys()
  }

  async function hint({ lesson, grades }: LessonRun): Promise<void> {
    const { hintText } = await import('../lessons/hint-text.ts')
    const checks = grades?.verdict?.checks ?? []
    const closed = checks.filter(({ state, lacks }) => state === 'passed' || lacks)
    const ids = closed.map(({ id }) => id)
    // Read again: the README may be back.
    const now = lessonNumbered(lesson.number) ?? lesson
    const task = firstOpenTask(now, ids)
    if (task) out.print(`\n${hintText(task, out)}\n`)
    else out.print(now.problem ?? 'No check is open: no hint is needed.')
  }

  const code = await exit.requested
  isOver = true
  stopListening()
  wire.close()
  out.close()
  const putAway = Promise.all([page?.close(), session.close()])
  // Nobody waits long for a grading that is hard to stop. What it leaves behind, the next one removes.
  const late = sleep(300, 'late', { ref: false })
  if ((await Promise.race([putAway, late])) === 'late') process.exit(code)
  return code
}

/** Prints what happens in a lesson. */
function printed({
  file,
  work,
  out,
  changed,
}: {
  file: string
  work: string
  out: Screen
  changed(): void
}): LessonEvents {
  const { paint } = out
  return {
    running: () => out.print(`${paint('good', '●')} ${file} is running.`),
    down(what, detail) {
      const lines = detail === '' ? [] : detail.split('\n').map((line) => `  ${line}`)
      out.print([`${paint('bad', '✗')} ${what}`, ...lines, UNTIL_SAVED].join('\n'))
    },
    notWritten(what) {
      out.print(`○ ${file} is not written yet (${paint('strong', what)}).\n${UNTIL_SAVED}`)
    },
    printed: (line) => out.print(`${paint('quiet', 'server.ts prints:')} ${line}`),
    feed: (readers) => out.print(paint('quiet', `feed open for ${counted(readers, 'reader')}`)),
    leaks: leakLines((line) => out.print(paint('bad', line))),
    killed: () => out.print(`${paint('bad', '✗')} ${file} is killed. It comes back by itself.`),
    follows: (state) => out.print(learnerClientLine(state, paint)),
    clientPrinted: (line) => out.print(`${paint('quiet', 'client.ts prints:')} ${line}`),
    saved: () => out.print(paint('quiet', `Saved at ${new Date().toLocaleTimeString('en-GB')}.`)),
    changed,
    checked: () => {},
    async graded(verdict) {
      const { renderVerdict } = await import('../verdict/render.ts')
      out.print(`\n${renderVerdict(verdict, { paint, width: out.width, workName: work })}\n`)
    },
    notGraded: (error) => out.print(`The work could not be graded: ${error.stack}`),
  }
}

/** `12 of 29 checks passed`. */
function stateOf({ checks, outcome }: Verdict): string {
  // Then the checks say nothing of the work. What went wrong has been printed.
  if (outcome === 'error') return 'no grade: an error'
  if (outcome === 'stuck') return 'no grade: stuck'
  const passed = checks.filter(({ state }) => state === 'passed').length
  const lacking = checks.filter(({ lacks }) => lacks).length
  const left = lacking > 0 ? `, ${lacking} not graded` : ''
  return `${passed} of ${checks.length} checks passed${left}`
}

/** `client.ts waits after 42 quakes, 0 missed, 0 twice: terminated; it asks again in 812 ms`. */
function learnerClientLine(
  { state, what, quakes, missed, twice }: LearnerClientState,
  paint: Screen['paint'],
): string {
  if (state === 'not written') return `○ client.ts is not written yet. ${what}`
  const counts = `${counted(quakes, 'quake')}, ${missed} missed, ${twice} twice`
  const shape = { open: paint('good', '●'), down: paint('bad', '✗') }[state as string] ?? '◌'
  return `${shape} client.ts ${paint('strong', FOLLOWS[state])} ${paint('quiet', `(${counts})`)}${what ? `: ${what}` : ''}`
}

const FOLLOWS: Record<Exclude<LearnerClientState['state'], 'not written'>, string> = {
  starting: 'starts',
  connecting: 'connects',
  open: 'is connected',
  waiting: 'waits',
  over: 'has come to the end',
  down: 'is down',
}

function header(run: LessonRun, page: string | undefined, { paint }: Screen): string {
  const { lesson, folder, serverFile, component } = run
  const { url } = run.slices.server
  return [
    '',
    paint('strong', `Lesson ${lesson.number}: ${lesson.title}`),
    '',
    ...(component ? [`  ${paint('strong', component.url)}  ${whose('component', run)}`] : []),
    ...pageLine(page, paint),
    component
      ? `  ${paint('strong', url)}  its stream, on real earthquakes, of ${serverFile}`
      : `  ${paint('strong', url)}  ${whose('server', run)}, on real earthquakes`,
    `  ${CURL} -N ${url}`,
    '',
    lesson.problem ?? `Read lessons/${lesson.folder}/README.md${page ? ', or the page' : ''}.`,
    ...(component
      ? [
          `Every save in ${folder} changes the component and grades.`,
          `Every save of ${serverFile} restarts the server.`,
        ]
      : [`Every save in ${folder} restarts the server and grades.`]),
    '',
    legend(paint),
    '',
  ].join('\n')
}

function whose(what: string, { work }: LessonRun): string {
  return work.name === 'lessons' ? `your ${what}` : `the ${what} of ${work.name}`
}

function exhibitHeader(run: LessonRun, page: string | undefined, { paint }: Screen): string {
  const { component, learnerClient, folder, slices } = run
  return [
    '',
    paint('strong', `Exhibit: ${component ? folder : run.serverFile}`),
    '',
    ...(component ? [`  ${paint('strong', component.url)}  the component`] : []),
    ...pageLine(page, paint),
    `  ${CURL} -N ${slices.server.url}`,
    '',
    ...(learnerClient
      ? [
          'A server and its client as you find them in many articles. Watch them for half a minute: the client prints',
          'what it gets. Then read both files.',
        ]
      : component
        ? [
            'A component as you find it in many articles. Look at the number for a while, then press Kill the server on',
            'the lesson page. Wait until the server is back, look again, and read the file.',
          ]
        : [
            'A program as you find it in many articles. Connect in another terminal with the line above, leave',
            'with Ctrl-C, come back, leave again, three times. Then look at what is still running, and read the file.',
          ]),
    '',
    legend(paint),
    '',
  ].join('\n')
}

function pageLine(page: string | undefined, paint: Screen['paint']): string[] {
  return page ? [`  ${paint('strong', `${page}/`)}  the lesson page`] : []
}

/** Prints what has changed. What is written to nobody grows and grows: now and then will do. */
function leakLines(print: (line: string) => void): (leaks: Leaks) => void {
  let last = ''
  let printedAt = 0
  return ({ intervals, clients, lostWrites }) => {
    const running = `still running: ${counted(intervals, 'interval')} · ${counted(clients, 'client')} connected`
    if (running === last && performance.now() - printedAt < LOST_WRITES_EVERY_MS) return
    last = running
    printedAt = performance.now()
    print(`${running} · ${counted(lostWrites, 'write')} to nobody`)
  }
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

const LOST_WRITES_EVERY_MS = 3000

const UNTIL_SAVED = '  Until it runs, every request is answered 503.'

/** In PowerShell, `curl` may be another program. */
const CURL = process.platform === 'win32' ? 'curl.exe' : 'curl'
