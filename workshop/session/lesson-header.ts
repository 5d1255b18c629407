import { curlCommand } from '../../protocol/curl.ts'
import { shellOn } from '../../protocol/shell.ts'
import type { Screen } from '../terminal/screen.ts'
import { legend } from '../terminal/wire-lines.ts'
import type { LessonRun } from './lesson-run.ts'

/**
 * Returns the text to print when a lesson starts: the addresses, and what happens after a save.
 *
 * @param page the address of the lesson's page, if there is a page
 */
export function header(run: LessonRun, page: string | undefined, out: Screen): string {
  return run.isExhibit ? exhibitHeader(run, page, out) : lessonHeader(run, page, out)
}

function lessonHeader(run: LessonRun, page: string | undefined, { paint }: Screen): string {
  const { lesson, folder, server, component } = run
  const { url, file, question } = run.slices.server
  const curl = curlCommand(run.slices.server, SHELL)
  return [
    '',
    paint('strong', `Lesson ${lesson.number}: ${lesson.title}`),
    '',
    ...(component ? [`  ${paint('strong', component.url)}  ${whose('component', run)}`] : []),
    ...pageLine(page, paint),
    file
      ? `  ${paint('strong', url)}  ${component ? 'its' : 'the'} stream of real earthquakes, from ${server.file}`
      : `  ${paint('strong', url)}  ${whose('server', run)}${question === undefined ? ', with real earthquakes' : ''}`,
    `  ${curl}`,
    '',
    lesson.problem ??
      `The tasks are in lessons/${lesson.folder}/README.md${page ? ' and on the page' : ''}.`,
    ...(file
      ? [
          `When you save a file in ${folder}, the ${component ? 'component is updated' : 'client is restarted'} and your work is graded.`,
          `When you save ${server.file}, the server is restarted.`,
        ]
      : [`When you save a file in ${folder}, the server is restarted and your work is graded.`]),
    '',
    legend(paint),
    '',
  ].join('\n')
}

function whose(what: string, { work }: LessonRun): string {
  return work.name === 'lessons' ? `your ${what}` : `the ${what} in ${work.name}`
}

function exhibitHeader(run: LessonRun, page: string | undefined, { paint }: Screen): string {
  const { component, learnerClient, folder, slices } = run
  return [
    '',
    paint('strong', `Exhibit: ${component ? folder : run.server.file}`),
    '',
    ...(component ? [`  ${paint('strong', component.url)}  the component`] : []),
    ...pageLine(page, paint),
    `  ${curlCommand({ url: slices.server.url }, SHELL)}`,
    '',
    ...(learnerClient
      ? [
          'You will find a server and a client like these in many articles. Watch them for half a minute: the client',
          'prints everything it receives. Then read both files.',
        ]
      : component
        ? [
            'You will find a component like this in many articles. Watch the number for a while. Then press Kill the server',
            'on the lesson page, wait until the server is back, and look again. Then read the file.',
          ]
        : [
            'You will find a program like this in many articles. In another terminal, connect with the command above',
            'and disconnect with Ctrl-C. Do this three times. Then look at what is still running, and read the file.',
          ]),
    '',
    legend(paint),
    '',
  ].join('\n')
}

function pageLine(page: string | undefined, paint: Screen['paint']): string[] {
  return page ? [`  ${paint('strong', `${page}/`)}  the lesson page`] : []
}

const SHELL = shellOn(process.platform)
