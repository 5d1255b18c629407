import { existsSync, statSync } from 'node:fs'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { taskOf } from './task-of.ts'
import { visible } from '../../wire/visible.ts'
import { isInside } from '../is-inside.ts'
import { ROOT } from '../root.ts'
import { checkIds, lessonNumbered, lessons, lessonsFolder, listed } from './catalogue.ts'
import { LESSON_FOLDER, type Lesson } from './catalogue.ts'

/** Somebody's work: a folder laid out like lessons/, and its name in messages. */
export type Work = {
  folder: string
  name: string
}

/** The parsed arguments of a command. */
export type LessonArgs = {
  lesson?: number
  /** A task (`3.2`) or check (`3.2a`) of the lesson. It has been verified to exist. */
  only?: string
  work: Work
}

/** A message that says why the arguments were rejected and which arguments are accepted. */
export type Problem = { problem: string }

/**
 * Parses a lesson (`3`, `03`, `lesson3` or `lesson 3`), a task (`3.2`) or a check (`3.2a`). A folder with somebody's work
 * may follow.
 */
export function parseArgs(args: string[]): LessonArgs | Problem {
  const left = args.filter((arg) => arg !== '')
  const reference = takeReference(left)
  const another = takeReference([...left])
  if (reference && another && !folderCalled(left[0]!)) return { problem: oneAtATime(args) }
  if (left.length > 1) return { problem: unknownWord(left[0]!) }

  const work = left.length === 0 ? ownWork : findWork(left[0]!)
  if ('problem' in work) return work
  if (!reference) return { work }

  const { number, only } = reference
  const lesson = lessonNumbered(number)
  if (!lesson) {
    return { problem: `There is no lesson ${number}. The lessons are ${listed(lessons())}.` }
  }
  if (only && !isKnown(only, lesson)) return { problem: unknownOnly(only, lesson) }
  if (work !== ownWork && !isFolder(join(work.folder, lesson.folder))) {
    return {
      problem: `The folder ${work.name} does not contain ${lesson.folder}, the folder of lesson ${number}.`,
    }
  }
  return { lesson: number, ...(only && { only }), work }
}

/** The learner's own work, in lessons/. */
export const ownWork: Work = { folder: lessonsFolder, name: 'lessons' }

/** Parses a lesson, task or check at the front of `args`, and removes it from `args`. */
export function takeReference(args: string[]): { number: number; only?: string } | undefined {
  const joined = /^lesson$/i.test(args[0] ?? '') && args.length > 1
  const text = joined ? `${args[0]}${args[1]}` : (args[0] ?? '')
  const match = /^(?:lesson)?(\d+)(\.\d+[a-z]*)?$/i.exec(text)
  if (!match) return undefined
  args.splice(0, joined ? 2 : 1)
  const number = Number(match[1])
  return { number, ...(match[2] && { only: `${number}${match[2].toLowerCase()}` }) }
}

/** Returns the folder in which the user typed the command, because npm runs it in the root of the repository. */
export function callersFolder(): string {
  return process.env.INIT_CWD ?? process.cwd()
}

/** Finds a folder by its path, relative to the user's folder or to the root of the repository. */
export function folderCalled(arg: string): string | undefined {
  return [resolve(callersFolder(), arg), resolve(ROOT, arg)].find(isFolder)
}

function findWork(arg: string): Work | Problem {
  const found = folderCalled(arg)
  if (!found) return { problem: unknownWord(arg) }
  const folder = laidOutLikeLessons(found)
  if (folder === lessonsFolder) return ownWork
  if (!folder) {
    return {
      problem: `The folder ${arg} does not contain a lesson, such as ${lessons()[0]?.folder}.`,
    }
  }
  const name = isInside(ROOT, folder) ? relative(ROOT, folder).split(sep).join('/') : arg
  return { folder, name: visible(name) }
}

/** Returns the folder itself, its parent if the folder is a single lesson, or its lessons/ if it is a whole clone. */
function laidOutLikeLessons(folder: string): string | undefined {
  const known = lessons().map((lesson) => lesson.folder)
  if (known.includes(basename(folder))) return dirname(folder)
  return [folder, join(folder, 'lessons')].find((candidate) =>
    known.some((lesson) => isFolder(join(candidate, lesson))),
  )
}

function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory()
}

function unknownWord(arg: string): string {
  const said = LESSON_FOLDER.test(arg) ? 'lesson or folder' : 'folder'
  return `There is no ${said} "${arg}". Name a lesson, such as 1 or 1.2. A folder with work may follow.`
}

function oneAtATime(args: string[]): string {
  return `Name only one lesson, task or check, got "${args.join(' ')}".`
}

function isKnown(only: string, lesson: Lesson): boolean {
  const checks = checkIds(lesson.number)
  return checks.includes(only) || tasksOf(lesson).includes(only)
}

/** Returns the tasks from the README and from the checks, because the README may be missing. */
function tasksOf(lesson: Lesson): string[] {
  const ids = [...lesson.tasks.map((task) => task.id), ...checkIds(lesson.number).map(taskOf)]
  return [...new Set(ids)]
}

function unknownOnly(only: string, lesson: Lesson): string {
  const task = taskOf(only)
  const tasks = tasksOf(lesson)
  if (only !== task && tasks.includes(task)) {
    const checks = checkIds(lesson.number).filter((check) => taskOf(check) === task)
    return `There is no check ${only}. The checks of task ${task} are ${checks.join(', ')}.`
  }
  return `There is no task ${task}. The tasks of lesson ${lesson.number} are ${tasks.join(', ')}.`
}
