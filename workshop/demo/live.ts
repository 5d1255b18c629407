import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { hasChecks } from '../grader/manifest.ts'
import { lessonNumbered, type Lesson } from '../lessons/catalogue.ts'
import { firstOpenTask } from '../lessons/progress.ts'
import type { Work } from '../lessons/words.ts'
import { CTRL_C, listenForKeys } from '../terminal/keys.ts'
import { screen, type Screen } from '../terminal/screen.ts'
import { demo } from './demo.ts'
import { grading } from './grading.ts'
import type { Leaks } from './message.ts'
import { placeToRun } from './place.ts'
import { openTap } from './ports.ts'
import { watchFolder } from './watch.ts'
import { legend } from './wire-lines.ts'
import { wireView } from './wire-view.ts'

/**
 * A lesson in the terminal: somebody's server on real earthquakes behind a tap, what crosses the wire, and
 * a grade at each save; until Ctrl-C or `q`.
 *
 * @param options.isExhibit run the lesson's exhibit instead: no grade, but a count of what it leaves behind
 * @returns the exit code
 */
export async function live({
  lesson,
  work,
  isExhibit,
}: {
  lesson: Lesson
  work: Work
  isExhibit: boolean
}): Promise<number> {
  const out = screen(process.stdout)
  const { paint } = out
  const ending = untilEnded()
  const path = join(lesson.folder, isExhibit ? 'exhibit' : '')
  const place = placeToRun(work, path)
  const folder = `${work.name}/${lesson.folder}${isExhibit ? '/exhibit' : ''}`
  const file = `${folder}/server.ts`

  const server = demo({
    name: file,
    folder: place.folder,
    countLeaks: isExhibit,
    events: {
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
    },
  })
  const wire = wireView(out)
  let isOver = false
  const opened = await openTap(lesson.number, {
    destination: server.destination,
    observer: wire.observer,
  })
  if ('problem' in opened) {
    server.stop()
    console.error(opened.problem)
    return 2
  }
  const { tap, taken } = opened
  if (taken) out.print(`Port ${taken} is taken by another program, so this is port ${tap.port}.`)
  const url = `http://127.0.0.1:${tap.port}${isExhibit ? '/sse' : (PATHS[lesson.number] ?? '/')}`
  out.print(isExhibit ? exhibitHeader(file, url, out) : header({ lesson, work, folder, url, out }))

  const isGraded = !isExhibit && hasChecks(lesson.number)
  const grades = !isGraded ? undefined : grading({ lesson, work, out, changed })
  const stopWatching = watchFolder(join(work.folder, path), () => {
    out.print(paint('quiet', `Saved at ${new Date().toLocaleTimeString('en-GB')}.`))
    server.restart()
    grades?.start()
  })
  const stopListening = listenForKeys(process.stdin, (key) => void press(key))
  showKeys()
  // The server first: somebody waits for the first earthquake. Grading takes all the processor there is.
  void server.destination().then(() => grades?.start())

  function changed(): void {
    if (isOver) return
    // Not before: a process that warms up takes time from the one that grades.
    if (!grades?.isRunning) server.warmUp()
    showKeys()
  }

  function showKeys(): void {
    const keys = [`s wire: ${wire.shows}`, 'c clear', 'q quit']
    if (!grades) {
      out.stay(keys.join(' · '))
      return
    }
    const { verdict, isRunning } = grades
    const passed = verdict?.checks.filter(({ state }) => state === 'passed').length
    const state = verdict ? `${passed} of ${verdict.checks.length} checks passed` : ''
    out.stay(
      [isRunning ? 'grading …' : state, 'g grade', 'h hint', ...keys].filter(Boolean).join(' · '),
    )
  }

  async function press(key: string): Promise<void> {
    if (key === CTRL_C) ending.end(130)
    if (key === 'q') ending.end(0)
    if (key === 'c') out.clear()
    if (key === 's') wire.next()
    if (key === 'g') grades?.start()
    if (key === 'h' && grades) await hint()
    showKeys()
  }

  async function hint(): Promise<void> {
    const { hintText } = await import('../lessons/hint-text.ts')
    const passed = grades?.verdict?.checks.filter(({ state }) => state === 'passed') ?? []
    const ids = passed.map(({ id }) => id)
    // Read again: the README may be back.
    const now = lessonNumbered(lesson.number) ?? lesson
    const task = firstOpenTask(now, ids)
    if (task) out.print(`\n${hintText(task, out)}\n`)
    else out.print(now.problem ?? 'Every check has passed: no hint is needed.')
  }

  const code = await ending.ended
  isOver = true
  stopListening()
  stopWatching()
  server.stop()
  wire.close()
  out.close()
  const putAway = Promise.all([grades?.stop(), tap.close()]).then(() => place.remove())
  // Nobody waits long for a grading that is hard to stop. What it leaves behind, the next one removes.
  const late = sleep(300, 'late', { ref: false })
  if ((await Promise.race([putAway, late])) === 'late') process.exit(code)
  return code
}

/** Ends with a signal or with a key. A second Ctrl-C does not wait for anything. */
function untilEnded(): { ended: Promise<number>; end(code: number): void } {
  let isEnding = false
  let end = (_code: number): void => {}
  const ended = new Promise<number>((resolve) => {
    end = resolve
  })
  for (const [signal, code] of Object.entries(EXIT_CODES)) {
    process.on(signal, () => {
      if (isEnding) process.exit(code)
      isEnding = true
      end(code)
    })
  }
  return { ended, end: (code) => end(code) }
}

function header({
  lesson,
  work,
  folder,
  url,
  out,
}: {
  lesson: Lesson
  work: Work
  folder: string
  url: string
  out: Screen
}): string {
  const { paint } = out
  const whose = work.name === 'lessons' ? 'your server' : `the server of ${work.name}`
  return [
    '',
    paint('strong', `Lesson ${lesson.number}: ${lesson.title}`),
    '',
    `  ${paint('strong', url)}  ${whose}, on real earthquakes`,
    `  ${CURL} -N ${url}`,
    '',
    lesson.problem ?? `Read lessons/${lesson.folder}/README.md.`,
    `Every save in ${folder} restarts the server and grades.`,
    '',
    legend(paint),
    '',
  ].join('\n')
}

function exhibitHeader(file: string, url: string, { paint }: Screen): string {
  return [
    '',
    paint('strong', `Exhibit: ${file}`),
    '',
    `  ${CURL} -N ${url}`,
    '',
    'A program as you find it in many articles. Connect in another terminal with the line above, leave',
    'with Ctrl-C, come back, leave again, three times. Then look at what is still running, and read the file.',
    '',
    legend(paint),
    '',
  ].join('\n')
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

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }

const LOST_WRITES_EVERY_MS = 3000

/** What each lesson serves. */
const PATHS: Record<number, string> = { 1: '/quakes.ndjson', 2: '/events' }

const UNTIL_SAVED = '  Until it runs, every request is answered 503.'

/** In PowerShell, `curl` may be another program. */
const CURL = process.platform === 'win32' ? 'curl.exe' : 'curl'
