import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checksOf, hasChecks } from './checks.ts'
import { ROOT } from '../root.ts'
import { readReadme, type Task } from './readme.ts'

export type Lesson = {
  number: number
  /** The name of the lesson's folder in lessons/ and solutions/: `01-raw-chunks`. */
  folder: string
  title: string
  /** The lesson's duration. Absent if the README does not state it. */
  minutes?: number
  tasks: Task[]
  /** Says why there are no tasks, and how to fix that. */
  problem?: string
}

export const lessonsFolder = join(ROOT, 'lessons')
export const solutionsFolder = join(ROOT, 'solutions')

/** Matches the name of a lesson's folder: `01-raw-chunks`. */
export const LESSON_FOLDER = /^(\d\d)-[a-z0-9-]+$/

/**
 * Returns all lessons, in order. Learners may delete or break anything in lessons/, so a lesson exists if it is in
 * solutions/ or in lessons/. If its README is missing, its `problem` says so.
 */
export function lessons(): Lesson[] {
  return lessonFolders().map(lessonIn)
}

/** Finds a lesson by its number. Reads only this lesson's README. */
export function lessonNumbered(number: number): Lesson | undefined {
  const folder = lessonFolders().find((name) => numberOf(name) === number)
  return folder === undefined ? undefined : lessonIn(folder)
}

/** Lists lessons for a message: `1 Raw chunks, 2 Server-sent events`. */
export function listed(all: Lesson[]): string {
  return all.map(({ number, title }) => `${number} ${title}`).join(', ')
}

/** Returns the IDs of a lesson's checks in the order in which they run. */
export function checkIds(lesson: number): string[] {
  return hasChecks(lesson) ? checksOf(lesson).map(({ id }) => id) : []
}

function lessonFolders(): string[] {
  return [...new Set([...foldersIn(solutionsFolder), ...foldersIn(lessonsFolder)])].toSorted()
}

function foldersIn(parent: string): string[] {
  try {
    return readdirSync(parent).filter((name) => LESSON_FOLDER.test(name))
  } catch {
    return []
  }
}

function lessonIn(folder: string): Lesson {
  const path = `lessons/${folder}/README.md`
  const number = numberOf(folder)
  let text: string
  try {
    text = readFileSync(join(ROOT, path), 'utf8')
  } catch {
    const problem = `${path} is missing. Restore it with: git checkout -- ${path}`
    return { number, folder, title: titleOf(folder), tasks: [], problem }
  }
  const { title, minutes, tasks } = readReadme(text)
  const found = { number, folder, title: title ?? titleOf(folder), tasks }
  if (tasks.length > 0) return { ...found, ...(minutes !== undefined && { minutes }) }
  return { ...found, problem: `${path} has no tasks. Restore it with: git checkout -- ${path}` }
}

function numberOf(folder: string): number {
  return Number(folder.slice(0, 2))
}

/** Derives a title from the folder's name, for a README without one: `Raw chunks` for `01-raw-chunks`. */
function titleOf(folder: string): string {
  const words = folder.slice(3).replaceAll('-', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}
