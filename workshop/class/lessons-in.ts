import { existsSync, readdirSync, type Dirent } from 'node:fs'
import { join, parse } from 'node:path'
import { visible } from '../../wire/visible.ts'
import { lessons } from '../lessons/catalogue.ts'
import { Sentence } from '../machine-problem.ts'
import { isPacked, isZip } from './archive.ts'
import { unpack } from './unpack.ts'
import { folderToUnpack } from './unpacked.ts'

/** The folder with somebody's lessons, or the reason why there are none. */
type Found = { folder: string; leftOut?: string[] } | { problem: string }

/** Finds the lessons in a folder that somebody handed in. */
export async function lessonsInFolder(root: string): Promise<Found> {
  const folder = unwrapped(root)
  if (folder) return { folder }
  // Some course platforms put each person's archive into a folder.
  const [archive, another] = entriesOf(root).filter((entry) => entry.isFile() && isZip(entry.name))
  if (archive && !another) return lessonsInZip(join(root, archive.name))
  return { problem: noLessonAmong(pathsIn(root)) }
}

/** Unpacks an archive that somebody handed in, and finds the lessons in it. */
export async function lessonsInZip(archive: string): Promise<Found> {
  try {
    const root = folderToUnpack(parse(archive).name)
    const { found, leftOut } = await unpack(archive, root)
    const folder = unwrapped(root)
    if (folder) return { folder, leftOut }
    return { problem: leftOut[0] ?? noLessonAmong(found) }
  } catch (error) {
    if (error instanceof Sentence) return { problem: error.message }
    throw error
  }
}

/**
 * Returns whether a folder has the lessons of one person. If it also has the work of other people, it is the folder of a
 * class into which somebody has put lessons by mistake.
 */
export function isOnePersons(folder: string): boolean {
  if (!laidOutLikeLessons(folder)) return false
  // A clone has other folders that look like work, such as solutions/.
  if (existsSync(join(folder, 'package.json'))) return true
  const known = ['lessons', 'solutions', ...lessons().map((lesson) => lesson.folder)]
  const others = entriesOf(folder).filter(({ name }) => !known.includes(name))
  return !others.some((entry) =>
    entry.isDirectory() ? unwrapped(join(folder, entry.name)) : isPacked(entry.name),
  )
}

/** Returns a folder's entries, or an empty list if it cannot be read. Skips hidden files and those that macOS adds to archives. */
export function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).filter(
      ({ name }) => !name.startsWith('.') && !['__MACOSX', 'node_modules'].includes(name),
    )
  } catch {
    return []
  }
}

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

/** Says that there is no lesson, and what there is instead. */
function noLessonAmong(paths: string[]): string {
  const missing = `it contains no lesson, such as ${lessons()[0]?.folder}`
  if (paths.length === 0) return `${missing}, because it is empty`
  const some = paths.slice(0, 3).map((path) => visible(path))
  if (paths.length > some.length) some.push('other files')
  return `${missing}, but ${[some.slice(0, -1).join(', '), some.at(-1)].filter(Boolean).join(' and ')}`
}

/** Returns what is in a folder. Folders inside are opened as long as each of them contains only the next. */
function pathsIn(folder: string, prefix = ''): string[] {
  const entries = entriesOf(folder)
  const [only] = entries
  if (only?.isDirectory() && entries.length === 1) {
    return pathsIn(join(folder, only.name), `${prefix}${only.name}/`)
  }
  if (entries.length === 0 && prefix !== '') return [prefix]
  return entries.map((entry) => `${prefix}${entry.name}${entry.isDirectory() ? '/' : ''}`)
}
