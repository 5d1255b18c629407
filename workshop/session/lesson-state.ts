import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LessonState } from '../../protocol/page.ts'
import { lessons, lessonsFolder, type Lesson } from '../lessons/catalogue.ts'
import { solutionFiles } from '../lessons/stubs.ts'
import { targetName, type LessonTarget } from './lesson-target.ts'

/** Returns the state of a lesson for the page, with the current README. */
export function lessonState(target: LessonTarget): LessonState {
  const { lesson, work, isExhibit } = target
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
    folder: targetName(target),
    isExhibit,
    readme: readmeOf(lesson),
    ...(problem && { problem }),
    tasks: tasks.map((task) => ({ id: task.id, title: task.title })),
    files: isExhibit
      ? readdirSync(join(work.folder, lesson.folder, 'exhibit')).toSorted()
      : solutionFiles(lesson.folder),
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
