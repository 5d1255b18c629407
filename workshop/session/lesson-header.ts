import type { Screen } from '../terminal/screen.ts'
import { legend } from '../terminal/wire-lines.ts'
import type { LessonRun } from './lesson-run.ts'

/**
 * What is printed when a lesson begins: where everything is, and what a save does.
 *
 * @param page the address of its page, if there is one
 */
export function header(run: LessonRun, page: string | undefined, out: Screen): string {
  return run.isExhibit ? exhibitHeader(run, page, out) : lessonHeader(run, page, out)
}

function lessonHeader(run: LessonRun, page: string | undefined, { paint }: Screen): string {
  const { lesson, folder, server, component } = run
  const { url } = run.slices.server
  return [
    '',
    paint('strong', `Lesson ${lesson.number}: ${lesson.title}`),
    '',
    ...(component ? [`  ${paint('strong', component.url)}  ${whose('component', run)}`] : []),
    ...pageLine(page, paint),
    component
      ? `  ${paint('strong', url)}  its stream, on real earthquakes, of ${server.file}`
      : `  ${paint('strong', url)}  ${whose('server', run)}, on real earthquakes`,
    `  ${CURL} -N ${url}`,
    '',
    lesson.problem ?? `Read lessons/${lesson.folder}/README.md${page ? ', or the page' : ''}.`,
    ...(component
      ? [
          `Every save in ${folder} changes the component and grades.`,
          `Every save of ${server.file} restarts the server.`,
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
    paint('strong', `Exhibit: ${component ? folder : run.server.file}`),
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

/** In PowerShell, `curl` may be another program. */
const CURL = process.platform === 'win32' ? 'curl.exe' : 'curl'
