import { readdirSync, type Dirent } from 'node:fs'
import { basename, dirname, extname, join, relative } from 'node:path'
import { visible } from '../../wire/visible.ts'
import { isInside } from '../is-inside.ts'
import { lessons } from '../lessons/catalogue.ts'
import { callersFolder } from '../lessons/args.ts'

/** A person who has handed in work. */
export type Person = {
  /** The name of the folder, or its path if two folders have the same name. */
  name: string
  /** The folder with everything that the person handed in. */
  root: string
  /** The folder that is laid out like `lessons/`: `root` itself, or a folder inside it. */
  folder: string
  /** The reason why none of the work can be graded. */
  problem?: string
}

/**
 * Returns the people whose work is in these folders. A folder that is laid out like `lessons/` belongs to one person; any
 * other folder contains a folder for each person. Links are not followed, because they may lead to the solutions or out
 * of the submission.
 *
 * @param folders absolute paths
 */
export function peopleIn(folders: string[]): Person[] {
  const found = new Map(folders.flatMap(peopleOf).map((person) => [person.folder, person]))
  const people = [...found.values()]
  const names = people.map(({ name }) => name)
  return people
    .map((person) => {
      const isAlone = names.indexOf(person.name) === names.lastIndexOf(person.name)
      return isAlone ? person : { ...person, name: visible(asTyped(person.folder)) }
    })
    .toSorted((a, b) => a.name.localeCompare(b.name, 'en'))
}

/** Returns the path of a folder as the caller would type it. */
export function asTyped(folder: string): string {
  const here = callersFolder()
  return isInside(here, folder) ? relative(here, folder) || '.' : folder
}

function peopleOf(folder: string): Person[] {
  const own = laidOutLikeLessons(folder)
  if (own) {
    const named = basename(folder) === 'lessons' ? dirname(folder) : folder
    return [{ name: visible(basename(named)), root: folder, folder: own }]
  }
  return entriesOf(folder).flatMap((entry) => personOf(folder, entry))
}

function personOf(parent: string, entry: Dirent): Person[] {
  const root = join(parent, entry.name)
  const person = { name: visible(entry.name), root, folder: root }
  if (entry.isSymbolicLink()) {
    return [{ ...person, problem: 'it is a link, and links are not followed' }]
  }
  if (entry.isDirectory()) {
    const folder = unwrapped(root)
    const problem = `it contains no lesson, such as ${lessons()[0]?.folder}`
    return [folder ? { ...person, folder } : { ...person, problem }]
  }
  // Any other file is not a submission. For example, it may be a list of names or a table of grades.
  return isPacked(entry.name) ? [{ ...person, problem: 'it must be unpacked first' }] : []
}

export function isPacked(name: string): boolean {
  return ARCHIVES.includes(extname(name).toLowerCase())
}

const ARCHIVES = ['.zip', '.tar', '.gz', '.tgz', '.bz2', '.xz', '.7z', '.rar']

/**
 * Finds the folder laid out like `lessons/`, even inside nested folders, because unpacking an archive often nests them.
 */
function unwrapped(folder: string, depth = 0): string | undefined {
  const found = laidOutLikeLessons(folder)
  if (found || depth === 3) return found
  const inner = entriesOf(folder).filter((entry) => entry.isDirectory())
  return inner.length === 1 ? unwrapped(join(folder, inner[0]!.name), depth + 1) : undefined
}

/** Returns the folder itself if it is laid out like `lessons/`, the `lessons/` of a whole clone, or undefined. */
function laidOutLikeLessons(folder: string): string | undefined {
  const known = lessons().map((lesson) => lesson.folder)
  const entries = entriesOf(folder)
  if (entries.some(({ name }) => known.includes(name))) return folder
  const inner = entries.find((entry) => entry.name === 'lessons' && entry.isDirectory())
  return inner && laidOutLikeLessons(join(folder, 'lessons'))
}

/** Returns a folder's entries, or an empty list if it cannot be read. Skips hidden files and those that macOS adds to archives. */
function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).filter(
      ({ name }) => !name.startsWith('.') && !['__MACOSX', 'node_modules'].includes(name),
    )
  } catch {
    return []
  }
}
