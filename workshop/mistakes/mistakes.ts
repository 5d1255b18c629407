import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { lessonNumbered, solutionsFolder } from '../lessons/catalogue.ts'
import { ROOT } from '../root.ts'
import { applyHunks } from './edit.ts'
import { parseTable, type Row } from './table.ts'

/** A wrong program: a solution with one planted bug. */
export type Mistake = Row & {
  lesson: number
  /** The task that the failing check belongs to, which is also the name of the table: `1.2`. */
  task: string
}

/**
 * Reads the mistakes of a lesson, in the order in which the tables list them.
 *
 * @throws Error if a table is invalid, if two mistakes have the same name, or if a folder has no row
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
    if (known.has(name)) throw new Error(`test/mistakes/lesson${lesson} contains ${name} twice`)
    known.add(name)
  }
  const stray = names.find((name) => !/\.(md|says\.txt)$/.test(name) && !known.has(name))
  if (stray) throw new Error(`test/mistakes/lesson${lesson}/${stray} is not in any table`)
  return mistakes
}

/**
 * Finds a mistake by its lesson and name: `lesson1/collects`.
 *
 * @throws Error if there is no such mistake
 */
export function mistakeCalled(address: string): Mistake {
  const [, lesson, name] = /^lesson(\d+)\/([a-z0-9-]+)$/.exec(address) ?? []
  const found = mistakesOf(Number(lesson)).find((mistake) => mistake.name === name)
  if (!found) throw new Error(`there is no mistake ${address}`)
  return found
}

/**
 * Returns, by name, the files in which a mistake differs from the solution.
 *
 * @throws Error if an edit does not apply to its file
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
  if (files.size === 0) throw new Error(`lesson${lesson}/${name} has neither edits nor files`)
  return files
}

/** Writes the lesson's files, with the mistake in them, to a folder that is laid out like `lessons/`. */
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
      if (!row.fails.startsWith(task))
        throw new Error(`${row.name} does not belong to task ${task}`)
      return { ...row, lesson, task }
    })
  } catch (error) {
    throw new Error(`${path}, ${(error as Error).message}`, { cause: error })
  }
}

/** Returns the base's files if a mistake edits a base other than the solution. Otherwise returns an empty map. */
function baseOf({ lesson, base }: Mistake): Map<string, string> {
  if (!base) return new Map()
  const variant = filesIn(join(ROOT, 'test', 'variants', `lesson${lesson}`, base))
  return variant.size > 0 ? variant : filesOf(mistakeCalled(`lesson${lesson}/${base}`))
}

/** Reads the files in a folder, by name. Returns an empty map if there is no such folder. */
function filesIn(folder: string): Map<string, string> {
  const names = existsSync(folder) ? readdirSync(folder) : []
  return new Map(names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]))
}
