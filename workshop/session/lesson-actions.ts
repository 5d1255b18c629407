import { join } from 'node:path'
import type { Action, Answer } from '../../protocol/page.ts'
import { ownWork } from '../lessons/args.ts'
import { forgetProgress } from '../lessons/progress.ts'
import { resetLesson } from '../lessons/reset.ts'
import type { LessonRun } from './lesson-run.ts'
import { targetPath } from './lesson-target.ts'

/**
 * Does what the page asks of the lesson that runs.
 *
 * @param options.note tells on the wire what the workshop did
 * @param options.told called with what is worth to be kept
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
      return { said: 'Grading.' }
    case 'restart':
      run.server.restart()
      return { said: 'The server starts anew.' }
    case 'kill':
      if (!run.server.kill()) return { problem: 'The server is not running.' }
      return { said: 'The server is killed. It comes back by itself.' }
    case 'open': {
      const { openInEditor } = await import('./editor.ts')
      return openInEditor(join(run.work.folder, targetPath(run), action.file), action.line)
    }
    case 'reset':
      return reset(run, told)
    case 'burst':
      return burst(run, note)
    default:
      return { problem: 'This cannot be done here.' }
  }
}

function reset({ lesson, work, isExhibit }: LessonRun, told: (what: string) => void): Answer {
  if (work !== ownWork || isExhibit) {
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

function burst({ slices, server }: LessonRun, note: (text: string) => void): Answer {
  if (!slices.server.readers) {
    return { problem: 'Nobody has the feed open. Connect a client first.' }
  }
  server.burst(BURST)
  const happens = `${BURST.toLocaleString('en')} quakes happen at once`
  note(happens)
  return { said: `${happens}.` }
}

const BURST = 10_000
