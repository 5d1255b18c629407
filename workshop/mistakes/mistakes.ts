import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { lessonNumbered, solutionsFolder } from '../lessons/catalogue.ts'
import { ROOT } from '../root.ts'
import { applyHunks } from './edit.ts'
import { parseTable, type Row } from './table.ts'

/** A wrong answer with one planted bug. */
export type Mistake = Row & {
  lesson: number
  /** The task that its check belongs to, and the name of its table: `1.2`. */
  task: string
}

/**
 * Reads the mistakes of a lesson, in the order of their tables.
 *
 * @throws Error when a table cannot be read, two mistakes have the same name, or a folder has no row
 */
export function mistakesOf(lesson: number): Mistake[] {
  const folder = folderOf(lesson)
  if (!existsSync(folder)) return []
  const names = readdirSync(folder)
  const mistakes = names
    .filter((name) => name.endsWith('.md'))
    .toSorted((one, other) => one.localeCompare(other, 'en', { numeric: true }))
    .flatMap((name) => readTable(lesson, name))
  const known = new Set<string>()
  for (const { name } of mistakes) {
    if (known.has(name)) throw new Error(`test/mistakes/lesson${lesson} has ${name} twice`)
    known.add(name)
  }
  const stray = names.find((name) => !/\.(md|says\.txt)$/.test(name) && !known.has(name))
  if (stray) throw new Error(`test/mistakes/lesson${lesson}/${stray} is in no table`)
  return mistakes
}

/**
 * Finds a mistake by its lesson and name: `lesson1/collects`.
 *
 * @throws Error when there is none
 */
export function mistakeCalled(address: string): Mistake {
  const [, lesson, name] = /^lesson(\d+)\/([a-z0-9-]+)$/.exec(address) ?? []
  const found = mistakesOf(Number(lesson)).find((mistake) => mistake.name === name)
  if (!found) throw new Error(`there is no mistake ${address}`)
  return found
}

/**
 * Makes the files in which a mistake differs from the solution, by name.
 *
 * @throws Error when an edit does not fit the file that it is of
 */
export function filesOf(mistake: Mistake): Map<string, string> {
  const { lesson, name, edits } = mistake
  const solution = join(solutionsFolder, lessonNumbered(lesson)!.folder)
  const files = new Map([...baseOf(mistake), ...filesIn(join(folderOf(lesson), name))])
  for (const [file, hunks] of edits) {
    try {
      const text = files.get(file) ?? readFileSync(join(solution, file), 'utf8')
      files.set(file, applyHunks(text, hunks))
    } catch (error) {
      const where = `lesson${lesson}/${name}, ${file}`
      throw new Error(`${where}: ${(error as Error).message}`, { cause: error })
    }
  }
  if (files.size === 0) throw new Error(`lesson${lesson}/${name} has neither an edit nor a file`)
  return files
}

/** Writes the lesson with the mistake in it into a folder, laid out like `lessons/`. */
export function layOut(mistake: Mistake, folder: string): void {
  const lesson = lessonNumbered(mistake.lesson)!.folder
  const place = join(folder, lesson)
  mkdirSync(place, { recursive: true })
  cpSync(join(solutionsFolder, lesson), place, { recursive: true })
  for (const [name, text] of filesOf(mistake)) writeFileSync(join(place, name), text)
}

function folderOf(lesson: number): string {
  return join(ROOT, 'test', 'mistakes', `lesson${lesson}`)
}

function readTable(lesson: number, name: string): Mistake[] {
  const path = `test/mistakes/lesson${lesson}/${name}`
  const task = name.replace(/\.md$/, '')
  try {
    return parseTable(readFileSync(join(ROOT, path), 'utf8')).map((row) => {
      if (!row.fails.startsWith(task)) throw new Error(`${row.name} is not of task ${task}`)
      return { ...row, lesson, task }
    })
  } catch (error) {
    throw new Error(`${path}, ${(error as Error).message}`, { cause: error })
  }
}

/** The files of what is edited in place of the solution. */
function baseOf({ lesson, base }: Mistake): Map<string, string> {
  if (!base) return new Map()
  const variant = filesIn(join(ROOT, 'test', 'variants', `lesson${lesson}`, base))
  return variant.size > 0 ? variant : filesOf(mistakeCalled(`lesson${lesson}/${base}`))
}

/** The texts of the files in a folder, by name; none when it is not there. */
function filesIn(folder: string): Map<string, string> {
  const names = existsSync(folder) ? readdirSync(folder) : []
  return new Map(names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]))
}
