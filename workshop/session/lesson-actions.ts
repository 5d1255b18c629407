import { join } from 'node:path'
import type { Action, Answer } from '../../protocol/page.ts'
import { ownWork } from '../lessons/args.ts'
import { forgetProgress } from '../lessons/progress.ts'
import { resetLesson } from '../lessons/reset.ts'
import type { LessonRun } from './lesson-run.ts'
import { targetPath } from './lesson-target.ts'

/**
 * Performs an action that the page requested for the running lesson.
 *
 * @param options.note adds a note to the wire
 * @param options.told called with a message that should stay visible in the terminal
 */
export async function actOnLesson(
  run: LessonRun,
  action: Action,
  { note, told }: { note(text: string): void; told(what: string): void },
): Promise<Answer> {
  switch (action.do) {
    case 'grade':
      if (!run.grades) return { problem: 'There is nothing to grade here.' }
      run.grades.start()
      return { said: 'Grading your work.' }
    case 'restart':
      run.server.restart()
      return { said: 'Restarting the server.' }
    case 'kill':
      if (!run.server.kill()) return { problem: 'The server is not running.' }
      return { said: 'Server killed. It restarts automatically.' }
    case 'open': {
      const { openInEditor } = await import('./editor.ts')
      return openInEditor(join(run.work.folder, targetPath(run), action.file), action.line)
    }
    case 'reset':
      return reset(run, told)
    case 'burst':
      return burst(run, note)
    default:
      return { problem: 'This action is not available here.' }
  }
}

function reset({ lesson, work, isExhibit }: LessonRun, told: (what: string) => void): Answer {
  if (work !== ownWork || isExhibit) {
    return { problem: 'You can only reset your own work in lessons/.' }
  }
  const { saved, written } = resetLesson(lesson)
  forgetProgress(lesson.number)
  if (written.length === 0) return { said: 'Nothing to reset: the files are unchanged.' }
  const kept = saved ? ` Your work is saved in ${saved}.` : ''
  const said = `These files are stubs again: ${written.join(', ')}.${kept}`
  // Show the message in the terminal as well. On the page it disappears, but people may need the path later.
  told(said)
  return { said }
}

function burst({ slices, server }: LessonRun, note: (text: string) => void): Answer {
  if (!slices.server.readers) {
    return { problem: 'No client has the feed open. Connect a client first.' }
  }
  server.burst(BURST)
  const happens = `Burst: ${BURST.toLocaleString('en')} quakes happen at once`
  note(happens)
  return { said: `${happens}.` }
}

const BURST = 10_000
