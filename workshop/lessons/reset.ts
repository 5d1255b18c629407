import { cpSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { rmSync, writeFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { ROOT } from '../root.ts'
import { lessonsFolder, type Lesson } from './catalogue.ts'
import { storeFolder } from '../store.ts'
import { stubsOf } from './stubs.ts'

export type Reset = {
  /** The folder with the saved work, relative to the workshop's folder. Absent if there was no work to save. */
  saved?: string
  /** The files that were replaced with stubs. */
  written: string[]
  /** The files that the learner added. They are kept. */
  others: string[]
}

/** Saves the learner's files of a lesson, and then replaces them with stubs made from the solution. */
export function resetLesson(lesson: Lesson): Reset {
  const folder = join(lessonsFolder, lesson.folder)
  const stubs = stubsOf(lesson)
  const written = stubs.filter(({ name, text }) => !isFileWith(join(folder, name), text))
  const names = existsSync(folder) ? readdirSync(folder) : []
  const comesWithIt = new Set([...OF_THE_LESSON, ...stubs.map(({ name }) => name)])
  const others = names.filter((name) => !comesWithIt.has(name))
  if (written.length === 0) return { written: [], others }

  const work = names.filter((name) => !OF_THE_LESSON.includes(name))
  const saved = work.length > 0 ? save(folder, lesson.folder, work) : undefined
  mkdirSync(folder, { recursive: true })
  for (const { name, text } of written) {
    const file = join(folder, name)
    // Remove the entry, because the learner may have replaced the file with a folder, or with a link to another file.
    rmSync(file, { recursive: true, force: true })
    writeFileSync(file, text)
  }
  return { written: written.map(({ name }) => name), others, ...(saved && { saved }) }
}

/** The entries in a lesson's folder that are not the learner's work. */
const OF_THE_LESSON = ['README.md', 'exhibit', 'tsconfig.json']

function isFileWith(file: string, text: string): boolean {
  try {
    return lstatSync(file).isFile() && readFileSync(file, 'utf8') === text
  } catch {
    return false
  }
}

/** Copies the work to a new folder whose name is the current time. */
function save(folder: string, lesson: string, names: string[]): string {
  const moment = new Date().toISOString().replaceAll(':', '-').replace('Z', '')
  const copy = join(storeFolder, 'saved', moment, lesson)
  mkdirSync(copy, { recursive: true })
  for (const name of names) {
    cpSync(join(folder, name), join(copy, name), { recursive: true, verbatimSymlinks: true })
  }
  return relative(ROOT, copy).split(sep).join('/')
}
