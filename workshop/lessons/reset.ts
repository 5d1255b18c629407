import { cpSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { rmSync, writeFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { ROOT } from '../root.ts'
import { lessonsFolder, type Lesson } from './catalogue.ts'
import { storeFolder } from '../store.ts'
import { stubsOf } from './stubs.ts'

export type Reset = {
  /** Where the work is now, from the workshop's folder; absent when there was none. */
  saved?: string
  /** The files that are stubs again. */
  written: string[]
  /** What the learner added, and keeps. */
  others: string[]
}

/** Makes the stubs of a lesson afresh from its solution. What the folder holds is saved before. */
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
    // It may be a folder by now, or a link to a file that is no business of ours.
    rmSync(file, { recursive: true, force: true })
    writeFileSync(file, text)
  }
  return { written: written.map(({ name }) => name), others, ...(saved && { saved }) }
}

/** What a lesson's folder holds beside the files to edit. */
const OF_THE_LESSON = ['README.md', 'exhibit', 'tsconfig.json']

function isFileWith(file: string, text: string): boolean {
  try {
    return lstatSync(file).isFile() && readFileSync(file, 'utf8') === text
  } catch {
    return false
  }
}

/** Copies the work to a folder of this moment. */
function save(folder: string, lesson: string, names: string[]): string {
  const moment = new Date().toISOString().replaceAll(':', '-').replace('Z', '')
  const copy = join(storeFolder, 'saved', moment, lesson)
  mkdirSync(copy, { recursive: true })
  for (const name of names) {
    cpSync(join(folder, name), join(copy, name), { recursive: true, verbatimSymlinks: true })
  }
  return relative(ROOT, copy).split(sep).join('/')
}
