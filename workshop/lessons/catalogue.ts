import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checksOf, hasChecks } from './checks.ts'
import { ROOT } from '../root.ts'
import { readReadme, type Task } from './readme.ts'

export type Lesson = {
  number: number
  /** `01-raw-chunks`, in lessons/ and in solutions/. */
  folder: string
  title: string
  /** Absent when the README does not say. */
  minutes?: number
  tasks: Task[]
  /** Why there are no tasks: one sentence with the way out. */
  problem?: string
}

export const lessonsFolder = join(ROOT, 'lessons')
export const solutionsFolder = join(ROOT, 'solutions')

/** A lesson's folder: `01-raw-chunks`. */
export const LESSON_FOLDER = /^(\d\d)-[a-z0-9-]+$/

/**
 * All lessons, in order. A learner may have lost or broken anything in lessons/, so a lesson is there when
 * it is in solutions/ or in lessons/, and one without a README says so.
 */
export function lessons(): Lesson[] {
  const folders = new Set([...foldersIn(solutionsFolder), ...foldersIn(lessonsFolder)])
  return [...folders].toSorted().map(lessonIn)
}

/** The lesson with that number, if there is one. */
export function lessonNumbered(number: number): Lesson | undefined {
  return lessons().find((lesson) => lesson.number === number)
}

/** As `1 Raw chunks, 2 Server-sent events`. */
export function listed(all: Lesson[]): string {
  return all.map(({ number, title }) => `${number} ${title}`).join(', ')
}

/** The ids of a lesson's checks in the order they run; none when it has no checks yet. */
export function checkIds(lesson: number): string[] {
  return hasChecks(lesson) ? checksOf(lesson).map(({ id }) => id) : []
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
  const number = Number(folder.slice(0, 2))
  let text: string
  try {
    text = readFileSync(join(ROOT, path), 'utf8')
  } catch {
    const problem = `${path} is missing. Get it back with: git checkout -- ${path}`
    return { number, folder, title: titleOf(folder), tasks: [], problem }
  }
  const { title, minutes, tasks } = readReadme(text)
  const found = { number, folder, title: title ?? titleOf(folder), tasks }
  if (tasks.length > 0) return { ...found, ...(minutes !== undefined && { minutes }) }
  return { ...found, problem: `${path} has no tasks. Get it back with: git checkout -- ${path}` }
}

/** `01-raw-chunks` is called `Raw chunks` until its README says better. */
function titleOf(folder: string): string {
  const words = folder.slice(3).replaceAll('-', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}
